// What changes the rows of a batch before the network sees them: noise, and mixtures of rows. Partners are rows of the
// same batch, drawn with probability in proportion to their weight, so that a weight of 2 is a row that comes twice and
// a weight of 0 one that does not exist.
//
// To add one: a class with apply, and its row in kRowChanges.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <vector>

#include "families.hpp"
#include "layers/dropout.hpp"

namespace skreg {

// Of the training rows, by column.
template <class T>
struct ColumnStatistics {
  const T* mean = nullptr;       // of the features
  const T* deviation = nullptr;  // of the features
  const T* target_deviation = nullptr;
};

// The rows of a batch with all of their zeros, to be changed in place. Labels stand here as one target a class.
template <class T>
struct BatchRows {
  int64_t n_rows = 0, n_features = 0, n_targets = 0;
  T* x = nullptr;       // (n_rows, n_features)
  T* target = nullptr;  // (n_rows, n_targets)
  const T* share = nullptr;
  bool weighted = false;
};

template <class T>
class RowChange {
 public:
  virtual ~RowChange() = default;
  virtual void apply(const BatchRows<T>& rows, const Batch<T>& batch, const ColumnStatistics<T>& columns) = 0;
  virtual bool mixes_targets() const { return false; }
};

// Uniform numbers in (0, 1), n of them, in a buffer that only grows.
template <class T>
const T* draw_uniforms(const Batch<T>& batch, uint32_t stream, int64_t n, std::vector<T>& buffer) {
  buffer.resize(std::max(buffer.size(), size_t(n)));
  kernels<T>().uniforms(batch.seed, batch.step, stream, n, buffer.data());
  return buffer.data();
}

// Turns uniform numbers into rows.
template <class T>
class Partners {
 public:
  void prepare(const BatchRows<T>& rows) {
    n_ = rows.n_rows;
    weighted_ = rows.weighted;
    if (!weighted_) return;
    cumulative_.resize(size_t(n_));
    double sum = 0;
    for (int64_t i = 0; i < n_; ++i) {
      cumulative_[i] = sum += double(rows.share[i]);
      if (rows.share[i] > 0) last_ = i;
    }
    guide_.resize(size_t(n_));
    for (int64_t k = 0, i = 0; k < n_; ++k) {
      while (i < last_ && cumulative_[i] <= sum * (double(k) / double(n_))) ++i;
      guide_[k] = i;
    }
  }
  // The first row whose cumulative weight is above the share u of their sum, sought from where the guide table
  // (Chen and Asau 1974) says.
  int64_t pick(double u) const {
    const int64_t k = std::min(int64_t(u * double(n_)), n_ - 1);
    if (!weighted_) return k;
    int64_t i = guide_[k];
    while (i < last_ && cumulative_[i] <= u * cumulative_[n_ - 1]) ++i;
    return i;
  }

 private:
  int64_t n_ = 0, last_ = 0;
  bool weighted_ = false;
  std::vector<double> cumulative_;
  std::vector<int64_t> guide_;
};

// y = b + share * (a - b): exactly a where both are equal.
template <class T>
void interpolate(const T* a, const T* b, T share, int64_t n, T* y) {
  for (int64_t j = 0; j < n; ++j) y[j] = b[j] + share * (a[j] - b[j]);
}

// A copy of x and targets as they were, to take values from.
template <class T>
class Original {
 public:
  void copy(const BatchRows<T>& rows) {
    x_.assign(rows.x, rows.x + rows.n_rows * rows.n_features);
    target_.assign(rows.target, rows.target + rows.n_rows * rows.n_targets);
    n_features_ = rows.n_features;
    n_targets_ = rows.n_targets;
  }
  const T* x(int64_t row) const { return x_.data() + row * n_features_; }
  const T* target(int64_t row) const { return target_.data() + row * n_targets_; }

 private:
  std::vector<T> x_, target_;
  int64_t n_features_ = 0, n_targets_ = 0;
};

// Each value is replaced with probability p by that of another row (Vincent et al. 2010 for one kind of corruption,
// Bahri et al. 2022 for tables).
template <class T>
class SwapNoise : public RowChange<T> {
 public:
  explicit SwapNoise(const Spec& spec) : p_(T(spec.number("p"))) {}
  void apply(const BatchRows<T>& rows, const Batch<T>& batch, const ColumnStatistics<T>&) override {
    const int64_t n = rows.n_rows * rows.n_features;
    const T* u = draw_uniforms(batch, stream_of(kSwapNoise, 0), n, uniform_);
    partners_.prepare(rows);
    original_.copy(rows);
    for (int64_t i = 0; i < rows.n_rows; ++i) {
      for (int64_t j = 0; j < rows.n_features; ++j, ++u) {
        // Given u < p, u / p is uniform again.
        if (*u < p_) rows.x[i * rows.n_features + j] = original_.x(partners_.pick(double(*u / p_)))[j];
      }
    }
  }

