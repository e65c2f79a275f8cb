// Penalties on the weights, the first n numbers of the parameter vector. A smooth one adds its gradient before the
// optimizer's step; one that makes exact zeros acts after it, by its proximal operator.
//
// To add one: a class below, its name in make_penalty.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "kernels.hpp"

namespace skreg {

template <class T>
class Penalty {
 public:
  virtual ~Penalty() = default;
  virtual double value(const T* w, int64_t n) const = 0;
};

template <class T>
class SmoothPenalty : public Penalty<T> {
 public:
  virtual void add_gradient(const T* w, T* gradient, int64_t n) const = 0;
};

template <class T>
class ProximalPenalty : public Penalty<T> {
 public:
  // w becomes argmin_u penalty(u) + sum_i (u_i - w_i)^2 / (2 metric_i).
  virtual void prox(T* w, const T* metric, int64_t n) const = 0;
};

template <class T>
class L2 : public SmoothPenalty<T> {  // strength / 2 * sum w^2
 public:
  explicit L2(double strength) : strength_(strength) {}
  double value(const T* w, int64_t n) const override { return 0.5 * strength_ * kernels<T>().sum_of_squares(w, n); }
  void add_gradient(const T* w, T* gradient, int64_t n) const override {
    kernels<T>().add_scaled(gradient, w, n, T(strength_));
  }

 private:
  double strength_;
};

template <class T>
class L1 : public ProximalPenalty<T> {  // strength * sum |w|; its prox is the soft threshold
 public:
  explicit L1(double strength) : strength_(strength) {}
  double value(const T* w, int64_t n) const override { return strength_ * kernels<T>().sum_of_magnitudes(w, n); }
  void prox(T* w, const T* metric, int64_t n) const override {
    kernels<T>().soft_threshold(w, metric, n, T(strength_));
  }

 private:
  double strength_;
};

template <class T>
std::unique_ptr<Penalty<T>> make_penalty(const std::string& name, double strength) {
  if (name == "l2") return std::make_unique<L2<T>>(strength);
  if (name == "l1") return std::make_unique<L1<T>>(strength);
  throw std::invalid_argument("unknown penalty: " + name);
}

}  // namespace skreg
