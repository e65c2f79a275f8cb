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

constexpr int64_t kFewClasses = 32;

// Softmax of up to kLanes rows of few classes, a row in each lane: exp(z - top) by classes, and its sum.
template <class T>
struct FewClasses {
  Vec<T> top, total{};
  T exponential_of[kFewClasses * kLanes<T>];

  FewClasses(const T* z, int64_t n_rows, int64_t n_classes) {
    T* e = exponential_of;
    for (int64_t i = 0; i < kLanes<T>; ++i) {
      const T* row = z + (i < n_rows ? i : 0) * n_classes;
      for (int64_t j = 0; j < n_classes; ++j) e[j * kLanes<T> + i] = row[j];
    }
    top = load(e);
    for (int64_t j = 1; j < n_classes; ++j) {
      const Vec<T> x = load(e + j * kLanes<T>);
      top = x <= top ? top : x;  // a NaN stays, or makes the sum one
    }
    for (int64_t j = 0; j < n_classes; ++j) {
      const Vec<T> x = exponential<T>(load(e + j * kLanes<T>) - top);
      total += x;
      store(e + j * kLanes<T>, x);
    }
  }

  // out = factor * exp(z - top) - spread, and 0 where factor is.
  void write_rows(Vec<T> factor, Vec<T> spread, int64_t n_rows, int64_t n_classes, T* out) {
    T* e = exponential_of;
    for (int64_t j = 0; j < n_classes; ++j) {
      const Vec<T> x = load(e + j * kLanes<T>);
      store(e + j * kLanes<T>, factor == T(0) ? Vec<T>{} : x * factor - spread);
    }
    for (int64_t i = 0; i < n_rows; ++i) {
      for (int64_t j = 0; j < n_classes; ++j) out[i * n_classes + j] = e[j * kLanes<T> + i];
    }
  }
};

// Takes the target of a row from its gradient, and returns its loss.
template <class T>
inline double finish_row(const LossBatch<T>& b, int64_t i, T top, T total, T smoothing) {
  const T share = b.share[i];
  const int64_t at = i * b.n_outputs;
  const T expected = subtract_target(b, i, b.z + at, share * (T(1) - smoothing), b.delta ? b.delta + at : nullptr);
  return share != 0 ? double(share) * (std::log(total) - (expected - top)) : 0;
}

template <class T>
double softmax_log_loss_of_few(const LossBatch<T>& b, T smoothing) {
  double loss = 0;
  for (int64_t i = 0; i < b.n_rows; i += kLanes<T>) {
    const int64_t n = smaller(kLanes<T>, b.n_rows - i), at = i * b.n_outputs;
    FewClasses<T> rows(b.z + at, n, b.n_outputs);
    const Vec<T> share = read(b.share + i, n);
    if (b.delta) {
      rows.write_rows(share / rows.total, share * (smoothing / T(b.n_outputs)), n, b.n_outputs, b.delta + at);
    }
    for (int64_t r = 0; r < n; ++r) loss += finish_row(b, i + r, rows.top[r], rows.total[r], smoothing);
  }
  return loss;
}

template <class T>
double softmax_log_loss(const LossBatch<T>& b, T smoothing) {
  if (b.n_outputs <= kFewClasses) return softmax_log_loss_of_few(b, smoothing);
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
    loss += finish_row(b, i, top, total, smoothing);
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
  if (n_columns <= kFewClasses) {
    for (int64_t i = 0; i < n_rows; i += kLanes<T>) {
      const int64_t n = smaller(kLanes<T>, n_rows - i);
      FewClasses<T> rows(z + i * n_columns, n, n_columns);
      rows.write_rows(T(1) / rows.total, Vec<T>{}, n, n_columns, z + i * n_columns);
    }
    return;
  }
  for (int64_t i = 0; i < n_rows; ++i, z += n_columns) {
    const T total = shifted_exponentials(z, n_columns, largest(z, n_columns), z);
    for (int64_t j = 0; j < n_columns; ++j) z[j] /= total;
  }
}

}  // namespace SKREG_ISA
}  // namespace skreg
