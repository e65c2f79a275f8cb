// Hot loops over long vectors, columns and rows, at the same time where that pays, and long sums.
//
// Included by kernels.cpp alone, inside the namespace named after the instruction set.
#pragma once

#include <cstdint>

#include "../costs.hpp"
#include "../simd.hpp"
#include "../threads.hpp"

namespace skreg {
namespace SKREG_ISA {

constexpr int64_t kLineBytes = 128;  // parts of a vector begin this far apart, two lines of a cache

// body(i, n) for each vector of a run of n numbers; runs of the run at the same time.
template <class T, class Body>
inline void for_vectors_in_parts(int64_t count, int n_arrays, Body body) {
  const double one = kCachedByte * double(n_arrays * int(sizeof(T)));
  parallel_ranges(count, kLineBytes / int64_t(sizeof(T)), one, [&](int64_t begin, int64_t end) {
    for_vectors<T>(end - begin, [&](int64_t i, int64_t n) { body(begin + i, n); });
  });
}

template <int kValue>
struct Constant {
  static constexpr int value = kValue;
};

// Calls body(j, n) for each vector of columns of a matrix, several at the same time.
template <class T, class Body>
inline void for_columns(int64_t n_rows, int64_t n_columns, Body body) {
  const double one_column = kCachedByte * double(n_rows * int64_t(sizeof(T)));
  parallel_ranges(n_columns, kLineBytes / int64_t(sizeof(T)), one_column, [&](int64_t begin, int64_t end) {
    for_vectors<T>(end - begin, [&](int64_t j, int64_t n) { body(begin + j, n); });
  });
}

// The same for several vectors of a row at once, which follows the order of memory: body(width, j, n) for `width`
// vectors from column j, a constant; n counts the columns of a single one.
template <class T, class Body>
inline void for_column_blocks(int64_t n_rows, int64_t n_columns, Body body) {
  constexpr int64_t kWidth = 4, kColumns = kWidth * kLanes<T>;
  const double one_column = kCachedByte * double(n_rows * int64_t(sizeof(T)));
  parallel_ranges(n_columns, kColumns, one_column, [&](int64_t begin, int64_t end) {
    for (; begin + kColumns <= end; begin += kColumns) body(Constant<kWidth>{}, begin, kLanes<T>);
    for_vectors<T>(end - begin, [&](int64_t j, int64_t n) { body(Constant<1>{}, begin + j, n); });
  });
}

// A long sum: lanes in T, flushed to double before they grow so large that small terms are lost.
template <class T>
class Sum {
 public:
  void add(Vec<T> v) {
    lanes_ += v;
    if (++count_ == 64) flush();
  }
  void add(double x) { total_ += x; }
  double value() {
    flush();
    return total_;
  }

 private:
  void flush() {
    for (int i = 0; i < kLanes<T>; ++i) total_ += lanes_[i];
    lanes_ = Vec<T>{};
    count_ = 0;
  }
  Vec<T> lanes_{};
  int count_ = 0;
  double total_ = 0;
};

}  // namespace SKREG_ISA
}  // namespace skreg
