// The layers of a network, forward and backward side by side. Matrices are (n_rows, width), row-major.
//
// A block is dense -> normalization -> activation -> dropout, the last three where wanted. What acts on single numbers
// (bias, activation, dropout) runs on each strip of rows as soon as the product before it has finished that strip,
// through the product's `finish` hook, so it costs no extra trip to memory.
//
// To add a normalization: a class with forward and backward below, its name in make_block (network.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "kernels.hpp"
#include "random.hpp"
#include "threads.hpp"

namespace skreg {

// What layers know of the batch at hand.
template <class T>
struct Batch {
  int64_t n_rows = 0;
  const T* share = nullptr;      // weight of each row divided by their sum
  int64_t n_weighted = 0;        // rows with a positive weight
  double effective_size = 0;     // see effective_size_of
  bool training = false;         // dropout and batch moments on
  bool keep_statistics = false;  // leave running statistics alone although training
  bool accumulate = false;       // add to the gradients instead of overwriting them
  uint64_t seed = 0, step = 0;
};

// The rows that enter the first layer (dense or sparse), or the output of the block below.
template <class T>
struct Input {
  const T* dense = nullptr;
  int64_t ld = 0;
  const SparseRows<T>* sparse = nullptr;
};

// The size n for which n / (n - 1) * variance is unbiased: the sum of the weights, which then count like repeated rows,
// or the effective count 1 / sum share^2 where that is larger, as for weights that sum to 1.
inline double effective_size_of(double total_weight, double sum_of_squared_shares) {
  return std::max(total_weight, 1 / sum_of_squared_shares);
}

// A single row, or one that outweighs all others, has none.
inline bool has_variance(double effective_size) { return effective_size > 1 + 1e-6; }

template <class T>
struct Dense {
  int64_t n_in, n_out;
  const T* weight = nullptr;  // (n_in, n_out)
  const T* bias = nullptr;    // (n_out,), null without one; added by the block's finishing step
  T* weight_gradient = nullptr;
  T* bias_gradient = nullptr;

  void forward(const Input<T>& in, int64_t n_rows, T* out, Hook finish) const {
    if (in.sparse) {
      kernels<T>().sparse_forward(*in.sparse, weight, n_out, out);
      if (finish.call) finish.call(finish.self, {0, n_rows, 0, n_out});
      return;
    }
    kernels<T>().product(
        {n_rows, n_out, n_in, in.dense, in.ld, false, weight, n_out, false, out, n_out, false, nullptr, finish});
  }

  void backward_parameters(const Input<T>& in, int64_t n_rows, const T* delta, bool accumulate) const {
    if (!accumulate && bias_gradient) std::memset(bias_gradient, 0, size_t(n_out) * sizeof(T));
    if (in.sparse) {
      if (!accumulate) std::memset(weight_gradient, 0, size_t(n_in * n_out) * sizeof(T));
      kernels<T>().sparse_backward(*in.sparse, delta, n_out, weight_gradient, bias_gradient);
      return;
    }
    kernels<T>().product({n_in,
                          n_out,
                          n_rows,
                          in.dense,
                          in.ld,
                          true,
                          delta,
                          n_out,
                          false,
                          weight_gradient,
                          n_out,
                          accumulate,
                          bias_gradient,
                          {}});
  }

  void backward_input(const T* delta, int64_t n_rows, T* delta_in, Hook finish) const {
    kernels<T>().product(
        {n_rows, n_in, n_out, delta, n_out, false, weight, n_out, true, delta_in, n_in, false, nullptr, finish});
  }
};

// Normalization of the columns of a batch (Ioffe and Szegedy 2015): x_hat = (x - mean) / sqrt(variance + epsilon),
// with the batch's moments in training and the running ones otherwise. Scale and shift are applied by the block.
template <class T>
class BatchNorm {
 public:
  T *scale = nullptr, *shift = nullptr, *scale_gradient = nullptr, *shift_gradient = nullptr;
  T *running_mean = nullptr, *running_variance = nullptr;

