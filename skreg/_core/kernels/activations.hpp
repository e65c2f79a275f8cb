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

// An activation is its value at z, and its derivative there, which mostly follows from the value h. Where it does not,
// the activation gives both at once, since they share most of their work, and the block keeps the derivatives; these
// are marked in SKREG_ACTIVATIONS.

template <class T>
struct Identity {
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return z; }
  SKREG_INLINE static Vec<T> derivative(Vec<T>) { return splat(T(1)); }
};

template <class T>
struct Logistic {
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return logistic<T>(z); }
  SKREG_INLINE static Vec<T> derivative(Vec<T> h) { return h * (T(1) - h); }
};

template <class T>
struct Tanh {
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return hyperbolic_tangent<T>(z); }
  SKREG_INLINE static Vec<T> derivative(Vec<T> h) { return T(1) - h * h; }
};

template <class T>
struct Relu {
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return z < T(0) ? Vec<T>{} : z; }  // NaN stays NaN
  SKREG_INLINE static Vec<T> derivative(Vec<T> h) { return h == T(0) ? Vec<T>{} : splat(T(1)); }
};

template <class T>
struct LeakyRelu {  // Maas, Hannun and Ng 2013, with slope 0.01
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return z < T(0) ? T(0.01) * z : z; }
  SKREG_INLINE static Vec<T> derivative(Vec<T> h) { return h < T(0) ? splat(T(0.01)) : splat(T(1)); }
};

template <class T>
struct Elu {  // Clevert, Unterthiner and Hochreiter 2016, with alpha 1
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return z < T(0) ? exponential_minus_one<T>(z) : z; }
  SKREG_INLINE static Vec<T> derivative(Vec<T> h) { return h < T(0) ? h + T(1) : splat(T(1)); }
};

template <class T>
struct Selu {  // Klambauer et al. 2017
  static constexpr T kScale = T(1.0507009873554804934), kAlpha = T(1.6732632423543772848);
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return kScale * (z < T(0) ? kAlpha * exponential_minus_one<T>(z) : z); }
  SKREG_INLINE static Vec<T> derivative(Vec<T> h) { return h < T(0) ? h + kScale * kAlpha : splat(kScale); }
};

template <class T>
struct Graph {  // of an activation at z
  Vec<T> value, slope;
};

template <class T, class Activation>
struct GivesSlope {
  SKREG_INLINE static Vec<T> value(Vec<T> z) { return Activation::at(z).value; }
};

template <class T>
struct Gelu : GivesSlope<T, Gelu<T>> {  // z Phi(z), Hendrycks and Gimpel 2016
  SKREG_INLINE static Graph<T> at(Vec<T> z) {
    const Normal<T> normal = normal_at(z);
    return {z * normal.distribution, fused(z, normal.density, normal.distribution)};
  }
};

template <class T>
struct Silu : GivesSlope<T, Silu<T>> {  // z sigmoid(z), Elfwing, Uchibe and Doya 2018
  SKREG_INLINE static Graph<T> at(Vec<T> z) {
    const Vec<T> gate = logistic<T>(z), h = z * gate;
    return {h, fused(h, T(1) - gate, gate)};
  }
};

template <class T>
struct Mish : GivesSlope<T, Mish<T>> {  // z tanh(log(1 + exp(z))), Misra 2020
  // With e = exp(z) and n = e (e + 2) the gate tanh(log(1 + e)) is n / (n + 2), and its derivative 4 e (e + 1) / (n +
  // 2)^2. From z = 20 on they are 1 and 0 in both precisions.
  SKREG_INLINE static Graph<T> at(Vec<T> z) {
    const Vec<T> e = exponential<T>(z < T(20) ? z : splat(T(20)));
    const Vec<T> inverse = T(1) / fused(e, e + T(2), splat(T(2))), gate = e * ((e + T(2)) * inverse);
    const Vec<T> rise = T(4) * (e * inverse) * ((e + T(1)) * inverse);
    return {z * gate, fused(z, z < T(20) ? rise : Vec<T>{}, gate)};
  }
};

template <class T>
SKREG_INLINE Vec<T> softplus(Vec<T> z) {
  return maximum<T>(z, Vec<T>{}) + log1p_unit<T>(exponential<T>(-absolute<T>(z)));
}

