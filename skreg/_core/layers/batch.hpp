// What layers know of the rows that pass them. Matrices are (n_rows, width), row-major.
#pragma once

#include <algorithm>
#include <cstdint>

#include "../kernels.hpp"

namespace skreg {

// What layers know of the batch at hand.
template <class T>
struct Batch {
  int64_t n_rows = 0;
  const T* share = nullptr;      // weight of each row divided by their sum
  int64_t n_weighted = 0;        // rows with a positive weight
  double effective_size = 0;     // see effective_size_of
  bool training = false;         // dropout, stochastic depth and batch moments on
  bool keep_statistics = false;  // leave running statistics alone although training
  bool accumulate = false;       // add to the gradients instead of overwriting them
  uint64_t seed = 0, step = 0;
};

// The rows that enter the first layer (dense or sparse), or the output of the block below.
template <class T>
struct Input {
  const T* dense = nullptr;
  int64_t ld = 0;
  const SparseRows<T>* sparse = nullptr;
};

// The size n for which n / (n - 1) * variance is unbiased: the sum of the weights, which then count like repeated rows,
// or the effective count 1 / sum share^2 where that is larger, as for weights that sum to 1.
inline double effective_size_of(double total_weight, double sum_of_squared_shares) {
  return std::max(total_weight, 1 / sum_of_squared_shares);
}

// A single row, or one that outweighs all others, has none.
inline bool has_variance(double effective_size) { return effective_size > 1 + 1e-6; }

}  // namespace skreg
