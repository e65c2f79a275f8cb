// Hot loops of the first layer for rows in CSR.
//
// Included by kernels.cpp alone, inside the namespace named after the instruction set.
#pragma once

#include "../kernels.hpp"
#include "../simd.hpp"
#include "passes.hpp"

namespace skreg {
namespace SKREG_ISA {

// Nanoseconds for a row on the average, forward or backward.
template <class T>
double sparse_row_time(const SparseRows<T>& x, int64_t n_columns) {
  const double n_entries = double(x.begin[x.n_rows] - x.begin[0]) / double(x.n_rows > 0 ? x.n_rows : 1);
  return n_entries * double(n_columns) * double(sizeof(T)) * kCachedByte;
}

template <class T>
void sparse_forward(const SparseRows<T>& x, const T* w, int64_t n_columns, T* z) {
  parallel_ranges(x.n_rows, 1, sparse_row_time(x, n_columns), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T* const out = z + i * n_columns;
      for (int64_t j = 0; j < n_columns; ++j) out[j] = 0;
      for (int64_t e = x.begin[i]; e < x.begin[i + 1]; ++e) {
        const T* row = w + x.column[e] * n_columns;
        const T value = x.value[e];
        for_vectors<T>(n_columns,
                       [&](int64_t j, int64_t n) { write(out + j, read(out + j, n) + value * read(row + j, n), n); });
      }
    }
  });
}

template <class T>
void sparse_backward_columns(const SparseRows<T>& x, const T* delta, int64_t n_columns, int64_t first, int64_t end,
                             T* gradient, T* column_sums) {
  for (int64_t i = 0; i < x.n_rows; ++i, delta += n_columns) {
    for (int64_t e = x.begin[i]; e < x.begin[i + 1]; ++e) {
      T* const row = gradient + x.column[e] * n_columns + first;
      const T value = x.value[e];
      for_vectors<T>(end - first, [&](int64_t j, int64_t n) {
        write(row + j, read(row + j, n) + value * read(delta + first + j, n), n);
      });
    }
    if (!column_sums) continue;
    for (int64_t j = first; j < end; ++j) column_sums[j] += delta[j];
  }
}

template <class T>
void sparse_backward(const SparseRows<T>& x, const T* delta, int64_t n_columns, T* gradient, T* column_sums) {
  const double one_column = sparse_row_time(x, 1) * double(x.n_rows);
  parallel_ranges(n_columns, kLineBytes / int64_t(sizeof(T)), one_column, [&](int64_t first, int64_t end) {
    sparse_backward_columns(x, delta, n_columns, first, end, gradient, column_sums);
  });
}

}  // namespace SKREG_ISA
}  // namespace skreg