  BatchNorm(int64_t width, double momentum, double epsilon)
      : width_(width),
        momentum_(T(momentum)),
        epsilon_(T(epsilon)),
        mean_(width),
        variance_(width),
        inverse_std_(width) {}

  // x becomes x_hat, strip by strip; `finish` sees each strip while it is in cache.
  void forward(const Batch<T>& batch, T* x, Hook finish) {
    uses_batch_ = batch.training && batch.n_weighted >= 2 && has_variance(batch.effective_size);
    if (uses_batch_) {
      kernels<T>().moments(x, batch.n_rows, width_, batch.share, mean_.data(), variance_.data());
      if (!batch.keep_statistics) update_running(batch);
    } else {
      std::memcpy(mean_.data(), running_mean, size_t(width_) * sizeof(T));
      std::memcpy(variance_.data(), running_variance, size_t(width_) * sizeof(T));
    }
    for (int64_t j = 0; j < width_; ++j) inverse_std_[j] = T(1) / std::sqrt(variance_[j] + epsilon_);
    const double one_row = double(width_ * int64_t(sizeof(T))) * 0.1;  // nanoseconds
    parallel_ranges(batch.n_rows, kStripRows, one_row, [&](int64_t first, int64_t end) {
      for (int64_t row = first; row < end; row += kStripRows) {
        const Tile strip = {row, std::min(kStripRows, end - row), 0, width_};
        kernels<T>().normalize(x, width_, strip, mean_.data(), inverse_std_.data());
        finish.call(finish.self, strip);
      }
    });
  }

  // delta: gradient with respect to scale * x_hat + shift, becomes the one with respect to x.
  void backward(const Batch<T>& batch, T* delta, const T* x_hat) {
    T *sum = mean_.data(), *sum_x_hat = variance_.data();  // both are free by now
    std::memset(sum, 0, size_t(width_) * sizeof(T));
    std::memset(sum_x_hat, 0, size_t(width_) * sizeof(T));
    kernels<T>().norm_sums(delta, x_hat, batch.n_rows, width_, sum, sum_x_hat);
    for (int64_t j = 0; j < width_; ++j) {
      shift_gradient[j] = (batch.accumulate ? shift_gradient[j] : T(0)) + sum[j];
      scale_gradient[j] = (batch.accumulate ? scale_gradient[j] : T(0)) + sum_x_hat[j];
    }
    kernels<T>().norm_backward(delta, x_hat, batch.n_rows, width_, uses_batch_ ? batch.share : nullptr, scale,
                               inverse_std_.data(), sum, sum_x_hat);
  }

 private:
  static constexpr int64_t kStripRows = 16;

  void update_running(const Batch<T>& batch) {
    const T unbiased = T(batch.effective_size / (batch.effective_size - 1));
    for (int64_t j = 0; j < width_; ++j) {
      running_mean[j] += momentum_ * (mean_[j] - running_mean[j]);
      running_variance[j] += momentum_ * (variance_[j] * unbiased - running_variance[j]);
    }
  }

  int64_t width_;
  T momentum_, epsilon_;
  bool uses_batch_ = false;
  std::vector<T> mean_, variance_, inverse_std_;
};

// Inverted dropout (Srivastava et al. 2014): a unit is zeroed with probability p, quantized to 1/65536, and survivors
// are scaled by the inverse of the quantized keep probability.
class Dropout {
 public:
  // A p above 0 always drops something, and never everything.
  explicit Dropout(double p) : threshold_(p > 0 ? int32_t(std::clamp(std::lround(p * 65536), 1L, 65535L)) : 0) {}

