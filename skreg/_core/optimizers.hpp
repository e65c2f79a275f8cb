// Optimizers: one pass over parameters, gradient and moments, which are flat vectors of the same layout and belong
// to the caller.
//
// To add one: a class with step and metric, and its row in kOptimizers.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "families.hpp"
#include "kernels.hpp"

namespace skreg {

// The vectors of moments that it keeps, and where sgd keeps its reach.
template <class T>
struct Moments {
  std::vector<T*> vectors;
  double* reach;
};

template <class T>
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // t counts steps from 1.
  virtual void step(T* w, const T* gradient, int64_t n, double rate, int64_t t) = 0;
  // For parameters begin to begin + n the rate with which a proximal step must follow, so that the fixed point of
  // both is the minimiser: how far w moves in the long run for a constant gradient of 1.
  virtual void metric(int64_t begin, int64_t n, double rate, int64_t t, T* out) const = 0;
};

// v = momentum * v - rate * g, w += v (Nesterov: w += momentum * v - rate * g).
template <class T>
class SGD : public Optimizer<T> {
 public:
  SGD(const Spec& spec, const Moments<T>& moments)
      : momentum_(spec.number("momentum")),
        nesterov_(spec.number("nesterov") != 0),
        velocity_(moments.vectors[0]),
        reach_(moments.reach) {}

  void step(T* w, const T* gradient, int64_t n, double rate, int64_t) override {
    *reach_ = *reach_ > 0 ? momentum_ * *reach_ + rate : rate / (1 - momentum_);
    kernels<T>().sgd(w, velocity_, gradient, n, T(rate), T(momentum_), nesterov_);
  }
  // rate / (1 - momentum) for a constant rate. When the rate changes, the velocity still holds gradients with the rates
  // of the past, and so does the threshold; else it would be too small to hold a zero while the rate falls.
  void metric(int64_t, int64_t n, double rate, int64_t, T* out) const override {
    std::fill(out, out + n, T(nesterov_ ? momentum_ * *reach_ + rate : *reach_));
  }

 private:
  double momentum_;
  bool nesterov_;
  T* velocity_;
  double* reach_;  // how far a gradient of 1 in every step so far moves w now; 0 before the first step
};

// Kingma and Ba (2015), section 2, last paragraph: the bias corrections are folded into the rate.
template <class T>
class Adam : public Optimizer<T> {
 public:
  Adam(const Spec& spec, const Moments<T>& moments)
      : beta_1_(spec.number("beta_1")),
        beta_2_(spec.number("beta_2")),
        epsilon_(spec.number("epsilon")),
        m_(moments.vectors[0]),
        v_(moments.vectors[1]) {}

  void step(T* w, const T* gradient, int64_t n, double rate, int64_t t) override {
    const double corrected = second_corrected(rate, t) / (1 - std::pow(beta_1_, double(t)));
    // 1 - beta is taken in double: in float32 it would lose the digits that make a beta near 1.
    kernels<T>().adam(w, m_, v_, gradient, n, T(corrected), T(beta_1_), T(1 - beta_1_), T(beta_2_), T(1 - beta_2_),
                      T(epsilon_));
  }
  // Without the correction of m: for a constant gradient it cancels against m itself.
  void metric(int64_t begin, int64_t n, double rate, int64_t t, T* out) const override {
    kernels<T>().adam_metric(v_ + begin, n, T(second_corrected(rate, t)), T(epsilon_), out);
  }

 private:
  double second_corrected(double rate, int64_t t) const { return rate * std::sqrt(1 - std::pow(beta_2_, double(t))); }
  double beta_1_, beta_2_, epsilon_;
  T *m_, *v_;
};

template <class T>
struct OptimizerMaker {
  const char* name;
  size_t n_moments;  // how many vectors of them it keeps
  std::unique_ptr<Optimizer<T>> (*make)(const Spec&, const Moments<T>&);
};

template <class T>
constexpr OptimizerMaker<T> kOptimizers[] = {
    {"sgd", 1, make<SGD<T>>},
    {"adam", 2, make<Adam<T>>},
};

template <class T>
const OptimizerMaker<T>& find_optimizer(const std::string& name) {
  const auto* row = find_row(kOptimizers<T>, name);
  if (!row) throw std::invalid_argument("unknown optimizer: " + name);
  return *row;
}

template <class T>
std::unique_ptr<Optimizer<T>> make_optimizer(const Spec& spec, const Moments<T>& moments) {
  const OptimizerMaker<T>& row = find_optimizer<T>(spec.name);
  if (moments.vectors.size() < row.n_moments) throw std::invalid_argument(spec.name + " needs more vectors of moments");
  return row.make(spec, moments);
}

}  // namespace skreg
