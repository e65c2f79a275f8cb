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
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return z; }
  SKREG_INLINE static Vec<T> derivative(Vec<T>, Vec<T>) { return splat(T(1)); }
};

template <class T>
struct Logistic {
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return logistic<T>(z); }
  SKREG_INLINE static Vec<T> derivative(Vec<T>, Vec<T> h) { return h * (T(1) - h); }
};

template <class T>
struct Tanh {
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return hyperbolic_tangent<T>(z); }
  SKREG_INLINE static Vec<T> derivative(Vec<T>, Vec<T> h) { return T(1) - h * h; }
};

template <class T>
struct Relu {
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return z < T(0) ? Vec<T>{} : z; }  // NaN stays NaN
  SKREG_INLINE static Vec<T> derivative(Vec<T>, Vec<T> h) { return h == T(0) ? Vec<T>{} : splat(T(1)); }
};

template <class T>
struct LeakyRelu {  // Maas, Hannun and Ng 2013, with slope 0.01
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return z < T(0) ? T(0.01) * z : z; }
  SKREG_INLINE static Vec<T> derivative(Vec<T>, Vec<T> h) { return h < T(0) ? splat(T(0.01)) : splat(T(1)); }
};

template <class T>
struct Elu {  // Clevert, Unterthiner and Hochreiter 2016, with alpha 1
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return z < T(0) ? exponential_minus_one<T>(z) : z; }
  SKREG_INLINE static Vec<T> derivative(Vec<T>, Vec<T> h) { return h < T(0) ? h + T(1) : splat(T(1)); }
};

template <class T>
struct Selu {  // Klambauer et al. 2017
  static constexpr T kScale = T(1.0507009873554804934), kAlpha = T(1.6732632423543772848);
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return kScale * (z < T(0) ? kAlpha * exponential_minus_one<T>(z) : z); }
  SKREG_INLINE static Vec<T> derivative(Vec<T>, Vec<T> h) { return h < T(0) ? h + kScale * kAlpha : splat(kScale); }
};

// g(z) of h = z g(z); near 0, where the quotient is lost, g(0).
template <class T>
SKREG_INLINE Vec<T> gate_of(Vec<T> z, Vec<T> h, T at_zero) {
  return absolute<T>(z) > T(1e-30) ? h / z : splat(at_zero);
}

template <class T>
struct Gelu {  // z Phi(z), Hendrycks and Gimpel 2016
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return z * normal_cdf(z); }
  SKREG_INLINE static Vec<T> derivative(Vec<T> z, Vec<T> h) {
    return gate_of<T>(z, h, T(0.5)) + z * (T(0.39894228040143267794) * exponential<T>(T(-0.5) * z * z));
  }
};

template <class T>
struct Silu {  // z sigmoid(z), Elfwing, Uchibe and Doya 2018
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return z * logistic<T>(z); }
  SKREG_INLINE static Vec<T> derivative(Vec<T> z, Vec<T> h) {
    const Vec<T> s = gate_of<T>(z, h, T(0.5));
    return s + h * (T(1) - s);
  }
};

template <class T>
struct Mish {  // z tanh(log(1 + exp(z))), Misra 2020
  // tanh(log(1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2), which is 1 in both precisions from z = 20 on.
  SKREG_INLINE static Vec<T> value(Vec<T> z) {
    const Vec<T> e = exponential<T>(z < T(20) ? z : splat(T(20)));
    const Vec<T> n = e * (e + T(2));
    return z * (n / (n + T(2)));
  }
  SKREG_INLINE static Vec<T> derivative(Vec<T> z, Vec<T> h) {
    const Vec<T> g = gate_of<T>(z, h, T(0.6));
    return g + z * (T(1) - g * g) * logistic<T>(z);
  }
};

template <class T>
SKREG_INLINE Vec<T> softplus(Vec<T> z) {
  return maximum<T>(z, Vec<T>{}) + log1p_unit<T>(exponential<T>(-absolute<T>(z)));
}

template <class T>
struct Softplus {  // log(1 + exp(z)), Dugas et al. 2001
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return z == z ? softplus<T>(z) : z; }
  SKREG_INLINE static Vec<T> derivative(Vec<T> z, Vec<T>) { return logistic<T>(z); }
};

template <class T>
inline Vec<T> dropped(Vec<T> x, const uint16_t* bits, int64_t n, const Drop<T>& drop) {
  typedef uint16_t Bits __attribute__((vector_size(kLanes<T> * 2)));
  Bits b{};
  std::memcpy(&b, bits, size_t(n) * 2);
  const IntVec<T> draw = __builtin_convertvector(b, IntVec<T>);
  return draw < drop.threshold ? Vec<T>{} : x * drop.scale;
}

// The two forms of an argument that most layers have get loops of their own.
enum class Form { kShifted, kScaledAndShifted, kAny };

