// What acts on gradient and weights around the optimizer's step: smooth penalties and clipping before it, decay with
// it, and after it, as proximal steps, what makes exact zeros or bounds norms.
//
// To add a penalty: a class below, its name in make_penalty or make_proximal.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels.hpp"
#include "optimizers.hpp"
#include "spec.hpp"
#include "threads.hpp"

namespace skreg {

// For each parameter the rate with which a proximal step must follow the optimizer's step t.
template <class T>
class Metric {
 public:
  Metric(const Optimizer<T>& optimizer, double rate, int64_t t) : optimizer_(optimizer), rate_(rate), t_(t) {}
  void fill(int64_t begin, int64_t n, T* out) const { optimizer_.metric(begin, n, rate_, t_, out); }

 private:
  const Optimizer<T>& optimizer_;
  double rate_;
  int64_t t_;
};

template <class T>
class SmoothPenalty {
 public:
  virtual ~SmoothPenalty() = default;
  virtual double value(const T* parameters) const = 0;
  virtual void add_gradient(const T* parameters, T* gradient) const = 0;
};

template <class T>
class Proximal {
 public:
  virtual ~Proximal() = default;
  // What it adds to the reported loss; a constraint adds nothing.
  virtual double value(const T*) const { return 0; }
  // w becomes argmin_u penalty(u) + sum_i (u_i - w_i)^2 / (2 metric_i).
  virtual void apply(T* parameters, const Metric<T>& metric) = 0;
};

template <class T>
class L2 : public SmoothPenalty<T> {  // strength / 2 * sum w^2
 public:
  L2(double strength, int64_t n_weights) : strength_(strength), n_(n_weights) {}
  double value(const T* parameters) const override {
    return 0.5 * strength_ * kernels<T>().sum_of_squares(parameters, n_);
  }
  void add_gradient(const T* parameters, T* gradient) const override {
    kernels<T>().add_scaled(gradient, parameters, n_, T(strength_));
  }

 private:
  double strength_;
  int64_t n_;
};

template <class T>
class L1 : public Proximal<T> {  // strength * sum |w|; its prox is the soft threshold
 public:
  L1(double strength, int64_t n_weights) : strength_(strength), n_(n_weights) {}
  double value(const T* parameters) const override {
    return strength_ * kernels<T>().sum_of_magnitudes(parameters, n_);
  }
  void apply(T* parameters, const Metric<T>& metric) override {
    constexpr double kPerWeight = 0.3;  // nanoseconds
    parallel_ranges(n_, kRun, kPerWeight, [&](int64_t first, int64_t end) {
      T rates[kRun];
      for (int64_t begin = first; begin < end; begin += kRun) {
        const int64_t n = std::min(kRun, end - begin);
        metric.fill(begin, n, rates);
        kernels<T>().soft_threshold(parameters + begin, rates, n, T(strength_));
      }
    });
  }

 private:
  static constexpr int64_t kRun = 1024;
  double strength_;
  int64_t n_;
};

// strength * sum_j ||row j||: the group lasso (Yuan and Lin 2006) on the outgoing weights of each input of a layer.
template <class T>
class RowGroups : public Proximal<T> {
 public:
  RowGroups(double strength, const Region& region)
      : strength_(strength), region_(region), rates_(size_t(std::max(region.n_rows, region.n_columns))) {}
  double value(const T* parameters) const override {
    double sum = 0;
    for (int64_t i = 0; i < region_.n_rows; ++i) {
      sum += std::sqrt(kernels<T>().sum_of_squares(parameters + row(i), region_.n_columns));
    }
    return strength_ * sum;
  }
  void apply(T* parameters, const Metric<T>& metric) override {
    if (region_.n_columns == 1) {  // groups of one: |w|
      metric.fill(region_.offset, region_.n_rows, rates_.data());
      kernels<T>().soft_threshold(parameters + region_.offset, rates_.data(), region_.n_rows, T(strength_));
      return;
    }
    for (int64_t i = 0; i < region_.n_rows; ++i) {
      metric.fill(row(i), region_.n_columns, rates_.data());
      kernels<T>().group_threshold(parameters + row(i), rates_.data(), region_.n_columns, T(strength_));
    }
  }

 private:
  int64_t row(int64_t i) const { return region_.offset + i * region_.n_columns; }
  double strength_;
  Region region_;
  std::vector<T> rates_;
};

// The norm of each unit's incoming weights is at most `largest` (Srivastava et al. 2014, section 5.1).
template <class T>
class MaxNorm : public Proximal<T> {
 public:
  MaxNorm(double largest, const Region& region)
      : largest_(T(largest)), region_(region), scratch_(size_t(region.n_columns)) {}
  void apply(T* parameters, const Metric<T>&) override {
    kernels<T>().limit_columns(parameters + region_.offset, region_.n_rows, region_.n_columns, largest_,
                               scratch_.data());
  }

 private:
  T largest_;
  Region region_;
  std::vector<T> scratch_;
};

// Rescales a gradient whose norm, over all parameters, is above `largest` (Pascanu, Mikolov and Bengio 2013).
template <class T>
class ClipNorm {
 public:
  explicit ClipNorm(double largest) : largest_(largest) {}
  void apply(T* gradient, int64_t n) const {
    double norm = std::sqrt(kernels<T>().sum_of_squares(gradient, n));
    if (!std::isfinite(norm)) norm = norm_in_double(gradient, n);  // squares overflow in float32 long before the norm
    if (norm > largest_) kernels<T>().scale(gradient, n, T(largest_ / norm));
  }

 private:
  static double norm_in_double(const T* gradient, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += double(gradient[i]) * double(gradient[i]);
    return std::sqrt(sum);
  }
  double largest_;
};

// w *= 1 - rate * strength before the optimizer's step (Loshchilov and Hutter 2019, in the convention of PyTorch's
// AdamW).
template <class T>
class WeightDecay {
 public:
  explicit WeightDecay(double strength) : strength_(strength) {}
  void apply(T* w, int64_t n, double rate) const { kernels<T>().scale(w, n, T(1 - rate * strength_)); }

 private:
  double strength_;
};

template <class T>
std::unique_ptr<SmoothPenalty<T>> make_penalty(const Spec& spec, int64_t n_weights) {
  if (spec.first == "l2") return std::make_unique<L2<T>>(spec.second.at("strength"), n_weights);
  throw std::invalid_argument("unknown penalty: " + spec.first);
}

// `layers` are the weights of the dense layers in order.
template <class T>
std::unique_ptr<Proximal<T>> make_proximal(const Spec& spec, int64_t n_weights, const std::vector<Region>& layers) {
  const double strength = spec.second.at("strength");
  if (spec.first == "l1") return std::make_unique<L1<T>>(strength, n_weights);
  const Region& layer = layers.at(size_t(spec.second.at("layer")));
  if (spec.first == "row_groups") return std::make_unique<RowGroups<T>>(strength, layer);
  if (spec.first == "max_norm") return std::make_unique<MaxNorm<T>>(strength, layer);
  throw std::invalid_argument("unknown proximal step: " + spec.first);
}

}  // namespace skreg
