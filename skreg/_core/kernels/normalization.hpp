// Hot loops of batch and layer normalization.
//
// Included by kernels.cpp alone, inside the namespace named after the instruction set.
#pragma once

#include <cmath>

#include "../kernels.hpp"
#include "../simd.hpp"
#include "passes.hpp"

namespace skreg {
namespace SKREG_ISA {

// Batch normalization. Columns in vectors, rows in order: two passes, since E[x^2] - E[x]^2 cancels in float32.

template <class T>
void moments(const T* x, int64_t n_rows, int64_t n_columns, const T* share, T* mean, T* variance) {
  for_column_blocks<T>(n_rows, n_columns, [&](auto width, int64_t j, int64_t n) {
    Vec<T> m[width.value] = {}, v[width.value] = {};
    for (int64_t i = 0; i < n_rows; ++i) {
      const T* row = x + i * n_columns + j;
      for (int c = 0; c < width.value; ++c) m[c] += share[i] * read(row + c * kLanes<T>, n);
    }
    for (int64_t i = 0; i < n_rows; ++i) {
      const T* row = x + i * n_columns + j;
      for (int c = 0; c < width.value; ++c) {
        const Vec<T> d = read(row + c * kLanes<T>, n) - m[c];
        v[c] += share[i] * (d * d);
      }
    }
    for (int c = 0; c < width.value; ++c) {
      write(mean + j + c * kLanes<T>, m[c], n);
      write(variance + j + c * kLanes<T>, v[c], n);
    }
  });
}

template <class T>
void inverse_roots(const T* variance, int64_t count, T epsilon, T* out) {
  for_vectors<T>(count,
                 [=](int64_t i, int64_t n) { write(out + i, T(1) / square_root(read(variance + i, n) + epsilon), n); });
}

template <class T>
void normalize(T* x, int64_t ld, Tile t, const T* mean, const T* inverse_std) {
  for (int64_t i = t.row; i < t.row + t.n_rows; ++i) {
    for_vectors<T>(t.n_columns, [&](int64_t offset, int64_t n) {
      const int64_t j = t.col + offset;
      T* p = x + i * ld + j;
      write(p, (read(p, n) - read(mean + j, n)) * read(inverse_std + j, n), n);
    });
  }
}

template <class T>
void norm_sums(const T* delta, const T* x_hat, int64_t n_rows, int64_t n_columns, T* sum, T* sum_x_hat) {
  for_column_blocks<T>(n_rows, n_columns, [&](auto width, int64_t j, int64_t n) {
    Vec<T> s[width.value] = {}, sx[width.value] = {};
    for (int64_t i = 0; i < n_rows; ++i) {
      for (int c = 0; c < width.value; ++c) {
        const int64_t at = i * n_columns + j + c * kLanes<T>;
        const Vec<T> d = read(delta + at, n);
        s[c] += d;
        sx[c] += d * read(x_hat + at, n);
      }
    }
    for (int c = 0; c < width.value; ++c) {
      const int64_t at = j + c * kLanes<T>;
      write(sum + at, read(sum + at, n) + s[c], n);
      write(sum_x_hat + at, read(sum_x_hat + at, n) + sx[c], n);
    }
  });
}

// Some rows: what belongs to a column is read once for all of them.
template <class T, bool kMoments>
void norm_backward_rows(T* delta, const T* x_hat, int64_t n_rows, int64_t n_columns, const T* share, const T* scale,
                        const T* inverse_std, const T* sum, const T* sum_x_hat) {
  for_vectors<T>(n_columns, [=](int64_t j, int64_t n) {
    const Vec<T> factor = read(scale + j, n) * read(inverse_std + j, n);
    const Vec<T> s = read(sum + j, n), sx = read(sum_x_hat + j, n);
    for (int64_t i = 0; i < n_rows; ++i) {
      T* const at = delta + i * n_columns + j;
      Vec<T> d = read(at, n);
      if (kMoments) d -= share[i] * (s + read(x_hat + i * n_columns + j, n) * sx);
      write(at, d * factor, n);
    }
  });
}

template <class T>
void norm_backward(T* delta, const T* x_hat, int64_t n_rows, int64_t n_columns, const T* share, const T* scale,
                   const T* inverse_std, const T* sum, const T* sum_x_hat) {
  constexpr int64_t kTogether = 8;
  const double one_row = kCachedByte * double(3 * n_columns * int64_t(sizeof(T)));
  const auto rows = share ? norm_backward_rows<T, true> : norm_backward_rows<T, false>;
  parallel_ranges(n_rows, 1, one_row, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += kTogether) {
      const int64_t at = i * n_columns;
      rows(delta + at, x_hat + at, smaller(kTogether, end - i), n_columns, share ? share + i : nullptr, scale,
           inverse_std, sum, sum_x_hat);
    }
  });
}

// Layer normalization.

template <class T>
void normalize_rows(T* x, int64_t ld, Tile t, const T* bias, T epsilon, T* inverse_std) {
  const T inverse_width = T(1) / T(t.n_columns);
  for (int64_t i = t.row; i < t.row + t.n_rows; ++i) {
    T* row = x + i * ld;
    Vec<T> sum{}, squares{};
    for_vectors<T>(t.n_columns, [&](int64_t j, int64_t n) {
      const Vec<T> z = read(row + j, n) + read(bias + j, n);
      sum += z;
      write(row + j, z, n);
    });
    const T mean = sum_lanes<T>(sum) * inverse_width;
    for_vectors<T>(t.n_columns, [&](int64_t j, int64_t n) {
      const Vec<T> d = first_lanes_only<T>(read(row + j, n) - mean, n);
      squares += d * d;
    });
    inverse_std[i] = T(1) / std::sqrt(sum_lanes<T>(squares) * inverse_width + epsilon);
    for_vectors<T>(t.n_columns,
                   [&](int64_t j, int64_t n) { write(row + j, (read(row + j, n) - mean) * inverse_std[i], n); });
  }
}

template <class T>
void normalize_rows_backward(T* delta, const T* x_hat, int64_t n_rows, int64_t n_columns, const T* scale,
                             const T* inverse_std) {
  const T inverse_width = T(1) / T(n_columns);
  for (int64_t i = 0; i < n_rows; ++i, delta += n_columns, x_hat += n_columns) {
    Vec<T> sum{}, sum_x_hat{};
    for_vectors<T>(n_columns, [&](int64_t j, int64_t n) {
      const Vec<T> d = read(delta + j, n) * read(scale + j, n);
      sum += d;
      sum_x_hat += d * read(x_hat + j, n);
    });
    const T mean = sum_lanes<T>(sum) * inverse_width, mean_x_hat = sum_lanes<T>(sum_x_hat) * inverse_width;
    for_vectors<T>(n_columns, [&](int64_t j, int64_t n) {
      const Vec<T> d = read(delta + j, n) * read(scale + j, n);
      write(delta + j, (d - mean - read(x_hat + j, n) * mean_x_hat) * inverse_std[i], n);
    });
  }
}

}  // namespace SKREG_ISA
}  // namespace skreg