template <class T>
Form form_of(const Argument<T>& a) {
  if (a.link || !a.shift) return Form::kAny;
  return a.scale ? Form::kScaledAndShifted : Form::kShifted;
}

// A row of an argument, from the first column of a tile on. Bodies of loops take it by value, as all else that they
// read: what is written cannot be a part of it, so that it stays in registers.
template <class T>
struct ArgumentRow {
  const T *in, *scale, *shift, *link;
  T branch;

  ArgumentRow(const Argument<T>& a, int64_t row, int64_t col)
      : in(a.in + row * a.ld + col),
        scale(a.scale ? a.scale + col : nullptr),
        shift(a.shift ? a.shift + col : nullptr),
        link(a.link ? a.link + row * a.ld + col : nullptr),
        branch(a.branch ? a.branch[row] : T(1)) {}

  template <Form kForm>
  Vec<T> at(int64_t j, int64_t n) const {
    Vec<T> z = read(in + j, n);
    if (kForm == Form::kShifted) return z + read(shift + j, n);
    if (kForm == Form::kScaledAndShifted) return fused(z, read(scale + j, n), read(shift + j, n));
    const Vec<T> moved = shift ? read(shift + j, n) : Vec<T>{};
    z = scale ? fused(z, read(scale + j, n), moved) : z + moved;
    return link ? fused(z, splat(branch), read(link + j, n)) : z;
  }
};

template <class T, class Activation, bool kDrop, Form kForm>
void forward_tile(const Forward<T>& f, Tile t) {
  for (int64_t i = t.row; i < t.row + t.n_rows; ++i) {
    const ArgumentRow<T> z(f.z, i, t.col);
    const int64_t first = i * f.z.ld + t.col;
    T* const out = f.out + first;
    const uint16_t* const bits = kDrop ? f.drop.bits + first : nullptr;
    for_vectors<T>(t.n_columns, [=, drop = f.drop](int64_t j, int64_t n) {
      Vec<T> h = Activation::value(z.template at<kForm>(j, n));
      if (kDrop) h = dropped(h, bits + j, n, drop);
      write(out + j, h, n);
    });
  }
}

// Layers of one unit: their rows lie side by side.
template <class T, class Activation, bool kDrop>
void forward_column(const Forward<T>& f, Tile t) {
  const T scale = f.z.scale ? *f.z.scale : T(1), shift = f.z.shift ? *f.z.shift : T(0);
  const T* const in = f.z.in + t.row;
  T* const out = f.out + t.row;
  const uint16_t* const bits = kDrop ? f.drop.bits + t.row : nullptr;
  for_vectors<T>(t.n_rows, [=, drop = f.drop](int64_t i, int64_t n) {
    Vec<T> h = Activation::value(fused(splat(scale), read(in + i, n), splat(shift)));
    if (kDrop) h = dropped(h, bits + i, n, drop);
    write(out + i, h, n);
  });
}

template <class T, class Activation, bool kDrop>
void forward_of_form(const Forward<T>& f, Tile t) {
  if (f.z.ld == 1 && !f.z.link) return forward_column<T, Activation, kDrop>(f, t);
  switch (form_of(f.z)) {
    case Form::kShifted:
      return forward_tile<T, Activation, kDrop, Form::kShifted>(f, t);
    case Form::kScaledAndShifted:
      return forward_tile<T, Activation, kDrop, Form::kScaledAndShifted>(f, t);
    default:
      return forward_tile<T, Activation, kDrop, Form::kAny>(f, t);
  }
}

template <class T, class Activation>
void forward_of(const Forward<T>& f, Tile t) {
  f.drop.bits ? forward_of_form<T, Activation, true>(f, t) : forward_of_form<T, Activation, false>(f, t);
}

template <class T, class Activation, bool kNeedsInput, bool kDrop>
void backward_tile(const Backward<T>& b, Tile t) {
  const T keep = T(1) / b.drop.scale;
  for (int64_t i = t.row; i < t.row + t.n_rows; ++i) {
    const ArgumentRow<T> argument(b.z, i, t.col);
    const int64_t first = i * b.z.ld + t.col;
    const T* const out = b.out + first;
    T* const delta = b.delta + first;
    const uint16_t* const bits = kDrop ? b.drop.bits + first : nullptr;
    for_vectors<T>(t.n_columns, [=, drop = b.drop](int64_t j, int64_t n) {
      Vec<T> z{}, h = read(out + j, n);
      if (kNeedsInput) {
        z = argument.template at<Form::kAny>(j, n);
        if (kDrop) h = Activation::value(z);  // out is 0 where the unit was dropped
      } else if (kDrop) {
        h = h * keep;
      }
      Vec<T> d = read(delta + j, n) * Activation::derivative(z, h);
      if (kDrop) d = dropped(d, bits + j, n, drop);
      write(delta + j, d, n);
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
