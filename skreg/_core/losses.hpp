// Losses: value and gradient on raw outputs z, with the link inside, so that nothing overflows on the way.
//
// To add one: a class with value_and_gradient, its name in make_loss. loss_i sums over the outputs.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

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
class Poisson : public Loss<T> {  // y log(y / mu) - y + mu, mu = exp(z)
 public:
  double value_and_gradient(const LossBatch<T>& batch) const override { return kernels<T>().poisson(batch); }
};

template <class T>
class BinaryLogLoss : public Loss<T> {  // log(1 + exp(z)) - y z, one or several labels
 public:
  double value_and_gradient(const LossBatch<T>& batch) const override { return kernels<T>().binary_log_loss(batch); }
};

template <class T>
class SoftmaxLogLoss : public Loss<T> {  // log sum_k exp(z_k) - z_y, y the index of the class
 public:
  double value_and_gradient(const LossBatch<T>& batch) const override { return kernels<T>().softmax_log_loss(batch); }
  bool wants_labels() const override { return true; }
};

template <class T>
std::unique_ptr<Loss<T>> make_loss(const std::string& name) {
  if (name == "squared_error") return std::make_unique<SquaredError<T>>();
  if (name == "poisson") return std::make_unique<Poisson<T>>();
  if (name == "binary_log_loss") return std::make_unique<BinaryLogLoss<T>>();
  if (name == "softmax_log_loss") return std::make_unique<SoftmaxLogLoss<T>>();
  throw std::invalid_argument("unknown loss: " + name);
}

// What turns raw outputs into predictions, in place.
template <class T>
void apply_link(const std::string& name, T* z, int64_t n_rows, int64_t n_outputs) {
  const Kernels<T>& k = kernels<T>();
  if (name == "identity") return;
  if (name == "exp") return k.exponential(z, n_rows * n_outputs);
  if (name == "logistic") return k.logistic(z, n_rows * n_outputs);
  if (name == "softmax") return k.softmax(z, n_rows, n_outputs);
  throw std::invalid_argument("unknown output activation: " + name);
}

}  // namespace skreg
