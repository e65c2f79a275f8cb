// The hot loops as a table of function pointers, one table per number type and instruction set. kernels.cpp fills
// the tables; layers, losses, penalties and optimizers call through the one chosen at import, `kernels<T>()`.
//
// Conventions: matrices are row-major with a leading dimension (ld); sizes count elements; `share` holds the weight
// s_i / sum(s) of each row of the batch.
#pragma once

#include <cstdint>

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
// the sums of the columns of op(B) on top of what it holds.
template <class T>
struct Product {
  int64_t m, n, k;
  const T* a;
  int64_t lda;
  bool transpose_a;
  const T* b;
  int64_t ldb;
  bool transpose_b;
  T* c;
  int64_t ldc;
  bool accumulate;
  T* column_sums;
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
  const T* in;
  int64_t ld;
  const T* scale;
  const T* shift;
  const T* link;
  const T* branch;
};

// out = drop(activation(z)).
template <class T>
struct Forward {
  Argument<T> z;
  T* out;
  Drop<T> drop;
};

// delta, the gradient with respect to out above, becomes the gradient with respect to z. z is computed again for
// activations alone whose derivative does not follow from their value.
template <class T>
struct Backward {
  Argument<T> z;
  const T* out;
  T* delta;
  Drop<T> drop;
};

// SKREG_ACTIVATIONS(X): X(name, class in kernels/activations.hpp, whether the derivative needs the argument).
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
  bool needs_input;
};
#define SKREG_ROW(name, part, needs_input) {name, needs_input},
constexpr ActivationInfo kActivations[] = {SKREG_ACTIVATIONS(SKREG_ROW)};
#undef SKREG_ROW
constexpr int kNumActivations = sizeof(kActivations) / sizeof(kActivations[0]);

// What a loss sees of a batch: raw outputs z (n_rows x n_outputs), targets gathered in the same order (values with
// one column an output, or the index of the class with target null), and the weight of each row.
template <class T>
struct LossBatch {
  int64_t n_rows, n_outputs;
  const T* z;
  const T* target;
  const int32_t* label;
  const T* share;
  T* delta;                  // receives the gradient with respect to z; null when only the value is wanted
  T smoothing = 0;           // of labels: target (1 - smoothing) y + smoothing / number of classes
  T threshold = 0;           // of the Huber loss
  const T* level = nullptr;  // of the quantile loss, one an output
};

enum class Border { kConstant, kEdge, kReflect };

// A picture (height x width x channels) seen through a map of coordinates: pixel (i, j) of `out` is the value of `in`
// at row map[0] i + map[1] j + map[2] and column map[3] i + map[4] j + map[5], plus the shifts of this pixel where
// given (one number a pixel, rows `shift_pitch` apart). `out` may be `in`.
template <class T>
struct Warp {
  int64_t height, width, channels;
  const T* in;
  T* out;
  T map[6];
  const T* shift_rows;
  const T* shift_columns;
  int64_t shift_pitch;
  bool nearest;  // the nearest pixel instead of bilinear interpolation
  Border fill;
  T fill_value;
  T* workspace;  // warp_workspace() numbers
};

inline int64_t warp_workspace(int64_t height, int64_t width, int64_t channels) {
  const int64_t group = width > 512 ? width : 512;
  return (height + 3) * (width + 3) * channels + 4 + width + 7 * group;
}

// A picture smoothed along both axes with the symmetric taps tap[0] (the middle) to tap[radius], reflected at edges.
// `out` may be `in`.
template <class T>
struct Smooth {
  int64_t height, width, channels;
  const T* in;
  T* out;
  const T* tap;
  int64_t radius;
  T* workspace;  // smooth_workspace() numbers
};

inline int64_t smooth_workspace(int64_t height, int64_t width, int64_t channels, int64_t radius) {
  return ((height + 2 * radius) * width + width + 2 * radius) * channels;
}

template <class T>
struct Kernels {
  const char* instruction_set;

  void (*product)(const Product<T>&);
  void (*sparse_forward)(const SparseRows<T>&, const T* w, int64_t n_columns, T* z);
  void (*sparse_backward)(const SparseRows<T>&, const T* delta, int64_t n_columns, T* gradient, T* column_sums);

  void (*forward[kNumActivations])(const Forward<T>&, Tile);
  void (*backward[kNumActivations])(const Backward<T>&, Tile);

