// Hot loops of optimizers, averages, penalties and constraints.
//
// Included by kernels.cpp alone, inside the namespace named after the instruction set.
#pragma once

#include <cmath>
#include <limits>

#include "../kernels.hpp"
#include "../simd.hpp"
#include "passes.hpp"

namespace skreg {
namespace SKREG_ISA {

template <class T>
void sgd(T* w, T* velocity, const T* gradient, int64_t count, T rate, T momentum, bool nesterov) {
  for_vectors_in_parts<T>(count, 5, [=](int64_t i, int64_t n) {
    const Vec<T> move = rate * read(gradient + i, n), factor = splat(momentum);
    const Vec<T> v = fused(factor, read(velocity + i, n), -move);
    write(velocity + i, v, n);
    write(w + i, read(w + i, n) + (nesterov ? fused(factor, v, -move) : v), n);
  });
}

template <class T>
void adam(T* w, T* m, T* v, const T* gradient, int64_t count, T rate, T beta_1, T one_minus_beta_1, T beta_2,
          T one_minus_beta_2, T epsilon) {
  for_vectors_in_parts<T>(count, 7, [=](int64_t i, int64_t n) {
    const Vec<T> g = read(gradient + i, n);
    const Vec<T> mean = fused(splat(beta_1), read(m + i, n), one_minus_beta_1 * g);
    const Vec<T> square = fused(splat(beta_2), read(v + i, n), one_minus_beta_2 * (g * g));
    write(m + i, mean, n);
    write(v + i, square, n);
    write(w + i, read(w + i, n) - rate * mean / (square_root(square) + epsilon), n);
  });
}

template <class T>
void adam_metric(const T* v, int64_t count, T rate, T epsilon, T* metric) {
  for_vectors<T>(count,
                 [=](int64_t i, int64_t n) { write(metric + i, rate / (square_root(read(v + i, n)) + epsilon), n); });
}

// The sum of body(i, n) over the vectors of a run. It is divided into pieces that depend on its length alone, and these
// are added in order, so that the result is the same for any number of threads.
template <class T, class Body>
double sum_over(int64_t count, Body body) {
  constexpr int64_t kPieces = 32, kShortest = 4096;
  const int64_t even = (count + kPieces - 1) / kPieces, piece = (even + kShortest - 1) / kShortest * kShortest;
  const int64_t n_pieces = count > 0 ? (count + piece - 1) / piece : 0;
  double sums[kPieces];
  parallel_ranges(n_pieces, 1, kCachedByte * double(piece * int64_t(sizeof(T))), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      Sum<T> sum;
      for_vectors<T>(smaller(piece, count - p * piece), [&](int64_t i, int64_t n) { sum.add(body(p * piece + i, n)); });
      sums[p] = sum.value();
    }
  });
  double total = 0;
  for (int64_t p = 0; p < n_pieces; ++p) total += sums[p];
  return total;
}

template <class T>
double sum_of_squares(const T* w, int64_t count) {
  return sum_over<T>(count, [=](int64_t i, int64_t n) {
    const Vec<T> x = read(w + i, n);
    return x * x;
  });
}

template <class T>
double sum_of_magnitudes(const T* w, int64_t count) {
  return sum_over<T>(count, [=](int64_t i, int64_t n) { return absolute<T>(read(w + i, n)); });
}

template <class T>
void approach(T* y, const T* x, int64_t count, T share) {
  for_vectors_in_parts<T>(count, 3, [=](int64_t i, int64_t n) {
    const Vec<T> old = read(y + i, n);
    write(y + i, old + share * (read(x + i, n) - old), n);
  });
}

template <class T>
void add_scaled(T* y, const T* x, int64_t count, T factor) {
  for_vectors_in_parts<T>(count, 3,
                          [=](int64_t i, int64_t n) { write(y + i, read(y + i, n) + factor * read(x + i, n), n); });
}

template <class T>
void soft_threshold(T* w, const T* metric, int64_t count, T strength) {
  for_vectors<T>(count, [&](int64_t i, int64_t n) {
    const Vec<T> x = read(w + i, n), t = strength * read(metric + i, n);
    // Written so that NaN stays NaN, and that what is cut is +0.0.
    write(w + i, x > t ? x - t : (x < -t ? x + t : (x == x ? Vec<T>{} : x)), n);
  });
}

