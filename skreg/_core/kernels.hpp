// The hot loops as a table of function pointers, one table per number type and instruction set. kernels.cpp fills
// the tables; layers, losses, penalties and optimizers call through the one chosen at import, `kernels<T>()`.
//
// To add one: a function template in kernels/, and its line in kernels/list.hpp under the same name.
//
// Conventions: matrices are row-major with a leading dimension (ld); sizes count elements; `share` holds the weight
// s_i / sum(s) of each row of the batch.
#pragma once

#include <cstdint>
#include <type_traits>

namespace skreg {

// A region of a matrix: rows [row, row + n_rows), columns [col, col + n_columns).
struct Tile {
  int64_t row, n_rows, col, n_columns;
};

// What a product calls on each region of C as soon as it is finished and still in cache.
struct Hook {
  void (*call)(void* self, Tile) = nullptr;
  void* self = nullptr;
};

// Blocking of the matrix product: a packed block of B fills half of a 1 MB second-level cache in float32.
constexpr int64_t kBlockDepth = 256;
constexpr int64_t kBlockColumns = 512;

// C (m x n) = op(A) (m x k) op(B) (k x n), added to C where accumulate. column_sums, where given, receives
// the sums of the columns of op(B) on top of what it holds. Callers set the fields by name, as in all that has many.
template <class T>
struct Product {
  int64_t m = 0, n = 0, k = 0;
  const T* a = nullptr;
  int64_t lda = 0;
  bool transpose_a = false;
  const T* b = nullptr;
  int64_t ldb = 0;
  bool transpose_b = false;
  T* c = nullptr;
  int64_t ldc = 0;
  bool accumulate = false;
  T* column_sums = nullptr;
  Hook finish;
};

// Rows of a compressed sparse row matrix, already picked for the batch: row i holds entries begin[i] to begin[i + 1].
template <class T>
struct SparseRows {
  int64_t n_rows;
  const int64_t* begin;
  const int32_t* column;
  const T* value;
};

// 16 random bits a unit; a unit is dropped where they are below threshold, else multiplied by scale.
template <class T>
struct Drop {
  const uint16_t* bits = nullptr;
  int32_t threshold = 0;
  T scale = 1;
};

// What a block's activation starts from: z = (in * scale + shift) * branch + link, on a tile. scale and branch (one
// number a row) null count as 1, shift and link (a matrix like `in`) null as 0; branch comes with a link alone.
template <class T>
struct Argument {
  const T* in = nullptr;
  int64_t ld = 0;
  const T* scale = nullptr;
  const T* shift = nullptr;
  const T* link = nullptr;
  const T* branch = nullptr;
};

// out = drop(activation(z)); where given, slope receives the derivative, of activations that give it.
template <class T>
struct Forward {
  Argument<T> z;
  T* out = nullptr;
  T* slope = nullptr;
  Drop<T> drop;
};

// delta, the gradient with respect to out above, becomes the gradient with respect to z, by slope for activations that
// give it, else by what follows from out.
template <class T>
struct Backward {
  int64_t ld = 0;
  const T* out = nullptr;
  const T* slope = nullptr;
  T* delta = nullptr;
  Drop<T> drop;
};

// SKREG_ACTIVATIONS(X): X(name, class in kernels/activations.hpp, whether it gives its slope, which does not follow
// from its value).
#define SKREG_ACTIVATIONS(X)        \
  X("identity", Identity, false)    \
  X("logistic", Logistic, false)    \
  X("tanh", Tanh, false)            \
  X("relu", Relu, false)            \
  X("leaky_relu", LeakyRelu, false) \
  X("elu", Elu, false)              \
  X("selu", Selu, false)            \
  X("gelu", Gelu, true)             \
  X("silu", Silu, true)             \
  X("mish", Mish, true)             \
  X("softplus", Softplus, true)

struct ActivationInfo {
  const char* name;
  bool gives_slope;
};
#define SKREG_ROW(name, part, gives_slope) {name, gives_slope},
constexpr ActivationInfo kActivations[] = {SKREG_ACTIVATIONS(SKREG_ROW)};
#undef SKREG_ROW
constexpr int kNumActivations = sizeof(kActivations) / sizeof(kActivations[0]);

// What a loss sees of a batch: raw outputs z (n_rows x n_outputs), targets gathered in the same order (values with
// one column an output, or the index of the class with target null), and the weight of each row.
template <class T>
struct LossBatch {
  int64_t n_rows = 0, n_outputs = 0;
  const T* z = nullptr;
  const T* target = nullptr;
  const int32_t* label = nullptr;
  const T* share = nullptr;
  T* delta = nullptr;  // receives the gradient with respect to z; null when only the value is wanted
};

enum class Border { kConstant, kEdge, kReflect };

// A picture (height x width x channels) seen through a map of coordinates: pixel (i, j) of `out` is the value of `in`
// at row map[0] i + map[1] j + map[2] and column map[3] i + map[4] j + map[5], plus the shifts of this pixel where
// given (one number a pixel, rows `shift_pitch` apart). `out` may be `in`.
template <class T>
struct Warp {
  int64_t height = 0, width = 0, channels = 0;
  const T* in = nullptr;
  T* out = nullptr;
  T map[6] = {};
  const T* shift_rows = nullptr;
  const T* shift_columns = nullptr;
  int64_t shift_pitch = 0;
  bool nearest = false;  // the nearest pixel instead of bilinear interpolation
  Border fill = Border::kConstant;
  T fill_value = 0;
  T* workspace = nullptr;  // warp_workspace() numbers
};

inline int64_t warp_workspace(int64_t height, int64_t width, int64_t channels) {
  const int64_t group = width > 512 ? width : 512;
  return (height + 3) * (width + 3) * channels + 4 + width + 7 * group;
}

// A picture smoothed along both axes with the symmetric taps tap[0] (the middle) to tap[radius], reflected at edges.
// `out` may be `in`.
template <class T>
struct Smooth {
  int64_t height = 0, width = 0, channels = 0;
  const T* in = nullptr;
  T* out = nullptr;
  const T* tap = nullptr;
  int64_t radius = 0;
  T* workspace = nullptr;  // smooth_workspace() numbers
};

inline int64_t smooth_workspace(int64_t height, int64_t width, int64_t channels, int64_t radius) {
  return ((height + 2 * radius) * width + width + 2 * radius) * channels;
}

// Every kernel is a member here under its own name. Which there are, with what they take and do: kernels/list.hpp.
template <class T>
struct Kernels {
  const char* instruction_set;

  // One for each of kActivations.
  void (*forward[kNumActivations])(const Forward<T>&, Tile);
  void (*backward[kNumActivations])(const Backward<T>&, Tile);

#define SKREG_KERNEL(name, type) std::add_pointer_t<type> name;
#include "kernels/list.hpp"
#undef SKREG_KERNEL
};

// The tables of the best instruction set that this processor has, or of the one that is wanted: set at import, in
// instruction_sets.cpp. Kernels themselves do not call this.
template <class T>
const Kernels<T>& kernels();
extern const Kernels<float>* chosen_for_float;
extern const Kernels<double>* chosen_for_double;
template <>
inline const Kernels<float>& kernels<float>() {
  return *chosen_for_float;
}
template <>
inline const Kernels<double>& kernels<double>() {
  return *chosen_for_double;
}

}  // namespace skreg
