// Normalizations between a dense layer and its activation.
//
// To add one: a class with forward and backward, and its row in kNorms.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "../costs.hpp"
#include "../families.hpp"
#include "../kernels.hpp"
#include "../threads.hpp"
#include "batch.hpp"

namespace skreg {

// Normalization between a dense layer and its activation: x_hat = (x - mean) / sqrt(variance + epsilon). Scale and
// shift are applied by the block.
template <class T>
class Norm {
 public:
  T *scale = nullptr, *shift = nullptr, *scale_gradient = nullptr, *shift_gradient = nullptr;

  explicit Norm(int64_t width) : width_(width), sum_(width), sum_x_hat_(width) {}
  virtual ~Norm() = default;
  // x (plus the bias, where it has one) becomes x_hat, strip by strip; `finish` sees each strip while it is in cache.
  virtual void forward(const Batch<T>& batch, const T* bias, T* x, Hook finish) = 0;
  // delta: gradient with respect to scale * x_hat + shift, becomes the one with respect to x.
  virtual void backward(const Batch<T>& batch, T* delta, const T* x_hat) = 0;
  // Whether a bias before it would change nothing.
  virtual bool removes_bias() const = 0;

 protected:
  // Calls body for tiles of few rows, which stay in cache for the next step.
  template <class Body>
  void for_strips(int64_t n_rows, Body body) const {
    constexpr int64_t kStripRows = 16;
    const double one_row = double(width_ * int64_t(sizeof(T))) * kMemoryByte;
    parallel_ranges(n_rows, kStripRows, one_row, [&](int64_t first, int64_t end) {
      for (int64_t row = first; row < end; row += kStripRows) {
        body(Tile{row, std::min(kStripRows, end - row), 0, width_});
      }
    });
  }

  void add_gradients(const Batch<T>& batch, const T* delta, const T* x_hat) {
    std::fill(sum_.begin(), sum_.end(), T(0));
    std::fill(sum_x_hat_.begin(), sum_x_hat_.end(), T(0));
    kernels<T>().norm_sums(delta, x_hat, batch.n_rows, width_, sum_.data(), sum_x_hat_.data());
    for (int64_t j = 0; j < width_; ++j) {
      shift_gradient[j] = (batch.accumulate ? shift_gradient[j] : T(0)) + sum_[j];
      scale_gradient[j] = (batch.accumulate ? scale_gradient[j] : T(0)) + sum_x_hat_[j];
    }
  }

  int64_t width_;
  std::vector<T> sum_, sum_x_hat_;  // over the batch, of delta and of delta * x_hat
};

// Over the columns of a batch (Ioffe and Szegedy 2015), with the batch's moments in training and the running ones
// otherwise.
template <class T>
class BatchNorm : public Norm<T> {
 public:
  T *running_mean = nullptr, *running_variance = nullptr;

  BatchNorm(const Spec& spec, int64_t width)
      : Norm<T>(width),
        momentum_(T(spec.number("momentum"))),
        epsilon_(T(spec.number("epsilon"))),
        mean_(width),
        variance_(width),
        inverse_std_(width) {}

  void forward(const Batch<T>& batch, const T*, T* x, Hook finish) override {
    uses_batch_ = batch.training && batch.n_weighted >= 2 && has_variance(batch.effective_size);
    if (uses_batch_) {
      kernels<T>().moments(x, batch.n_rows, this->width_, batch.share, mean_.data(), variance_.data());
      if (!batch.keep_statistics) update_running(batch);
    } else {
      std::copy_n(running_mean, this->width_, mean_.begin());
      std::copy_n(running_variance, this->width_, variance_.begin());
    }
    kernels<T>().inverse_roots(variance_.data(), this->width_, epsilon_, inverse_std_.data());
    this->for_strips(batch.n_rows, [&](const Tile& strip) {
      kernels<T>().normalize(x, this->width_, strip, mean_.data(), inverse_std_.data());
      finish.call(finish.self, strip);
    });
  }

  void backward(const Batch<T>& batch, T* delta, const T* x_hat) override {
    this->add_gradients(batch, delta, x_hat);
    kernels<T>().norm_backward(delta, x_hat, batch.n_rows, this->width_, uses_batch_ ? batch.share : nullptr,
                               this->scale, inverse_std_.data(), this->sum_.data(), this->sum_x_hat_.data());
  }

  bool removes_bias() const override { return true; }

 private:
  void update_running(const Batch<T>& batch) {
    const T unbiased = T(batch.effective_size / (batch.effective_size - 1));
    for (int64_t j = 0; j < this->width_; ++j) {
      running_mean[j] += momentum_ * (mean_[j] - running_mean[j]);
      running_variance[j] += momentum_ * (variance_[j] * unbiased - running_variance[j]);
    }
  }

  T momentum_, epsilon_;
  bool uses_batch_ = false;
  std::vector<T> mean_, variance_, inverse_std_;
};

// Over the units of each row (Ba, Kiros and Hinton 2016), the same in training and prediction.
template <class T>
class LayerNorm : public Norm<T> {
 public:
  LayerNorm(const Spec& spec, int64_t width) : Norm<T>(width), epsilon_(T(spec.number("epsilon"))) {}

  void forward(const Batch<T>& batch, const T* bias, T* x, Hook finish) override {
    inverse_std_.resize(std::max(inverse_std_.size(), size_t(batch.n_rows)));
    this->for_strips(batch.n_rows, [&](const Tile& strip) {
      kernels<T>().normalize_rows(x, this->width_, strip, bias, epsilon_, inverse_std_.data());
      finish.call(finish.self, strip);
    });
  }

  void backward(const Batch<T>& batch, T* delta, const T* x_hat) override {
    this->add_gradients(batch, delta, x_hat);
    kernels<T>().normalize_rows_backward(delta, x_hat, batch.n_rows, this->width_, this->scale, inverse_std_.data());
  }

  bool removes_bias() const override { return false; }

 private:
  T epsilon_;
  std::vector<T> inverse_std_;
};

// The context is the width of the layer.
template <class T>
constexpr Maker<Norm<T>, int64_t> kNorms[] = {
    {"batch_norm", make<BatchNorm<T>>},
    {"layer_norm", make<LayerNorm<T>>},
};

}  // namespace skreg
