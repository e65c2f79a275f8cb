// The hot loops. This file is compiled once for each instruction set, with SKREG_ISA naming the namespace; each
// object exports one function a number type, skreg_kernels_<isa>_<type>(), and nothing else: no STL container or
// algorithm, no function that another object could share (a weak symbol compiled for AVX-512 could be linked for
// every processor).
#include "kernels.hpp"

#include <cmath>
#include <limits>

#include "gemm.hpp"
#include "image.hpp"
#include "random.hpp"
#include "simd.hpp"

namespace skreg {
namespace SKREG_ISA {

// --------------------------------------------------------------------------------------- passes over long vectors

constexpr int64_t kLineBytes = 128;    // parts of a vector begin this far apart, two lines of a cache
constexpr double kPassPerByte = 0.02;  // nanoseconds of a pass that reads and writes cached memory

// body(i, n) for each vector of a run of n numbers; runs of the run at the same time.
template <class T, class Body>
inline void for_vectors_in_parts(int64_t count, int n_arrays, Body body) {
  const double one = kPassPerByte * double(n_arrays * int(sizeof(T)));
  parallel_ranges(count, kLineBytes / int64_t(sizeof(T)), one, [&](int64_t begin, int64_t end) {
    for_vectors<T>(end - begin, [&](int64_t i, int64_t n) { body(begin + i, n); });
  });
}

// ---------------------------------------------------------------------------------------------- sparse products

// Nanoseconds for a row on the average, forward or backward.
template <class T>
double sparse_row_time(const SparseRows<T>& x, int64_t n_columns) {
  const double n_entries = double(x.begin[x.n_rows] - x.begin[0]) / double(x.n_rows > 0 ? x.n_rows : 1);
  return n_entries * double(n_columns) * double(sizeof(T)) * kPassPerByte;
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

// ------------------------------------------------------------------------------------- activations and dropout
// An activation is its value at z and its derivative there, given z and the value h. Most derivatives follow from h, so
// that z need not be kept; the others are marked in SKREG_ACTIVATIONS.

template <class T>
struct Identity {
  static Vec<T> value(Vec<T> z) { return z; }
  static Vec<T> derivative(Vec<T>, Vec<T>) { return splat(T(1)); }
};

template <class T>
struct Logistic {
  static Vec<T> value(Vec<T> z) { return logistic<T>(z); }
  static Vec<T> derivative(Vec<T>, Vec<T> h) { return h * (T(1) - h); }
};

template <class T>
struct Tanh {
  static Vec<T> value(Vec<T> z) { return hyperbolic_tangent<T>(z); }
  static Vec<T> derivative(Vec<T>, Vec<T> h) { return T(1) - h * h; }
};

template <class T>
struct Relu {
  static Vec<T> value(Vec<T> z) { return z < T(0) ? Vec<T>{} : z; }  // NaN stays NaN
  static Vec<T> derivative(Vec<T>, Vec<T> h) { return h == T(0) ? Vec<T>{} : splat(T(1)); }
};

template <class T>
struct LeakyRelu {  // Maas, Hannun and Ng 2013, with slope 0.01
  static Vec<T> value(Vec<T> z) { return z < T(0) ? T(0.01) * z : z; }
  static Vec<T> derivative(Vec<T>, Vec<T> h) { return h < T(0) ? splat(T(0.01)) : splat(T(1)); }
};

template <class T>
struct Elu {  // Clevert, Unterthiner and Hochreiter 2016, with alpha 1
  static Vec<T> value(Vec<T> z) { return z < T(0) ? exponential_minus_one<T>(z) : z; }
  static Vec<T> derivative(Vec<T>, Vec<T> h) { return h < T(0) ? h + T(1) : splat(T(1)); }
};

template <class T>
struct Selu {  // Klambauer et al. 2017
  static constexpr T kScale = T(1.0507009873554804934), kAlpha = T(1.6732632423543772848);
  static Vec<T> value(Vec<T> z) { return kScale * (z < T(0) ? kAlpha * exponential_minus_one<T>(z) : z); }
  static Vec<T> derivative(Vec<T>, Vec<T> h) { return h < T(0) ? h + kScale * kAlpha : splat(kScale); }
};

// g(z) of h = z g(z); near 0, where the quotient is lost, g(0).
template <class T>
inline Vec<T> gate_of(Vec<T> z, Vec<T> h, T at_zero) {
  return absolute<T>(z) > T(1e-30) ? h / z : splat(at_zero);
}

template <class T>
struct Gelu {  // z Phi(z), Hendrycks and Gimpel 2016
  static Vec<T> value(Vec<T> z) { return z * normal_cdf<T>(z); }
  static Vec<T> derivative(Vec<T> z, Vec<T> h) {
    return gate_of<T>(z, h, T(0.5)) + z * (T(0.39894228040143267794) * exponential<T>(T(-0.5) * z * z));
  }
};

template <class T>
struct Silu {  // z sigmoid(z), Elfwing, Uchibe and Doya 2018
  static Vec<T> value(Vec<T> z) { return z * logistic<T>(z); }
  static Vec<T> derivative(Vec<T> z, Vec<T> h) {
    const Vec<T> s = gate_of<T>(z, h, T(0.5));
    return s + h * (T(1) - s);
  }
};

template <class T>
struct Mish {  // z tanh(log(1 + exp(z))), Misra 2020
  // tanh(log(1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2), which is 1 in both precisions from z = 20 on.
  static Vec<T> value(Vec<T> z) {
    const Vec<T> e = exponential<T>(z < T(20) ? z : splat(T(20)));
    const Vec<T> n = e * (e + T(2));
    return z * (n / (n + T(2)));
  }
  static Vec<T> derivative(Vec<T> z, Vec<T> h) {
    const Vec<T> g = gate_of<T>(z, h, T(0.6));
    return g + z * (T(1) - g * g) * logistic<T>(z);
  }
};

template <class T>
inline Vec<T> softplus(Vec<T> z) {
  return maximum<T>(z, Vec<T>{}) + log1p_unit<T>(exponential<T>(-absolute<T>(z)));
}

template <class T>
struct Softplus {  // log(1 + exp(z)), Dugas et al. 2001
  static Vec<T> value(Vec<T> z) { return z == z ? softplus<T>(z) : z; }
  static Vec<T> derivative(Vec<T> z, Vec<T>) { return logistic<T>(z); }
};

template <class T>
inline Vec<T> dropped(Vec<T> x, const uint16_t* bits, int64_t n, const Drop<T>& drop) {
  typedef uint16_t Bits __attribute__((vector_size(kLanes<T> * 2)));
  Bits b{};
  std::memcpy(&b, bits, size_t(n) * 2);
  const IntVec<T> draw = __builtin_convertvector(b, IntVec<T>);
  return draw < drop.threshold ? Vec<T>{} : x * drop.scale;
}

template <class T, bool kScale>
inline Vec<T> argument(const Argument<T>& a, int64_t i, int64_t j, int64_t n) {
  const int64_t at = i * a.ld + j;
  Vec<T> z = read(a.in + at, n);
  if (kScale) z = z * read(a.scale + j, n);
  if (a.shift) z += read(a.shift + j, n);
  if (a.branch) z = z * a.branch[i];
  if (a.link) z += read(a.link + at, n);
  return z;
}

template <class T, class Activation, bool kDrop, bool kScale>
void forward_tile(const Forward<T>& f, Tile t) {
  for (int64_t i = t.row; i < t.row + t.n_rows; ++i) {
    for_vectors<T>(t.n_columns, [&](int64_t offset, int64_t n) {
      const int64_t j = t.col + offset, at = i * f.z.ld + j;
      Vec<T> h = Activation::value(argument<T, kScale>(f.z, i, j, n));
      if (kDrop) h = dropped(h, f.drop.bits + at, n, f.drop);
      write(f.out + at, h, n);
    });
  }
}

template <class T, class Activation>
void forward_of(const Forward<T>& f, Tile t) {
  if (f.drop.bits) {
    f.z.scale ? forward_tile<T, Activation, true, true>(f, t) : forward_tile<T, Activation, true, false>(f, t);
  } else {
    f.z.scale ? forward_tile<T, Activation, false, true>(f, t) : forward_tile<T, Activation, false, false>(f, t);
  }
}

template <class T, class Activation, bool kNeedsInput, bool kDrop>
void backward_tile(const Backward<T>& b, Tile t) {
  const T keep = T(1) / b.drop.scale;
  for (int64_t i = t.row; i < t.row + t.n_rows; ++i) {
    for_vectors<T>(t.n_columns, [&](int64_t offset, int64_t n) {
      const int64_t j = t.col + offset, at = i * b.z.ld + j;
      Vec<T> z{}, h = read(b.out + at, n);
      if (kNeedsInput) {
        z = b.z.scale ? argument<T, true>(b.z, i, j, n) : argument<T, false>(b.z, i, j, n);
        if (kDrop) h = Activation::value(z);  // out is 0 where the unit was dropped
      } else if (kDrop) {
        h = h * keep;
      }
      Vec<T> d = read(b.delta + at, n) * Activation::derivative(z, h);
      if (kDrop) d = dropped(d, b.drop.bits + at, n, b.drop);
      write(b.delta + at, d, n);
    });
  }
}

template <class T, class Activation, bool kNeedsInput>
void backward_of(const Backward<T>& b, Tile t) {
  b.drop.bits ? backward_tile<T, Activation, kNeedsInput, true>(b, t)
              : backward_tile<T, Activation, kNeedsInput, false>(b, t);
}

template <class T>
void drop_values(T* x, int64_t count, const Drop<T>& drop) {
  for_vectors_in_parts<T>(
      count, 2, [&](int64_t i, int64_t n) { write(x + i, dropped(read(x + i, n), drop.bits + i, n, drop), n); });
}

// --------------------------------------------------------------------------------------------- batch normalization
// Columns in vectors, rows in order: two passes, since E[x^2] - E[x]^2 cancels in float32.

template <int kValue>
struct Constant {
  static constexpr int value = kValue;
};

// Calls body(j, n) for each vector of columns of a matrix, several at the same time.
template <class T, class Body>
inline void for_columns(int64_t n_rows, int64_t n_columns, Body body) {
  const double one_column = kPassPerByte * double(n_rows * int64_t(sizeof(T)));
  parallel_ranges(n_columns, kLineBytes / int64_t(sizeof(T)), one_column, [&](int64_t begin, int64_t end) {
    for_vectors<T>(end - begin, [&](int64_t j, int64_t n) { body(begin + j, n); });
  });
}

// The same for several vectors of a row at once, which follows the order of memory: body(width, j, n) for `width`
// vectors from column j, a constant; n counts the columns of a single one.
template <class T, class Body>
inline void for_column_blocks(int64_t n_rows, int64_t n_columns, Body body) {
  constexpr int64_t kWidth = 4, kColumns = kWidth * kLanes<T>;
  const double one_column = kPassPerByte * double(n_rows * int64_t(sizeof(T)));
  parallel_ranges(n_columns, kColumns, one_column, [&](int64_t begin, int64_t end) {
    for (; begin + kColumns <= end; begin += kColumns) body(Constant<kWidth>{}, begin, kLanes<T>);
    for_vectors<T>(end - begin, [&](int64_t j, int64_t n) { body(Constant<1>{}, begin + j, n); });
  });
}

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

template <class T, bool kMoments>
void norm_backward_row(T* delta, const T* x_hat, int64_t n_columns, T share, const T* scale, const T* inverse_std,
                       const T* sum, const T* sum_x_hat) {
  for_vectors<T>(n_columns, [=](int64_t j, int64_t n) {
    Vec<T> d = read(delta + j, n);
    if (kMoments) d -= share * (read(sum + j, n) + read(x_hat + j, n) * read(sum_x_hat + j, n));
    write(delta + j, d * (read(scale + j, n) * read(inverse_std + j, n)), n);
  });
}

template <class T>
void norm_backward(T* delta, const T* x_hat, int64_t n_rows, int64_t n_columns, const T* share, const T* scale,
                   const T* inverse_std, const T* sum, const T* sum_x_hat) {
  const double one_row = kPassPerByte * double(3 * n_columns * int64_t(sizeof(T)));
  const auto row = share ? norm_backward_row<T, true> : norm_backward_row<T, false>;
  parallel_ranges(n_rows, 1, one_row, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = i * n_columns;
      row(delta + at, x_hat + at, n_columns, share ? share[i] : T(0), scale, inverse_std, sum, sum_x_hat);
    }
  });
}

// ---------------------------------------------------------------------------------------------- layer normalization

template <class T>
inline Vec<T> first_lanes_only(Vec<T> v, int64_t n) {
  return n == kLanes<T> ? v : first_lanes_of<T>(v, n, 0);
}

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

// --------------------------------------------------------------------------------------------- elementwise on tiles

template <class T, class Body>
inline void for_tile(int64_t ld, Tile t, Body body) {
  for (int64_t i = t.row; i < t.row + t.n_rows; ++i) {
    for_vectors<T>(t.n_columns, [&](int64_t j, int64_t n) { body(i * ld + t.col + j, n); });
  }
}

template <class T>
void modulate(const T* x, const T* factor, T pivot, T base, T* out, int64_t ld, Tile t) {
  for_tile<T>(ld, t, [&](int64_t at, int64_t n) {
    write(out + at, read(factor + at, n) * (read(x + at, n) - pivot) + base, n);
  });
}

template <class T>
void add(T* y, const T* x, int64_t ld, Tile t) {
  for_tile<T>(ld, t, [&](int64_t at, int64_t n) { write(y + at, read(y + at, n) + read(x + at, n), n); });
}

template <class T>
void multiply_by(T* y, const T* x, int64_t ld, Tile t) {
  for_tile<T>(ld, t, [&](int64_t at, int64_t n) { write(y + at, read(y + at, n) * read(x + at, n), n); });
}

// ------------------------------------------------------------------------------------------------------- losses

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
double huber(const LossBatch<T>& b) {
  Sum<T> loss;
  const T c = b.threshold;
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
double quantile(const LossBatch<T>& b) {
  Sum<T> loss;
  for_outputs(b, [&](int64_t at, int64_t n, Vec<T> share) {
    const Vec<T> d = read(b.z + at, n) - read(b.target + at, n);
    const Vec<T> level = b.n_outputs == 1 ? splat(b.level[0]) : read(b.level + at % b.n_outputs, n);
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
double binary_log_loss(const LossBatch<T>& b) {
  Sum<T> loss;
  for_outputs(b, [&](int64_t at, int64_t n, Vec<T> share) {
    const Vec<T> z = read(b.z + at, n), y = read(b.target + at, n);
    loss.add(first_lanes_only<T>(weighted<T>(share, softplus<T>(z) - y * z), n));
    const Vec<T> soft = y + b.smoothing * (T(0.5) - y);
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
double softmax_log_loss(const LossBatch<T>& b) {
  double loss = 0;
  for (int64_t i = 0; i < b.n_rows; ++i) {
    const T* z = b.z + i * b.n_outputs;
    T* delta = b.delta ? b.delta + i * b.n_outputs : nullptr;
    const T share = b.share[i], top = largest(z, b.n_outputs);
    const T total = shifted_exponentials(z, b.n_outputs, top, delta);
    if (delta) {
      const T factor = share / total, spread = share * (b.smoothing / T(b.n_outputs));
      for_vectors<T>(b.n_outputs, [&](int64_t j, int64_t n) {
        write(delta + j, share == T(0) ? Vec<T>{} : read(delta + j, n) * factor - spread, n);
      });
    }
    const T expected = subtract_target(b, i, z, share * (T(1) - b.smoothing), delta);
    if (share != 0) loss += double(share) * (std::log(total) - (expected - top));
  }
  return loss;
}

template <class T>
void exponential_of(T* z, int64_t count) {
  for_vectors<T>(count, [&](int64_t i, int64_t n) { write(z + i, exponential<T>(read(z + i, n)), n); });
}

template <class T>
void logistic_of(T* z, int64_t count) {
  for_vectors<T>(count, [&](int64_t i, int64_t n) { write(z + i, logistic<T>(read(z + i, n)), n); });
}

template <class T>
void softmax_of(T* z, int64_t n_rows, int64_t n_columns) {
  for (int64_t i = 0; i < n_rows; ++i, z += n_columns) {
    const T total = shifted_exponentials(z, n_columns, largest(z, n_columns), z);
    for (int64_t j = 0; j < n_columns; ++j) z[j] /= total;
  }
}

// ---------------------------------------------------------------------------------------- optimizers and penalties

template <class T>
void sgd(T* w, T* velocity, const T* gradient, int64_t count, T rate, T momentum, bool nesterov) {
  for_vectors_in_parts<T>(count, 5, [=](int64_t i, int64_t n) {
    const Vec<T> move = rate * read(gradient + i, n);
    const Vec<T> v = momentum * read(velocity + i, n) - move;
    write(velocity + i, v, n);
    write(w + i, read(w + i, n) + (nesterov ? momentum * v - move : v), n);
  });
}

template <class T>
void adam(T* w, T* m, T* v, const T* gradient, int64_t count, T rate, T beta_1, T one_minus_beta_1, T beta_2,
          T one_minus_beta_2, T epsilon) {
  for_vectors_in_parts<T>(count, 7, [=](int64_t i, int64_t n) {
    const Vec<T> g = read(gradient + i, n);
    const Vec<T> mean = beta_1 * read(m + i, n) + one_minus_beta_1 * g;
    const Vec<T> square = beta_2 * read(v + i, n) + one_minus_beta_2 * (g * g);
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
  parallel_ranges(n_pieces, 1, kPassPerByte * double(piece * int64_t(sizeof(T))), [&](int64_t begin, int64_t end) {
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

// ------------------------------------------------------------------------------------------------ random numbers

typedef uint64_t Wide __attribute__((vector_size(kVectorBytes)));
constexpr int kWideLanes = kVectorBytes / 8;

// Products of the lower 32 bits of each lane; the upper ones may hold anything.
inline Wide multiply_low(Wide a, uint32_t b) {
#if defined(__AVX512F__)
  return (Wide)_mm512_maskz_mul_epu32(0xff, (__m512i)a, _mm512_set1_epi64(b));
#elif defined(__AVX2__)
  return (Wide)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(b));
#elif defined(__x86_64__)
  return (Wide)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(b));
#else
  return (a & 0xffffffffu) * uint64_t(b);
#endif
}

// Philox4x32-10 on one block a lane, lower 32 bits of each lane (see random.hpp for the order of the draws).
inline void philox_lanes(Wide c0, uint32_t stream, uint64_t step, uint64_t seed, uint16_t* first, uint16_t* second) {
  Wide c1 = Wide{} + stream, c2 = Wide{} + uint32_t(step), c3 = Wide{} + uint32_t(step >> 32);
  uint32_t key0 = uint32_t(seed), key1 = uint32_t(seed >> 32);
#pragma GCC unroll 10
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const Wide p0 = multiply_low(c0, kPhiloxMultiplier0), p1 = multiply_low(c2, kPhiloxMultiplier1);
    c0 = (p1 >> 32) ^ c1 ^ uint64_t(key0);
    c2 = (p0 >> 32) ^ c3 ^ uint64_t(key1);
    c1 = p1;
    c3 = p0;
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  const Wide low = (c0 & 0xffffffffu) | c1 << 32, high = (c2 & 0xffffffffu) | c3 << 32;
  std::memcpy(first, &low, sizeof low);
  std::memcpy(second, &high, sizeof high);
}

constexpr double kDraw = 0.15;  // nanoseconds

void random_bits(uint64_t seed, uint64_t step, uint32_t stream, int64_t n, uint16_t* out) {
  Wide lane;
  for (int i = 0; i < kWideLanes; ++i) lane[i] = uint64_t(i);
  parallel_ranges(n, kDrawsPerGroup, kDraw, [=](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += kDrawsPerGroup) {
      const uint64_t block = uint64_t(at / kDrawsPerGroup * 16);
      for (int l = 0; l < 16; l += kWideLanes) {
        philox_lanes(lane + (block + uint64_t(l)), stream, step, seed, out + at + 4 * l, out + at + 64 + 4 * l);
      }
    }
  });
}

// Calls body(offset, words, n) for each group of 64 draws of 32 bits: word k is made of the draws 2 k and 2 k + 1 of
// random_bits.
template <class Body>
inline void for_words(uint64_t seed, uint64_t step, uint32_t stream, int64_t count, Body body) {
  constexpr int64_t n_words = kDrawsPerGroup / 2;
  Wide lane;
  for (int i = 0; i < kWideLanes; ++i) lane[i] = uint64_t(i);
  uint16_t bits[kDrawsPerGroup];
  uint32_t words[n_words];
  for (int64_t at = 0, block = 0; at < count; at += n_words, block += 16) {
    for (int l = 0; l < 16; l += kWideLanes) {
      philox_lanes(lane + uint64_t(block + l), stream, step, seed, bits + 4 * l, bits + 64 + 4 * l);
    }
    std::memcpy(words, bits, sizeof words);
    body(at, words, count - at < n_words ? count - at : n_words);
  }
}

inline void uniforms_of(const uint32_t* words, int64_t n, float* out) {  // 23 bits: more would round up to 1
  for (int64_t i = 0; i < n; ++i) out[i] = (float(int32_t(words[i] >> 9)) + 0.5f) * 0x1p-23f;
}

inline void uniforms_of(const uint32_t* words, int64_t n, double* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = (double(words[i]) + 0.5) * 0x1p-32;
}

template <class T>
void uniforms(uint64_t seed, uint64_t step, uint32_t stream, int64_t count, T* out) {
  for_words(seed, step, stream, count,
            [&](int64_t at, const uint32_t* words, int64_t n) { uniforms_of(words, n, out + at); });
}

// One bit is the sign, 31 make the probability of the tail: numbers up to 6.4 in size.
template <class T>
void normals(uint64_t seed, uint64_t step, uint32_t stream, int64_t count, T* out) {
  for_words(seed, step, stream, count, [&](int64_t at, const uint32_t* words, int64_t n) {
    float z[kDrawsPerGroup / 2];
    for (int64_t i = 0; i < kDrawsPerGroup / 2; i += kLanes<float>) {
      IntVec<float> w;
      std::memcpy(&w, words + i, sizeof w);
      const Vec<float> p = (__builtin_convertvector(w & 0x7fffffff, Vec<float>) + 0.5f) * 0x1p-32f;
      const Vec<float> lower = normal_quantile_lower(p < 0.5f ? p : splat(0.5f));
      store(z + i, w < 0 ? lower : -lower);
    }
    for (int64_t i = 0; i < n; ++i) out[at + i] = T(z[i]);
  });
}

// ------------------------------------------------------------------------------------------------------ the table

#define SKREG_STRING_(x) #x
#define SKREG_STRING(x) SKREG_STRING_(x)

#define SKREG_FORWARD(name, part, needs_input) forward_of<T, part<T>>,
#define SKREG_BACKWARD(name, part, needs_input) backward_of<T, part<T>, needs_input>,

template <class T>
const Kernels<T>& table() {
  static const Kernels<T> k = {
      SKREG_STRING(SKREG_ISA),
      multiply<T>,
      sparse_forward<T>,
      sparse_backward<T>,
      {SKREG_ACTIVATIONS(SKREG_FORWARD)},
      {SKREG_ACTIVATIONS(SKREG_BACKWARD)},
      moments<T>,
      normalize<T>,
      norm_sums<T>,
      norm_backward<T>,
      normalize_rows<T>,
      normalize_rows_backward<T>,
      modulate<T>,
      add<T>,
      multiply_by<T>,
      squared_error<T>,
      absolute_error<T>,
      huber<T>,
      quantile<T>,
      poisson<T>,
      binary_log_loss<T>,
      softmax_log_loss<T>,
      exponential_of<T>,
      logistic_of<T>,
      softmax_of<T>,
      sgd<T>,
      adam<T>,
      adam_metric<T>,
      sum_of_squares<T>,
      sum_of_magnitudes<T>,
      approach<T>,
      add_scaled<T>,
      scale<T>,
      soft_threshold<T>,
      group_threshold<T>,
      limit_columns<T>,
      all_finite<T>,
      random_bits,
      drop_values<T>,
      uniforms<T>,
      normals<T>,
      warp<T>,
      smooth<T>,
  };
  return k;
}

}  // namespace SKREG_ISA
}  // namespace skreg

#define SKREG_JOIN_(a, b, c) a##b##c
#define SKREG_JOIN(a, b, c) SKREG_JOIN_(a, b, c)

namespace skreg {
const Kernels<float>& SKREG_JOIN(kernels_, SKREG_ISA, _float)() { return SKREG_ISA::table<float>(); }
const Kernels<double>& SKREG_JOIN(kernels_, SKREG_ISA, _double)() { return SKREG_ISA::table<double>(); }
}  // namespace skreg