 private:
  T p_;
  std::vector<T> uniform_;
  Partners<T> partners_;
  Original<T> original_;
};

// x = w x_i + (1 - w) x_j and the same for targets, w from Beta(a, a) for each row (Zhang et al. 2018). With a
// bandwidth h partners are other rows, with probability in proportion to exp(-d^2 / (2 h^2)), d being the distance of
// the targets in standard deviations (C-Mixup, Yao et al. 2022).
template <class T>
class MixUp : public RowChange<T> {
 public:
  explicit MixUp(const Spec& spec)
      : a_(spec.number("concentration")), bandwidth_(spec.has("bandwidth") ? spec.number("bandwidth") : 0) {}
  bool mixes_targets() const override { return true; }

  void apply(const BatchRows<T>& rows, const Batch<T>& batch, const ColumnStatistics<T>& columns) override {
    const T* u = draw_uniforms(batch, stream_of(kMixUp, 0), rows.n_rows, partner_);
    const T* radius = draw_uniforms(batch, stream_of(kMixUp, 1), rows.n_rows, radius_);
    const T* angle = draw_uniforms(batch, stream_of(kMixUp, 2), rows.n_rows, angle_);
    partners_.prepare(rows);
    original_.copy(rows);
    if (bandwidth_ > 0) scale_targets(rows, columns);
    for (int64_t i = 0; i < rows.n_rows; ++i) {
      const int64_t j = bandwidth_ > 0 ? close_partner(rows, i, double(u[i])) : partners_.pick(double(u[i]));
      const T share = T(symmetric_beta(double(radius[i]), double(angle[i])));
      interpolate(original_.x(i), original_.x(j), share, rows.n_features, rows.x + i * rows.n_features);
      interpolate(original_.target(i), original_.target(j), share, rows.n_targets, rows.target + i * rows.n_targets);
    }
  }

 private:
  static constexpr int64_t kCandidates = 1024;  // bounds what one row costs in very large batches
  static constexpr int64_t kBlock = 64;

  // Beta(a, a) from two uniform numbers: t = cos(2 pi v) sqrt(2 a (u^(-1/a) - 1)) has Student's distribution with 2 a
  // degrees of freedom (Bailey 1994), and (1 + t / sqrt(2 a + t^2)) / 2 the one wanted (Devroye 1996).
  double symmetric_beta(double u, double v) const {
    const double c = std::cos(6.283185307179586 * v), r = c * c * (std::pow(u, -1 / a_) - 1);
    return 0.5 + std::copysign(0.5 * std::sqrt(r < 1e300 ? r / (1 + r) : 1.0), c);
  }

  // One row of numbers for each target, in units of the bandwidth.
  void scale_targets(const BatchRows<T>& rows, const ColumnStatistics<T>& columns) {
    scaled_.resize(std::max(scaled_.size(), size_t(rows.n_rows * rows.n_targets)));
    for (int64_t k = 0; k < rows.n_targets; ++k) {
      const T unit = columns.target_deviation[k] * T(bandwidth_);
      T* scaled = scaled_.data() + k * rows.n_rows;
      for (int64_t i = 0; i < rows.n_rows; ++i)
        scaled[i] = unit > 0 ? rows.target[i * rows.n_targets + k] / unit : T(0);
    }
  }

  // Another row of i's run; the batch is cut into runs of equal length, at most kCandidates. The row itself where all
  // others are too far away.
  int64_t close_partner(const BatchRows<T>& rows, int64_t i, double u) {
    const int64_t n_runs = (rows.n_rows + kCandidates - 1) / kCandidates, length = (rows.n_rows + n_runs - 1) / n_runs;
    const int64_t first = i / length * length, n = std::min(length, rows.n_rows - first);
    find_closeness(rows, i, first, n);
    for (int64_t b = 0; b * kBlock < n; ++b) {
      sum_[b] = kernels<T>().sum_of_magnitudes(closeness_.data() + b * kBlock, std::min(kBlock, n - b * kBlock));
    }
    const int64_t n_blocks = (n + kBlock - 1) / kBlock;
    double left = u * std::accumulate(sum_, sum_ + n_blocks, 0.0);
    int64_t at = 0, partner = i;
    while (at + 1 < n_blocks && left >= sum_[at]) left -= sum_[at++];
    for (int64_t j = at * kBlock; j < std::min(n, (at + 1) * kBlock); ++j) {
      if (closeness_[j] > 0) partner = first + j;
      left -= double(closeness_[j]);
      if (left < 0) break;
    }
    return partner;
  }

