// Losses: value and gradient on raw outputs z, with the link inside, so that nothing overflows on the way.
//
// To add one: a class with value_and_gradient, and its row in kLosses. loss_i sums over the outputs.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "families.hpp"
#include "kernels.hpp"

namespace skreg {

template <class T>
class Loss {
 public:
  virtual ~Loss() = default;
  // sum_i share_i loss_i; writes the gradient with respect to z into batch.delta where that is given.
  virtual double value_and_gradient(const LossBatch<T>& batch) const = 0;
  // Whether targets are indices of classes instead of numbers, one for each output.
  virtual bool wants_labels() const { return false; }
};

template <class T>
class SquaredError : public Loss<T> {  // 1/2 (z - y)^2
 public:
  double value_and_gradient(const LossBatch<T>& batch) const override { return kernels<T>().squared_error(batch); }
};

template <class T>
class AbsoluteError : public Loss<T> {  // |z - y|
 public:
  double value_and_gradient(const LossBatch<T>& batch) const override { return kernels<T>().absolute_error(batch); }
};

template <class T>
class Huber : public Loss<T> {  // 1/2 d^2 up to the threshold c, beyond it c (|d| - c / 2), d = z - y
 public:
  explicit Huber(const Spec& spec) : threshold_(T(spec.number("threshold"))) {}
  double value_and_gradient(const LossBatch<T>& batch) const override { return kernels<T>().huber(batch, threshold_); }

 private:
  T threshold_;
};

template <class T>
class Quantile : public Loss<T> {  // level max(y - z, 0) + (1 - level) max(z - y, 0), one level an output
 public:
  explicit Quantile(const Spec& spec) {
    for (double level : spec.numbers("levels")) levels_.push_back(T(level));
  }
  double value_and_gradient(const LossBatch<T>& batch) const override {
    if (int64_t(levels_.size()) != batch.n_outputs)
      throw std::invalid_argument("one quantile is needed for each output");
    return kernels<T>().quantile(batch, levels_.data());
  }

 private:
  std::vector<T> levels_;
};

template <class T>
class Poisson : public Loss<T> {  // y log(y / mu) - y + mu, mu = exp(z)
 public:
  double value_and_gradient(const LossBatch<T>& batch) const override { return kernels<T>().poisson(batch); }
};

// The log losses: the gradient is that of smoothed labels (Szegedy et al. 2016), the value that of the labels given.
template <class T>
class BinaryLogLoss : public Loss<T> {  // log(1 + exp(z)) - y z, one or several labels
 public:
  explicit BinaryLogLoss(const Spec& spec) : smoothing_(T(spec.number("smoothing"))) {}
  double value_and_gradient(const LossBatch<T>& batch) const override {
    return kernels<T>().binary_log_loss(batch, smoothing_);
  }

 private:
  T smoothing_;
};

template <class T>
class SoftmaxLogLoss : public Loss<T> {  // log sum_k exp(z_k) - z_y, y the index of the class
 public:
  explicit SoftmaxLogLoss(const Spec& spec) : smoothing_(T(spec.number("smoothing"))) {}
  double value_and_gradient(const LossBatch<T>& batch) const override {
    return kernels<T>().softmax_log_loss(batch, smoothing_);
  }
  bool wants_labels() const override { return true; }

 private:
  T smoothing_;
};

template <class T>
constexpr Maker<Loss<T>> kLosses[] = {
    {"squared_error", make<SquaredError<T>>},
    {"absolute_error", make<AbsoluteError<T>>},
    {"huber", make<Huber<T>>},
    {"quantile", make<Quantile<T>>},
    {"poisson", make<Poisson<T>>},
    {"binary_log_loss", make<BinaryLogLoss<T>>},
    {"softmax_log_loss", make<SoftmaxLogLoss<T>>},
};

template <class T>
std::unique_ptr<Loss<T>> make_loss(const Spec& spec) {
  auto loss = make_if_known(kLosses<T>, spec);
  if (!loss) throw std::invalid_argument("unknown loss: " + spec.name);
  return loss;
}

// What turns raw outputs into predictions, in place.
template <class T>
void apply_link(const std::string& name, T* z, int64_t n_rows, int64_t n_outputs) {
  const Kernels<T>& k = kernels<T>();
  if (name == "identity") return;
  if (name == "exp") return k.to_exponential(z, n_rows * n_outputs);
  if (name == "logistic") return k.to_logistic(z, n_rows * n_outputs);
  if (name == "softmax") return k.to_softmax(z, n_rows, n_outputs);
  throw std::invalid_argument("unknown output activation: " + name);
}

}  // namespace skreg
