// Places 2 to 4 of a step (epoch.hpp): the loss of a batch and its gradient, from one pass through them or several.
//
// To add a rule: a class with loss_and_gradient, and its row in kGradientRules.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "data.hpp"
#include "families.hpp"
#include "losses.hpp"
#include "network.hpp"

namespace skreg {

// One pass, of the rows as they stand in the buffer.
template <class T>
struct Pass {
  Network<T>& network;
  const Loss<T>& loss;
  BatchBuffer<T>& rows;

  // Returns the loss, of which `factor` times the gradient is written.
  double run(const Batch<T>& batch, double factor = 1, T* input_gradient = nullptr) const {
    // 2 layers
    const T* z = network.forward(rows.input(), batch);
    // 3 targets and loss
    T* delta = network.output_delta();
    const double value = loss.value_and_gradient(rows.loss_batch(z, network.n_outputs(), delta));
    if (factor != 1) kernels<T>().scale(delta, batch.n_rows * network.n_outputs(), T(factor));
    // 4 backward
    network.backward(rows.input(), batch, input_gradient);
    return value;
  }
};

template <class T>
class GradientRule {
 public:
  virtual ~GradientRule() = default;
  virtual double loss_and_gradient(const Pass<T>& pass, const Batch<T>& batch, const ColumnStatistics<T>& columns) = 0;
  virtual bool changes_rows() const { return false; }
};

// The gradient of the batch: what there is without a rule by name.
template <class T>
class PlainGradient : public GradientRule<T> {
 public:
  double loss_and_gradient(const Pass<T>& pass, const Batch<T>& batch, const ColumnStatistics<T>&) override {
    return pass.run(batch);
  }
};

// Half of the loss at the rows, half at rows moved against it, under the same masks (Goodfellow, Shlens and Szegedy
// 2015).
template <class T>
class AdversarialGradient : public GradientRule<T> {
 public:
  explicit AdversarialGradient(const Spec& spec) : epsilon_(spec.number("epsilon")) {}
  bool changes_rows() const override { return true; }

  double loss_and_gradient(const Pass<T>& pass, const Batch<T>& batch, const ColumnStatistics<T>& columns) override {
    Network<T>& network = pass.network;
    input_gradient_.resize(std::max(input_gradient_.size(), size_t(batch.n_rows * network.input_width())));
    const double clean = pass.run(batch, 0.5, input_gradient_.data());
    pass.rows.attack(input_gradient_.data(), epsilon_, columns.deviation, network.input_dropout(), batch);
    Batch<T> second = batch;
    second.accumulate = second.keep_statistics = true;
    return 0.5 * clean + 0.5 * pass.run(second, 0.5);
  }

 private:
  double epsilon_;
  std::vector<T> input_gradient_;
};

template <class T>
constexpr Maker<GradientRule<T>> kGradientRules[] = {
    {"adversarial", make<AdversarialGradient<T>>},
};

}  // namespace skreg
