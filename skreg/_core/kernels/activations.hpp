// Hot loops of activations and dropout, and what else acts on the elements of a tile.
//
// Included by kernels.cpp alone, inside the namespace named after the instruction set.
#pragma once

#include <cstring>

#include "../kernels.hpp"
#include "../simd.hpp"
#include "passes.hpp"

namespace skreg {
namespace SKREG_ISA {

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
__attribute__((always_inline)) inline Vec<T> argument(const Argument<T>& a, int64_t i, int64_t j, int64_t n) {
  const int64_t at = i * a.ld + j;
  Vec<T> z = read(a.in + at, n);
  if (kScale) z = z * read(a.scale + j, n);
  if (a.shift) z += read(a.shift + j, n);
  if (a.branch) z = z * a.branch[i];
  if (a.link) z += read(a.link + at, n);
  return z;
}

// By value, here and below: what is written cannot be a part of it, so that it stays in registers.
template <class T, class Activation, bool kDrop, bool kScale>
void forward_tile(const Forward<T> f, const Tile t) {
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
void backward_tile(const Backward<T> b, const Tile t) {
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
void drop(T* x, int64_t count, const Drop<T>& mask) {
  for_vectors_in_parts<T>(
      count, 2, [&](int64_t i, int64_t n) { write(x + i, dropped(read(x + i, n), mask.bits + i, n, mask), n); });
}

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
void multiply(T* y, const T* x, int64_t ld, Tile t) {
  for_tile<T>(ld, t, [&](int64_t at, int64_t n) { write(y + at, read(y + at, n) * read(x + at, n), n); });
}

}  // namespace SKREG_ISA
}  // namespace skreg