  // Weighted mean and (biased) variance of each column.
  void (*moments)(const T* x, int64_t n_rows, int64_t n_columns, const T* share, T* mean, T* variance);
  void (*normalize)(T* x, int64_t ld, Tile, const T* mean, const T* inverse_std);
  // sum(delta) and sum(delta * x_hat) of each column, added to what the outputs hold.
  void (*norm_sums)(const T* delta, const T* x_hat, int64_t n_rows, int64_t n_columns, T* sum, T* sum_x_hat);
  // delta = scale * inverse_std * (delta - share_i * (sum + x_hat * sum_x_hat)); share null: the second term is absent.
  void (*norm_backward)(T* delta, const T* x_hat, int64_t n_rows, int64_t n_columns, const T* share, const T* scale,
                        const T* inverse_std, const T* sum, const T* sum_x_hat);

  // Each row of x + bias on the tile, which spans whole rows: minus its mean, over its standard deviation.
  void (*normalize_rows)(T* x, int64_t ld, Tile, const T* bias, T epsilon, T* inverse_std);
  // delta = inverse_std_i * (d - mean(d) - x_hat * mean(d * x_hat)) with d = delta * scale, means over the row.
  void (*normalize_rows_backward)(T* delta, const T* x_hat, int64_t n_rows, int64_t n_columns, const T* scale,
                                  const T* inverse_std);

  // On a tile: out = factor * (x - pivot) + base, y += x, y *= x.
  void (*modulate)(const T* x, const T* factor, T pivot, T base, T* out, int64_t ld, Tile);
  void (*add)(T* y, const T* x, int64_t ld, Tile);
  void (*multiply)(T* y, const T* x, int64_t ld, Tile);

  double (*squared_error)(const LossBatch<T>&);
  double (*absolute_error)(const LossBatch<T>&);
  double (*huber)(const LossBatch<T>&);
  double (*quantile)(const LossBatch<T>&);
  double (*poisson)(const LossBatch<T>&);
  double (*binary_log_loss)(const LossBatch<T>&);
  double (*softmax_log_loss)(const LossBatch<T>&);
  void (*exponential)(T* z, int64_t n);
  void (*logistic)(T* z, int64_t n);
  void (*softmax)(T* z, int64_t n_rows, int64_t n_columns);

  void (*sgd)(T* w, T* velocity, const T* gradient, int64_t n, T rate, T momentum, bool nesterov);
  void (*adam)(T* w, T* m, T* v, const T* gradient, int64_t n, T rate, T beta_1, T one_minus_beta_1, T beta_2,
               T one_minus_beta_2, T epsilon);
  void (*adam_metric)(const T* v, int64_t n, T rate, T epsilon, T* metric);  // rate / (sqrt(v) + epsilon)

  double (*sum_of_squares)(const T* w, int64_t n);
  double (*sum_of_magnitudes)(const T* w, int64_t n);
  void (*approach)(T* y, const T* x, int64_t n, T share);  // y += share * (x - y)
  void (*add_scaled)(T* y, const T* x, int64_t n, T factor);
  void (*scale)(T* w, int64_t n, T factor);
  void (*soft_threshold)(T* w, const T* metric, int64_t n, T strength);  // by metric_i * strength
  // Prox of strength * ||w|| in the diagonal metric: a whole group shrinks, or becomes zero.
  void (*group_threshold)(T* w, const T* metric, int64_t n, T strength);
  // Rescales each column of w (n_rows x n_columns) whose norm is above `largest`; scratch holds n_columns numbers.
  void (*limit_columns)(T* w, int64_t n_rows, int64_t n_columns, T largest, T* scratch);
  bool (*all_finite)(const T* w, int64_t n);

  // 16 random bits for each of n units; out has room for n rounded up to a multiple of 128.
  void (*random_bits)(uint64_t seed, uint64_t step, uint32_t stream, int64_t n, uint16_t* out);
  void (*drop)(T* x, int64_t n, const Drop<T>&);
  // Numbers uniform in the open interval (0, 1), and standard normal ones, each from 32 random bits.
  void (*uniforms)(uint64_t seed, uint64_t step, uint32_t stream, int64_t n, T* out);
  void (*normals)(uint64_t seed, uint64_t step, uint32_t stream, int64_t n, T* out);

  void (*warp)(const Warp<T>&);
  void (*smooth)(const Smooth<T>&);
};

// The table of the best instruction set that this processor has (or the one named by the environment variable
// SKREG_INSTRUCTION_SET, for tests).
template <class T>
const Kernels<T>& kernels();
template <>
const Kernels<float>& kernels<float>();
template <>
const Kernels<double>& kernels<double>();

}  // namespace skreg
