// What acts on gradient and weights around the optimizer's step, in the order of the places 5 to 8 (epoch.hpp): smooth
// penalties and clipping before it, decay with it, and after it, as proximal steps, what makes exact zeros or bounds
// norms, then the average.
//
// To add one: a class, and its row in the table behind its family. The context is the layout of the parameters.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <vector>

#include "costs.hpp"
#include "families.hpp"
#include "kernels.hpp"
#include "layout.hpp"
#include "optimizers.hpp"
#include "threads.hpp"

namespace skreg {

// ------------------------------------------------------------------------------------- 5 gradient: smooth penalties

template <class T>
class SmoothPenalty {
 public:
  virtual ~SmoothPenalty() = default;
  virtual double value(const T* parameters) const = 0;
  virtual void add_gradient(const T* parameters, T* gradient) const = 0;
};

template <class T>
class L2 : public SmoothPenalty<T> {  // strength / 2 * sum w^2
 public:
  L2(const Spec& spec, const Layout& layout) : strength_(spec.number("strength")), n_(layout.n_weights) {}
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
constexpr Maker<SmoothPenalty<T>, Layout> kSmoothPenalties[] = {
    {"l2", make<L2<T>>},
};

// ---------------------------------------------------------------------------------------- 5 gradient: as a whole

template <class T>
class GradientChange {
 public:
  virtual ~GradientChange() = default;
  virtual void apply(T* gradient) const = 0;
};

// Rescales a gradient whose norm, over all parameters, is above `largest` (Pascanu, Mikolov and Bengio 2013).
template <class T>
class ClipNorm : public GradientChange<T> {
 public:
  ClipNorm(const Spec& spec, const Layout& layout) : largest_(spec.number("largest")), n_(layout.n_parameters) {}
  void apply(T* gradient) const override {
    double norm = std::sqrt(kernels<T>().sum_of_squares(gradient, n_));
    if (!std::isfinite(norm)) norm = norm_in_double(gradient);  // squares overflow in float32 long before the norm
    if (norm > largest_) kernels<T>().scale(gradient, n_, T(largest_ / norm));
  }

 private:
  double norm_in_double(const T* gradient) const {
    double sum = 0;
    for (int64_t i = 0; i < n_; ++i) sum += double(gradient[i]) * double(gradient[i]);
    return std::sqrt(sum);
  }
  double largest_;
  int64_t n_;
};

template <class T>
constexpr Maker<GradientChange<T>, Layout> kGradientChanges[] = {
    {"clip_norm", make<ClipNorm<T>>},
};

// ------------------------------------------------------------------------------------ 6 step: before the optimizer's

template <class T>
class Decay {
 public:
  virtual ~Decay() = default;
  virtual void apply(T* parameters, double rate) const = 0;
};

// w *= 1 - rate * strength (Loshchilov and Hutter 2019, in the convention of PyTorch's AdamW).
template <class T>
class WeightDecay : public Decay<T> {
 public:
  WeightDecay(const Spec& spec, const Layout& layout) : strength_(spec.number("strength")), n_(layout.n_weights) {}
  void apply(T* parameters, double rate) const override { kernels<T>().scale(parameters, n_, T(1 - rate * strength_)); }

 private:
  double strength_;
  int64_t n_;
};

template <class T>
constexpr Maker<Decay<T>, Layout> kDecays[] = {
    {"weight_decay", make<WeightDecay<T>>},
};

// -------------------------------------------------------------------------------------------------------- 7 prox

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
class Proximal {
 public:
  virtual ~Proximal() = default;
  // What it adds to the reported loss; a constraint adds nothing.
  virtual double value(const T*) const { return 0; }
  // w becomes argmin_u penalty(u) + sum_i (u_i - w_i)^2 / (2 metric_i).
  virtual void apply(T* parameters, const Metric<T>& metric) = 0;
};

// The weights of the layer that a part names.
inline Region region_of(const Spec& spec, const Layout& layout) {
  const double layer = spec.number("layer");
  if (!(layer >= 0 && layer < double(layout.layers.size()))) {
    throw std::invalid_argument(spec.name + " names a layer that is not there");
  }
  return layout.layers[size_t(layer)];
}

template <class T>
class L1 : public Proximal<T> {  // strength * sum |w|; its prox is the soft threshold
 public:
  L1(const Spec& spec, const Layout& layout) : strength_(spec.number("strength")), n_(layout.n_weights) {}
  double value(const T* parameters) const override {
    return strength_ * kernels<T>().sum_of_magnitudes(parameters, n_);
  }
  void apply(T* parameters, const Metric<T>& metric) override {
    parallel_ranges(n_, kRun, kThresholdedWeight, [&](int64_t first, int64_t end) {
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
  RowGroups(const Spec& spec, const Layout& layout)
      : strength_(spec.number("strength")),
        region_(region_of(spec, layout)),
        rates_(size_t(std::max(region_.n_rows, region_.n_columns))) {}
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
  MaxNorm(const Spec& spec, const Layout& layout)
      : largest_(T(spec.number("largest"))), region_(region_of(spec, layout)), scratch_(size_t(region_.n_columns)) {}
  void apply(T* parameters, const Metric<T>&) override {
    kernels<T>().limit_columns(parameters + region_.offset, region_.n_rows, region_.n_columns, largest_,
                               scratch_.data());
  }

 private:
  T largest_;
  Region region_;
  std::vector<T> scratch_;
};

template <class T>
constexpr Maker<Proximal<T>, Layout> kProximals[] = {
    {"l1", make<L1<T>>},
    {"row_groups", make<RowGroups<T>>},
    {"max_norm", make<MaxNorm<T>>},
};

// -------------------------------------------------------------------------------------------------- 8 trajectory

template <class T>
class Average {
 public:
  virtual ~Average() = default;
  // After each step.
  virtual void follow(const T* parameters, T* average) const = 0;
};

// average += (1 - decay) * (w - average)
template <class T>
class MovingAverage : public Average<T> {
 public:
  MovingAverage(const Spec& spec, const Layout& layout) : share_(1 - spec.number("decay")), n_(layout.n_parameters) {}
  void follow(const T* parameters, T* average) const override {
    kernels<T>().approach(average, parameters, n_, T(share_));
  }

 private:
  double share_;
  int64_t n_;
};

template <class T>
constexpr Maker<Average<T>, Layout> kAverages[] = {
    {"ema", make<MovingAverage<T>>},
};

}  // namespace skreg
