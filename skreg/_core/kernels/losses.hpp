// Hot loops of losses with their gradients, and of output activations.
//
// Included by kernels.cpp alone, inside the namespace named after the instruction set.
#pragma once

#include <cmath>

#include "../kernels.hpp"
#include "../simd.hpp"
#include "passes.hpp"

namespace skreg {
namespace SKREG_ISA {

// share * x, and exactly 0 for rows without weight, whatever x is there.
template <class T>
inline Vec<T> weighted(Vec<T> share, Vec<T> x) {
  return share == T(0) ? Vec<T>{} : share * x;
}

// Visits all outputs in vectors: along the rows for a single output, along the outputs otherwise.
template <class T, class Body>
inline void for_outputs(const LossBatch<T>& b, Body body) {
  if (b.n_outputs == 1) {
    for_vectors<T>(b.n_rows, [&](int64_t i, int64_t n) { body(i, n, read(b.share + i, n)); });
    return;
  }
  for (int64_t i = 0; i < b.n_rows; ++i) {
    for_vectors<T>(b.n_outputs, [&](int64_t j, int64_t n) { body(i * b.n_outputs + j, n, splat(b.share[i])); });
  }
}

template <class T>
double squared_error(const LossBatch<T>& b) {
  Sum<T> loss;
  for_outputs(b, [&](int64_t at, int64_t n, Vec<T> share) {
    const Vec<T> d = read(b.z + at, n) - read(b.target + at, n);
    loss.add(weighted<T>(share, T(0.5) * d * d));
    if (b.delta) write(b.delta + at, weighted<T>(share, d), n);
  });
  return loss.value();
}

template <class T>
double absolute_error(const LossBatch<T>& b) {
  Sum<T> loss;
  for_outputs(b, [&](int64_t at, int64_t n, Vec<T> share) {
    const Vec<T> d = read(b.z + at, n) - read(b.target + at, n);
    loss.add(weighted<T>(share, absolute<T>(d)));
    const Vec<T> sign = d > T(0) ? splat(T(1)) : (d < T(0) ? splat(T(-1)) : d);
    if (b.delta) write(b.delta + at, weighted<T>(share, sign), n);
  });
  return loss.value();
}

template <class T>
double huber(const LossBatch<T>& b, T c) {
  Sum<T> loss;
  for_outputs(b, [&](int64_t at, int64_t n, Vec<T> share) {
    const Vec<T> d = read(b.z + at, n) - read(b.target + at, n), a = absolute<T>(d);
    loss.add(weighted<T>(share, a > c ? c * (a - T(0.5) * c) : T(0.5) * d * d));
    const Vec<T> clipped = d > c ? splat(c) : (d < -c ? splat(-c) : d);
    if (b.delta) write(b.delta + at, weighted<T>(share, clipped), n);
  });
  return loss.value();
}

// level * max(y - z, 0) + (1 - level) * max(z - y, 0).
template <class T>
double quantile(const LossBatch<T>& b, const T* levels) {
  Sum<T> loss;
  for_outputs(b, [&](int64_t at, int64_t n, Vec<T> share) {
    const Vec<T> d = read(b.z + at, n) - read(b.target + at, n);
    const Vec<T> level = b.n_outputs == 1 ? splat(levels[0]) : read(levels + at % b.n_outputs, n);
    const Vec<T> slope = d > T(0) ? T(1) - level : (d < T(0) ? -level : d);  // NaN stays NaN
    loss.add(weighted<T>(share, slope * d));
    if (b.delta) write(b.delta + at, weighted<T>(share, slope), n);
  });
  return loss.value();
}

// Half of the Poisson deviance, y log(y / mu) - y + mu with mu = exp(z).
template <class T>
double poisson(const LossBatch<T>& b) {
  Sum<T> loss;
  for_outputs(b, [&](int64_t at, int64_t n, Vec<T> share) {
    const Vec<T> z = read(b.z + at, n), y = read(b.target + at, n), mu = exponential<T>(z);
    Vec<T> constant{};
    for (int64_t i = 0; i < n; ++i) constant[i] = y[i] > 0 ? y[i] * (std::log(y[i]) - T(1)) : T(0);
    loss.add(first_lanes_only<T>(weighted<T>(share, mu - y * z + constant), n));
    if (b.delta) write(b.delta + at, weighted<T>(share, mu - y), n);
  });
  return loss.value();
}

template <class T>
double binary_log_loss(const LossBatch<T>& b, T smoothing) {
  Sum<T> loss;
  for_outputs(b, [&](int64_t at, int64_t n, Vec<T> share) {
    const Vec<T> z = read(b.z + at, n), y = read(b.target + at, n);
    loss.add(first_lanes_only<T>(weighted<T>(share, softplus<T>(z) - y * z), n));
    const Vec<T> soft = y + smoothing * (T(0.5) - y);
    if (b.delta) write(b.delta + at, weighted<T>(share, logistic<T>(z) - soft), n);
  });
  return loss.value();
}

template <class T>
inline T largest(const T* z, int64_t count) {
  Vec<T> m = splat(z[0]);
  for_vectors<T>(count, [&](int64_t j, int64_t n) {
    const Vec<T> x = n == kLanes<T> ? load(z + j) : first_lanes_of<T>(load_part(z + j, n), n, z[0]);
    m = x <= m ? m : x;  // a NaN stays
  });
  return largest_lane<T>(m);
}

// out = exp(z - largest), returns the sum.
template <class T>
inline T shifted_exponentials(const T* z, int64_t count, T shift, T* out) {
  Vec<T> s{};
  for_vectors<T>(count, [&](int64_t j, int64_t n) {
    const Vec<T> e = first_lanes_only<T>(exponential<T>(read(z + j, n) - shift), n);
    s += e;
    if (out) write(out + j, e, n);
  });
  return sum_lanes<T>(s);
}

// delta -= factor * (the row's target, a probability for each class); returns the mean of z under it.
template <class T>
inline T subtract_target(const LossBatch<T>& b, int64_t row, const T* z, T factor, T* delta) {
  if (!b.target) {
    if (delta) delta[b.label[row]] -= factor;
    return z[b.label[row]];
  }
  const T* target = b.target + row * b.n_outputs;
  Vec<T> mean{};
  for_vectors<T>(b.n_outputs, [&](int64_t j, int64_t n) {
    const Vec<T> t = read(target + j, n);
    mean += t * read(z + j, n);
    if (delta) write(delta + j, read(delta + j, n) - factor * t, n);
  });
  return sum_lanes<T>(mean);
}

template <class T>
double softmax_log_loss(const LossBatch<T>& b, T smoothing) {
  double loss = 0;
  for (int64_t i = 0; i < b.n_rows; ++i) {
    const T* z = b.z + i * b.n_outputs;
    T* delta = b.delta ? b.delta + i * b.n_outputs : nullptr;
    const T share = b.share[i], top = largest(z, b.n_outputs);
    const T total = shifted_exponentials(z, b.n_outputs, top, delta);
    if (delta) {
      const T factor = share / total, spread = share * (smoothing / T(b.n_outputs));
      for_vectors<T>(b.n_outputs, [&](int64_t j, int64_t n) {
        write(delta + j, share == T(0) ? Vec<T>{} : read(delta + j, n) * factor - spread, n);
      });
    }
    const T expected = subtract_target(b, i, z, share * (T(1) - smoothing), delta);
    if (share != 0) loss += double(share) * (std::log(total) - (expected - top));
  }
  return loss;
}

template <class T>
void to_exponential(T* z, int64_t count) {
  for_vectors<T>(count, [&](int64_t i, int64_t n) { write(z + i, exponential<T>(read(z + i, n)), n); });
}

template <class T>
void to_logistic(T* z, int64_t count) {
  for_vectors<T>(count, [&](int64_t i, int64_t n) { write(z + i, logistic<T>(read(z + i, n)), n); });
}

template <class T>
void to_softmax(T* z, int64_t n_rows, int64_t n_columns) {
  for (int64_t i = 0; i < n_rows; ++i, z += n_columns) {
    const T total = shifted_exponentials(z, n_columns, largest(z, n_columns), z);
    for (int64_t j = 0; j < n_columns; ++j) z[j] /= total;
  }
}

}  // namespace SKREG_ISA
}  // namespace skreg