  // Draws the batch's mask; an inactive dropout returns no bits.
  template <class T>
  Drop<T> draw(const Batch<T>& batch, int64_t n, uint32_t stream) {
    if (threshold_ == 0 || !batch.training) return {};
    const size_t padded = size_t((n + kDrawsPerGroup - 1) / kDrawsPerGroup * kDrawsPerGroup);
    if (bits_.size() < padded) bits_.resize(padded);
    kernels<T>().random_bits(batch.seed, batch.step, stream, n, bits_.data());
    return {bits_.data(), threshold_, scale<T>()};
  }

  // One draw by its position: for sparse rows, whose zeros need none.
  template <class T>
  T factor(const Batch<T>& batch, uint32_t stream, int64_t position) const {
    return random_bits_at(batch.seed, batch.step, stream, position) < threshold_ ? T(0) : scale<T>();
  }

  bool active() const { return threshold_ > 0; }

 private:
  template <class T>
  T scale() const {
    return T(65536.0 / (65536 - threshold_));
  }

  int32_t threshold_;
  std::vector<uint16_t> bits_;
};

template <class T>
class Block {
 public:
  Dense<T> dense;
  std::unique_ptr<BatchNorm<T>> norm;

  Block(int64_t n_in, int64_t n_out, int index, int activation, double dropout)
      : dense{n_in, n_out}, index_(index), activation_(activation), dropout_(dropout) {}

  void reserve(int64_t n_rows, bool training) {
    out_.resize(size_t(n_rows * dense.n_out));
    if (keeps_input()) in_.resize(out_.size());
    if (training) delta_.resize(out_.size());
  }

  const T* out() const { return out_.data(); }
  T* out() { return out_.data(); }
  T* delta() { return delta_.data(); }
  Input<T> as_input() const { return {out_.data(), dense.n_out, nullptr}; }

  void forward(const Input<T>& input, const Batch<T>& batch) {
    T* in = keeps_input() ? in_.data() : out_.data();
    forward_args_ = {
        in, out_.data(), dense.n_out, norm ? norm->scale : nullptr, norm ? norm->shift : dense.bias, draw(batch)};
    const Hook activate = {[](void* self, Tile t) { static_cast<Block*>(self)->activate(t); }, this};
    dense.forward(input, batch.n_rows, in, norm ? Hook{} : activate);
    if (norm) norm->forward(batch, in, activate);
  }

  // Expects in delta() the gradient with respect to the activation's argument: of the output block from the loss, of
  // the others from the block above, which ends with `below`'s deactivation on each strip it finishes.
  void backward(const Input<T>& in, const Batch<T>& batch, Block* below) {
    if (norm) norm->backward(batch, delta_.data(), in_.data());
    dense.backward_parameters(in, batch.n_rows, delta_.data(), batch.accumulate);
    if (!below) return;
    const Forward<T>& f = below->forward_args_;
    below->backward_args_ = {f.in, f.out, below->delta(), f.ld, f.scale, f.shift, f.drop};
    const Hook deactivate = {[](void* self, Tile t) { static_cast<Block*>(self)->deactivate(t); }, below};
    dense.backward_input(delta_.data(), batch.n_rows, below->delta(), deactivate);
  }

  // The dense layer alone, for the exact statistics of the normalization after it.
  const T* pre_normalization(const Input<T>& in, int64_t n_rows) {
    dense.forward(in, n_rows, in_.data(), {});
    return in_.data();
  }

 private:
  bool keeps_input() const { return norm || kActivations[activation_].needs_input; }
  Drop<T> draw(const Batch<T>& batch) {
    return dropout_.draw(batch, batch.n_rows * dense.n_out, stream_of(kHiddenDropout, index_));
  }
  void activate(Tile t) { kernels<T>().forward[activation_](forward_args_, t); }
  void deactivate(Tile t) { kernels<T>().backward[activation_](backward_args_, t); }

  int index_;
  int activation_;  // in kActivations
  Dropout dropout_;
  Forward<T> forward_args_;
  Backward<T> backward_args_;
  std::vector<T> in_, out_, delta_;  // in_: what the activation starts from, where backward needs it
};

}  // namespace skreg