  // exp(-d^2 / 2) times the weight, for each row of the run; 0 for i.
  void find_closeness(const BatchRows<T>& rows, int64_t i, int64_t first, int64_t n) {
    closeness_.assign(size_t(n), T(0));
    for (int64_t k = 0; k < rows.n_targets; ++k) {
      const T* scaled = scaled_.data() + k * rows.n_rows;
      for (int64_t j = 0; j < n; ++j) {
        const T d = scaled[i] - scaled[first + j];
        closeness_[j] -= T(0.5) * d * d;
      }
    }
    kernels<T>().to_exponential(closeness_.data(), n);
    for (int64_t j = 0; rows.weighted && j < n; ++j) closeness_[j] *= rows.share[first + j];
    closeness_[i - first] = 0;
  }

  double a_, bandwidth_;
  std::vector<T> partner_, radius_, angle_, scaled_, closeness_;
  double sum_[kCandidates / kBlock];
  Partners<T> partners_;
  Original<T> original_;
};

// Each column of a row is taken from its partner with probability p; the target mixes by the share that was taken (Yun
// et al. 2019, for the columns of a table).
template <class T>
class CutMix : public RowChange<T> {
 public:
  explicit CutMix(const Spec& spec) : cut_(spec.number("p")) {}
  bool mixes_targets() const override { return true; }

  void apply(const BatchRows<T>& rows, const Batch<T>& batch, const ColumnStatistics<T>&) override {
    const T* u = draw_uniforms(batch, stream_of(kCutMix, 0), rows.n_rows, partner_);
    const Drop<T> cut = cut_.draw(batch, rows.n_rows * rows.n_features, stream_of(kCutMix, 1));
    if (!cut.bits) return;
    partners_.prepare(rows);
    original_.copy(rows);
    for (int64_t i = 0; i < rows.n_rows; ++i) {
      const int64_t j = partners_.pick(double(u[i]));
      const int64_t n_cut = take(cut, i, original_.x(j), rows);
      const T kept = T(1) - T(n_cut) / T(rows.n_features);
      interpolate(original_.target(i), original_.target(j), kept, rows.n_targets, rows.target + i * rows.n_targets);
    }
  }

 private:
  static int64_t take(const Drop<T>& cut, int64_t i, const T* other, const BatchRows<T>& rows) {
    const uint16_t* bits = cut.bits + i * rows.n_features;
    T* x = rows.x + i * rows.n_features;
    int64_t n_cut = 0;
    for (int64_t j = 0; j < rows.n_features; ++j) {
      const bool is_cut = bits[j] < cut.threshold;
      x[j] = is_cut ? other[j] : x[j];
      n_cut += is_cut;
    }
    return n_cut;
  }

  Dropout cut_;
  std::vector<T> partner_;
  Partners<T> partners_;
  Original<T> original_;
};

// Each value is set to the mean of its feature with probability p (DeVries and Taylor 2017, for the columns of a
// table).
template <class T>
class CutOut : public RowChange<T> {
 public:
  explicit CutOut(const Spec& spec) : cut_(spec.number("p")) {}
  void apply(const BatchRows<T>& rows, const Batch<T>& batch, const ColumnStatistics<T>& columns) override {
    const Drop<T> cut = cut_.draw(batch, rows.n_rows * rows.n_features, stream_of(kCutOut, 0));
    if (!cut.bits) return;
    T* x = rows.x;
    const uint16_t* bits = cut.bits;
    for (int64_t i = 0; i < rows.n_rows; ++i, x += rows.n_features, bits += rows.n_features) {
      for (int64_t j = 0; j < rows.n_features; ++j) x[j] = bits[j] < cut.threshold ? columns.mean[j] : x[j];
    }
  }

 private:
  Dropout cut_;
};

// x += s * deviation * standard normal (Bishop 1995).
template <class T>
class InputNoise : public RowChange<T> {
 public:
  explicit InputNoise(const Spec& spec) : size_(T(spec.number("size"))) {}
  void apply(const BatchRows<T>& rows, const Batch<T>& batch, const ColumnStatistics<T>& columns) override {
    const int64_t n = rows.n_rows * rows.n_features;
    noise_.resize(std::max(noise_.size(), size_t(n)));
    kernels<T>().normals(batch.seed, batch.step, stream_of(kInputNoise, 0), n, T(0), T(1), noise_.data());
    const T* z = noise_.data();
    T* x = rows.x;
    for (int64_t i = 0; i < rows.n_rows; ++i, x += rows.n_features, z += rows.n_features) {
      for (int64_t j = 0; j < rows.n_features; ++j) x[j] += size_ * columns.deviation[j] * z[j];
    }
  }

 private:
  T size_;
  std::vector<T> noise_;
};

template <class T>
constexpr Maker<RowChange<T>> kRowChanges[] = {
    {"swap_noise", make<SwapNoise<T>>},    //
    {"mixup", make<MixUp<T>>},             //
    {"cutmix", make<CutMix<T>>},           //
    {"cutout", make<CutOut<T>>},           //
    {"input_noise", make<InputNoise<T>>},  //
};

}  // namespace skreg