// With z = w and d_i = metric_i * strength the group is zero if sum (z_i / d_i)^2 <= 1. Else its norm r solves
// f(r) = sum z_i^2 / (r + d_i)^2 = 1, and w_i = z_i r / (r + d_i). Newton's method on 1 / sqrt(f), which is concave in
// r and exact after one step where all d_i are equal, from the largest of three bounds below the root: 0, ||z|| - max
// d_i, and max (|z_i| - d_i), which keeps every ratio z_i / (r + d_i) within 1. All of it in units of max |z_i|.
template <class T>
void group_threshold(T* w, const T* metric, int64_t count, T strength) {
  Vec<T> magnitudes{};
  for_vectors<T>(count, [&](int64_t i, int64_t n) {
    const Vec<T> a = absolute<T>(read(w + i, n));
    magnitudes = a <= magnitudes ? magnitudes : a;  // a NaN stays
  });
  const T largest = largest_lane<T>(magnitudes);
  if (!(largest > 0 && largest <= std::numeric_limits<T>::max())) return;  // all zero, or no number any more
  const T unit = T(1) / largest;
  Vec<T> squares{}, widest{}, sticking_out{};
  for_vectors<T>(count, [&](int64_t i, int64_t n) {
    const Vec<T> z = read(w + i, n) * unit, d = read(metric + i, n) * strength * unit;
    squares += z * z;
    widest = maximum<T>(d, widest);
    sticking_out = maximum<T>(absolute<T>(z) - d, sticking_out);
  });
  T r = largest_lane<T>(sticking_out);
  const T bound = std::sqrt(sum_lanes<T>(squares)) - largest_lane<T>(widest);
  r = bound > r ? bound : r;
  const bool can_vanish = r == 0;
  const T tolerance = std::sqrt(std::numeric_limits<T>::epsilon()) / 8;  // the step after it would be below rounding
  for (int iteration = 0; iteration < 50; ++iteration) {
    Vec<T> f{}, slope{};  // f(r) and -f'(r) / 2
    for_vectors<T>(count, [&](int64_t i, int64_t n) {
      const Vec<T> z = read(w + i, n) * unit, inverse = T(1) / (r + read(metric + i, n) * strength * unit);
      const Vec<T> ratio = z == T(0) ? Vec<T>{} : z * inverse;
      f += ratio * ratio;
      slope += z == T(0) ? Vec<T>{} : ratio * ratio * inverse;
    });
    const T value = sum_lanes<T>(f);
    if (can_vanish && iteration == 0 && value <= T(1)) {
      for (int64_t i = 0; i < count; ++i) w[i] = 0;
      return;
    }
    const T step = value * (std::sqrt(value) - T(1)) / sum_lanes<T>(slope);
    if (step > 0) r += step;
    if (!(step > r * tolerance)) break;
  }
  for_vectors<T>(count, [&](int64_t i, int64_t n) {
    const Vec<T> z = read(w + i, n);
    write(w + i, z == T(0) ? Vec<T>{} : z * (r / (r + read(metric + i, n) * strength * unit)), n);
  });
}

template <class T>
void limit_columns(T* w, int64_t n_rows, int64_t n_columns, T largest, T* scratch) {
  for_columns<T>(n_rows, n_columns, [&](int64_t j, int64_t n) {
    Vec<T> s{};
    for (int64_t i = 0; i < n_rows; ++i) {
      const Vec<T> x = read(w + i * n_columns + j, n);
      s += x * x;
    }
    write(scratch + j, s, n);
  });
  bool any = false;
  for (int64_t j = 0; j < n_columns; ++j) {
    const T norm = std::sqrt(scratch[j]);
    any |= norm > largest;
    scratch[j] = norm > largest ? largest / norm : T(1);
  }
  if (!any) return;
  for_columns<T>(n_rows, n_columns, [&](int64_t j, int64_t n) {
    const Vec<T> factor = read(scratch + j, n);
    for (int64_t i = 0; i < n_rows; ++i) {
      T* const x = w + i * n_columns + j;
      write(x, read(x, n) * factor, n);
    }
  });
}

template <class T>
void scale(T* w, int64_t count, T factor) {
  for_vectors_in_parts<T>(count, 2, [=](int64_t i, int64_t n) { write(w + i, read(w + i, n) * factor, n); });
}

template <class T>
bool all_finite(const T* w, int64_t count) {
  Vec<T> s{};  // x - x is 0 for finite numbers, NaN for all others
  for_vectors<T>(count, [&](int64_t i, int64_t n) {
    const Vec<T> x = read(w + i, n);
    s += x - x;
  });
  return sum_lanes<T>(s) == T(0);
}

}  // namespace SKREG_ISA
}  // namespace skreg