template <class T>
struct Softplus : GivesSlope<T, Softplus<T>> {  // log(1 + exp(z)), Dugas et al. 2001
  SKREG_INLINE static Graph<T> at(Vec<T> z) {
    const Vec<T> e = exponential<T>(-absolute<T>(z)), larger = T(1) / (T(1) + e);
    return {z == z ? maximum<T>(z, Vec<T>{}) + log1p_unit<T>(e) : z, z < T(0) ? e * larger : larger};
  }
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

// Writes what becomes of a vector of arguments z; the slopes too where they are kept.
template <class T, class Activation, bool kSlope, bool kDrop>
SKREG_INLINE void activate(Vec<T> z, T* out, T* slope, const uint16_t* bits, Drop<T> drop, int64_t n) {
  Vec<T> h;
  if constexpr (kSlope) {
    const Graph<T> graph = Activation::at(z);
    h = graph.value;
    write(slope, graph.slope, n);
  } else {
    h = Activation::value(z);
  }
  write(out, kDrop ? dropped(h, bits, n, drop) : h, n);
}

template <class T, class Activation, bool kSlope, bool kDrop, Form kForm>
void forward_tile(const Forward<T>& f, Tile t) {
  for (int64_t i = t.row; i < t.row + t.n_rows; ++i) {
    const ArgumentRow<T> z(f.z, i, t.col);
    const int64_t first = i * f.z.ld + t.col;
    T* const out = f.out + first;
    T* const slope = kSlope ? f.slope + first : nullptr;
    const uint16_t* const bits = kDrop ? f.drop.bits + first : nullptr;
    for_vectors<T>(t.n_columns, [=, drop = f.drop](int64_t j, int64_t n) {
      activate<T, Activation, kSlope, kDrop>(z.template at<kForm>(j, n), out + j, slope + j, bits + j, drop, n);
    });
  }
}

// Layers of one unit: their rows lie side by side.
template <class T, class Activation, bool kSlope, bool kDrop>
void forward_column(const Forward<T>& f, Tile t) {
  const T scale = f.z.scale ? *f.z.scale : T(1), shift = f.z.shift ? *f.z.shift : T(0);
  const T* const in = f.z.in + t.row;
  T* const out = f.out + t.row;
  T* const slope = kSlope ? f.slope + t.row : nullptr;
  const uint16_t* const bits = kDrop ? f.drop.bits + t.row : nullptr;
  for_vectors<T>(t.n_rows, [=, drop = f.drop](int64_t i, int64_t n) {
    const Vec<T> z = fused(splat(scale), read(in + i, n), splat(shift));
    activate<T, Activation, kSlope, kDrop>(z, out + i, slope + i, bits + i, drop, n);
  });
}

template <class T, class Activation, bool kSlope, bool kDrop>
void forward_of_form(const Forward<T>& f, Tile t) {
  if (f.z.ld == 1 && !f.z.link) return forward_column<T, Activation, kSlope, kDrop>(f, t);
  switch (form_of(f.z)) {
    case Form::kShifted:
      return forward_tile<T, Activation, kSlope, kDrop, Form::kShifted>(f, t);
    case Form::kScaledAndShifted:
      return forward_tile<T, Activation, kSlope, kDrop, Form::kScaledAndShifted>(f, t);
    default:
      return forward_tile<T, Activation, kSlope, kDrop, Form::kAny>(f, t);
  }
}

template <class T, class Activation, bool kSlope>
void forward_with(const Forward<T>& f, Tile t) {
  f.drop.bits ? forward_of_form<T, Activation, kSlope, true>(f, t)
              : forward_of_form<T, Activation, kSlope, false>(f, t);
}

template <class T, class Activation, bool kGivesSlope>
void forward_of(const Forward<T>& f, Tile t) {
  if (kGivesSlope && f.slope) return forward_with<T, Activation, kGivesSlope>(f, t);
  forward_with<T, Activation, false>(f, t);
}

template <class T, class Activation, bool kGivesSlope, bool kDrop>
void backward_tile(const Backward<T>& b, Tile t) {
  const T keep = T(1) / b.drop.scale;
  for (int64_t i = t.row; i < t.row + t.n_rows; ++i) {
    const int64_t first = i * b.ld + t.col;
    const T* const known = (kGivesSlope ? b.slope : b.out) + first;
    T* const delta = b.delta + first;
    const uint16_t* const bits = kDrop ? b.drop.bits + first : nullptr;
    for_vectors<T>(t.n_columns, [=, drop = b.drop](int64_t j, int64_t n) {
      Vec<T> slope = read(known + j, n);
      if constexpr (!kGivesSlope) slope = Activation::derivative(kDrop ? slope * keep : slope);
      const Vec<T> d = read(delta + j, n) * slope;
      write(delta + j, kDrop ? dropped(d, bits + j, n, drop) : d, n);
    });
  }
}

template <class T, class Activation, bool kGivesSlope>
void backward_of(const Backward<T>& b, Tile t) {
  b.drop.bits ? backward_tile<T, Activation, kGivesSlope, true>(b, t)
              : backward_tile<T, Activation, kGivesSlope, false>(b, t);
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
