// Kinds of dropout: of units, and of weights.
//
// To add one that gives each unit a random factor: a class with draw, and its row in kModulations.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "../families.hpp"
#include "../kernels.hpp"
#include "../random.hpp"
#include "batch.hpp"

namespace skreg {

// Inverted dropout (Srivastava et al. 2014): a unit is zeroed with probability p, quantized to 1/65536, and survivors
// are scaled by the inverse of the quantized keep probability. Applied with the activation, in kernels/activations.hpp.
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
  double keep() const { return (65536 - threshold_) / 65536.0; }

 private:
  template <class T>
  T scale() const {
    return T(1 / keep());
  }

  int32_t threshold_;
  std::vector<uint16_t> bits_;
};

// Kinds of dropout that leave no unit's value as it was, nor zero: x becomes factor * (x - pivot) + base, with a random
// factor for each unit.
template <class T>
class Modulation {
 public:
  T pivot = 0, base = 0;
  virtual ~Modulation() = default;
  virtual void draw(const Batch<T>& batch, int64_t n, uint32_t stream, T* factor) = 0;
};

// Factors from a normal distribution around 1 with the variance p / (1 - p) of inverted dropout's (Srivastava et al.
// 2014, section 10).
template <class T>
class GaussianDropout : public Modulation<T> {
 public:
  explicit GaussianDropout(const Spec& spec) {
    const double p = spec.number("p");
    deviation_ = T(std::sqrt(p / (1 - p)));
  }

  void draw(const Batch<T>& batch, int64_t n, uint32_t stream, T* factor) override {
    kernels<T>().normals(batch.seed, batch.step, stream, n, T(1), deviation_, factor);
  }

 private:
  T deviation_;
};

// Dropped units take selu's limit a for very negative arguments, then all are scaled and shifted so that mean 0 and
// variance 1 stay (Klambauer et al. 2017).
template <class T>
class AlphaDropout : public Modulation<T> {
 public:
  explicit AlphaDropout(const Spec& spec) : dropout_(spec.number("p")) {
    constexpr double a = -1.0507009873554804934 * 1.6732632423543772848;
    const double q = dropout_.keep(), scale = 1 / std::sqrt(q + a * a * q * (1 - q));
    scale_ = T(scale);
    this->pivot = T(a);
    this->base = T(scale * (a - (1 - q) * a));
  }
  void draw(const Batch<T>& batch, int64_t n, uint32_t stream, T* factor) override {
    Drop<T> drop = dropout_.draw(batch, n, stream);
    drop.scale = scale_;
    std::fill_n(factor, n, T(1));
    if (drop.bits) kernels<T>().drop(factor, n, drop);
  }

 private:
  Dropout dropout_;
  T scale_;
};

template <class T>
constexpr Maker<Modulation<T>> kModulations[] = {
    {"gaussian_dropout", make<GaussianDropout<T>>},
    {"alpha_dropout", make<AlphaDropout<T>>},
};

// DropConnect (Wan et al. 2013): single weights are dropped, the same ones for all rows of a batch.
template <class T>
class DropConnect {
 public:
  DropConnect(double p, int64_t n_weights) : dropout_(p), weight_(size_t(n_weights)) {}

  // The weights that serve for this batch.
  const T* draw(const Batch<T>& batch, const T* weight, uint32_t stream) {
    drop_ = dropout_.draw(batch, int64_t(weight_.size()), stream);
    if (!drop_.bits) return weight;
    std::copy_n(weight, weight_.size(), weight_.begin());
    kernels<T>().drop(weight_.data(), int64_t(weight_.size()), drop_);
    return weight_.data();
  }
  // Of the weights that served, to that of the weights they were made of.
  void mask_gradient(T* gradient) const {
    if (drop_.bits) kernels<T>().drop(gradient, int64_t(weight_.size()), drop_);
  }

 private:
  Dropout dropout_;
  Drop<T> drop_;
  std::vector<T> weight_;
};

}  // namespace skreg
