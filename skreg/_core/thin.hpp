// Products in which one side has few columns, as those of an output layer have: a tile would be padded to whole vectors
// there. Each has vectors along the long side instead, and adds its terms in the order and by the operation of tiles,
// so that the bits are the same: a network without the units whose weights are zero predicts what it did with them.
#pragma once

#include "costs.hpp"
#include "kernels.hpp"
#include "kernels/passes.hpp"
#include "simd.hpp"
#include "threads.hpp"

namespace skreg {
namespace SKREG_ISA {

constexpr int kMostThin = 4;

// Calls body with n, from 1 to kMostThin, as a constant.
template <class Body>
inline void with_count(int64_t n, Body body) {
  switch (n) {
    case 1:
      return body(Constant<1>{});
    case 2:
      return body(Constant<2>{});
    case 3:
      return body(Constant<3>{});
    default:
      return body(Constant<4>{});
  }
}

inline bool stands_as_column(int64_t ld, int64_t n_columns) { return n_columns == 1 && ld == 1; }

// The few columns of a matrix (n_rows x n_columns) one after the other; a single one is read where it stands.
template <class T>
inline const T* few_columns(const T* x, int64_t n_rows, int64_t ld, int64_t n_columns) {
  if (stands_as_column(ld, n_columns)) return x;
  T* packed = static_cast<T*>(packing_memory());
  for (int64_t j = 0; j < n_columns; ++j) {
    for (int64_t i = 0; i < n_rows; ++i) packed[j * n_rows + i] = x[i * ld + j];
  }
  return packed;
}

// kGroups times kLanes rows of C = A B, or n of them in one group, a row in each lane: A is read in squares that are
// turned. Two groups at once, since the additions of one wait for each other.
template <class T, int kColumns, int kGroups>
inline void thin_rows(const Product<T>& p, int64_t row, int64_t n) {
  Vec<T> sum[kGroups][kColumns];
  T lanes[kLanes<T>] = {};
  const auto at = [&](int g, int64_t i, int j) -> T& { return p.c[(row + g * kLanes<T> + i) * p.ldc + j]; };
  for (int g = 0; g < kGroups; ++g) {
    for (int j = 0; j < kColumns; ++j) {
      for (int64_t i = 0; i < n; ++i) lanes[i] = p.accumulate ? at(g, i, j) : T(0);
      sum[g][j] = load(lanes);
    }
  }
  for_vectors<T>(p.k, [&](int64_t k, int64_t n_terms) {
    Vec<T> squares[kGroups][kLanes<T>];
#pragma GCC unroll 2
    for (int g = 0; g < kGroups; ++g) {
      const T* a = p.a + (row + g * kLanes<T>)*p.lda + k;
#pragma GCC unroll 16
      for (int i = 0; i < kLanes<T>; ++i) squares[g][i] = read(a + (i < n ? i : 0) * p.lda, n_terms);
      transpose<T>(squares[g]);
    }
#pragma GCC unroll 16
    for (int t = 0; t < kLanes<T>; ++t) {
      if (t >= n_terms) break;
#pragma GCC unroll 4
      for (int j = 0; j < kColumns; ++j) {
#pragma GCC unroll 2
        for (int g = 0; g < kGroups; ++g) sum[g][j] += p.b[(k + t) * p.ldb + j] * squares[g][t];
      }
    }
  });
  for (int g = 0; g < kGroups; ++g) {
    for (int j = 0; j < kColumns; ++j) {
      store(lanes, sum[g][j]);
      for (int64_t i = 0; i < n; ++i) at(g, i, j) = lanes[i];
    }
  }
}

// C = A B with few columns.
template <class T>
void thin_forward(const Product<T>& p) {
  with_count(p.n, [&](auto columns) {
    constexpr int kColumns = decltype(columns)::value;
    constexpr int64_t kPair = 2 * kLanes<T>;
    const double one_row = double(p.k * p.n * int64_t(sizeof(T))) / kMultiplyAddBytes;
    parallel_ranges(p.m, kLanes<T>, one_row, [&](int64_t begin, int64_t end) {
      int64_t row = begin;
      for (; row + kPair <= end; row += kPair) thin_rows<T, kColumns, 2>(p, row, kLanes<T>);
      for_vectors<T>(end - row, [&](int64_t i, int64_t n) { thin_rows<T, kColumns, 1>(p, row + i, n); });
      if (p.finish.call) p.finish.call(p.finish.self, {begin, end - begin, 0, p.n});
    });
  });
}

// C = A' B with few columns: rows j to j + kVectors * kLanes of C, n of them where that is a part of one vector.
template <class T, int kVectors, int kColumns>
inline void thin_outer(const Product<T>& p, int64_t j, int64_t n) {
  Vec<T> sum[kColumns][kVectors];
  T lanes[kLanes<T>] = {};
  const auto at = [&](int v, int64_t lane, int c) -> T& { return p.c[(j + v * kLanes<T> + lane) * p.ldc + c]; };
  for (int c = 0; c < kColumns; ++c) {
    for (int v = 0; v < kVectors; ++v) {
      for (int64_t lane = 0; lane < n; ++lane) lanes[lane] = p.accumulate ? at(v, lane, c) : T(0);
      sum[c][v] = load(lanes);
    }
  }
  for (int64_t k = 0; k < p.k; ++k) {
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const Vec<T> x = read(p.a + k * p.lda + j + v * kLanes<T>, n);
#pragma GCC unroll 4
      for (int c = 0; c < kColumns; ++c) sum[c][v] += p.b[k * p.ldb + c] * x;
    }
  }
  for (int c = 0; c < kColumns; ++c) {
    for (int v = 0; v < kVectors; ++v) {
      store(lanes, sum[c][v]);
      for (int64_t lane = 0; lane < n; ++lane) at(v, lane, c) = lanes[lane];
    }
  }
}

template <class T>
void thin_gradient(const Product<T>& p) {
  with_count(p.n, [&](auto columns) {
    constexpr int kColumns = decltype(columns)::value, kVectors = 8 / kColumns;
    constexpr int64_t kWidth = kVectors * kLanes<T>;
    parallel_ranges(
        p.m, kWidth, double(p.k * p.n * int64_t(sizeof(T))) / kMultiplyAddBytes, [&](int64_t begin, int64_t end) {
          for (; begin + kWidth <= end; begin += kWidth) thin_outer<T, kVectors, kColumns>(p, begin, kLanes<T>);
          for_vectors<T>(end - begin, [&](int64_t j, int64_t n) { thin_outer<T, 1, kColumns>(p, begin + j, n); });
        });
    if (!p.column_sums) return;
    T sums[kColumns];
    for (int j = 0; j < kColumns; ++j) sums[j] = p.column_sums[j];
    for (int64_t k = 0; k < p.k; ++k) {
      for (int j = 0; j < kColumns; ++j) sums[j] += p.b[k * p.ldb + j];
    }
    for (int j = 0; j < kColumns; ++j) p.column_sums[j] = sums[j];
  });
}

// A row of C = A B', with B by columns.
template <class T, int kTerms, bool kAccumulate>
inline void thin_row(const T* a, const T* b, int64_t width, T* c) {
  Vec<T> factor[kTerms];
  for (int k = 0; k < kTerms; ++k) factor[k] = splat(a[k]);
  for_vectors<T>(width, [=](int64_t j, int64_t n) {
    Vec<T> sum = kAccumulate ? read(c + j, n) : Vec<T>{};
#pragma GCC unroll 4
    for (int k = 0; k < kTerms; ++k) sum += factor[k] * read(b + k * width + j, n);
    write(c + j, sum, n);
  });
}

// C = A B' with few columns of A and B.
template <class T>
void thin_backward(const Product<T>& p) {
  constexpr int64_t kStripRows = 8;
  const T* b = few_columns(p.b, p.n, p.ldb, p.k);
  with_count(p.k, [&](auto terms) {
    constexpr int kTerms = decltype(terms)::value;
    const auto row_of = p.accumulate ? thin_row<T, kTerms, true> : thin_row<T, kTerms, false>;
    parallel_ranges(p.m, kStripRows, double(p.n * int64_t(sizeof(T))) * kCachedByte, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; row += kStripRows) {
        const int64_t n_rows = smaller(kStripRows, end - row);
        for (int64_t i = row; i < row + n_rows; ++i) row_of(p.a + i * p.lda, b, p.n, p.c + i * p.ldc);
        if (p.finish.call) p.finish.call(p.finish.self, {row, n_rows, 0, p.n});
      }
    });
  });
}

// Whether one of the three was right for it, and made it.
template <class T>
bool thin_product(const Product<T>& p) {
  const int64_t count = p.transpose_b ? p.k : p.n;
  if (count < 1 || count > kMostThin) return false;
  if (p.transpose_b) {
    const bool fits = stands_as_column(p.ldb, count) || count * p.n * int64_t(sizeof(T)) <= kPackingBytes;
    if (p.transpose_a || p.column_sums || !fits) return false;
    thin_backward(p);
  } else if (p.transpose_a) {
    if (p.finish.call) return false;
    thin_gradient(p);
  } else {
    if (p.column_sums) return false;
    thin_forward(p);
  }
  return true;
}

}  // namespace SKREG_ISA
}  // namespace skreg
