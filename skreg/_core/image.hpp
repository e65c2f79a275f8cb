// Hot loops over one picture, channels last: warps by a map of coordinates, and separable Gaussian smoothing.
//
// Included by kernels.cpp alone, inside the namespace named after the instruction set. A pixel with its channel is one
// lane, so that grey and coloured pictures go through the same code.
#pragma once

#include <cmath>

#include "kernels.hpp"
#include "simd.hpp"

namespace skreg {
namespace SKREG_ISA {

// ------------------------------------------------------------------------------------------------------- gathers

#if defined(__AVX512F__)  // masked, since GCC 12 warns of the unmasked ones
inline Vec<float> gather(const float* p, IntVec<float> at) {
  return (Vec<float>)_mm512_mask_i32gather_ps(_mm512_setzero_ps(), 0xffff, (__m512i)at, p, 4);
}
inline Vec<double> gather(const double* p, IntVec<double> at) {
  return (Vec<double>)_mm512_mask_i64gather_pd(_mm512_setzero_pd(), 0xff, (__m512i)at, p, 8);
}
#elif defined(__AVX2__)
inline Vec<float> gather(const float* p, IntVec<float> at) {
  return (Vec<float>)_mm256_i32gather_ps(p, (__m256i)at, 4);
}
inline Vec<double> gather(const double* p, IntVec<double> at) {
  return (Vec<double>)_mm256_i64gather_pd(p, (__m256i)at, 8);
}
#else
template <class T, class I>
inline Vec<T> gather(const T* p, I at) {
  Vec<T> v;
  for (int i = 0; i < kLanes<T>; ++i) v[i] = p[at[i]];
  return v;
}
#endif

template <class T>
inline Vec<T> clamped(Vec<T> x, T low, T high) {
  x = x < low ? splat(low) : x;
  return x > high ? splat(high) : x;
}

template <class T>
inline Vec<T> truncated(Vec<T> x) {
  return __builtin_convertvector(__builtin_convertvector(x, IntVec<T>), Vec<T>);
}

// -------------------------------------------------------------------------------------------------------- fills
// Where a coordinate x points on an axis of `size` pixels, plus 1: the picture lies in a frame of kFrameBefore pixels
// before it and kFrameAfter behind it, so that both neighbours of the result exist.

constexpr int64_t kFrameBefore = 1, kFrameAfter = 2;

template <class T>
struct ConstantFill {  // the frame holds the constant: pixels beyond it are the constant alone
  static Vec<T> place(Vec<T> x, T size) { return clamped<T>(x + T(1), T(0), size + T(1)); }
};

template <class T>
struct EdgeFill {  // a a a | a b c d | d d d
  static Vec<T> place(Vec<T> x, T size) { return clamped<T>(x, T(0), size - T(1)) + T(1); }
};

template <class T>
struct ReflectFill {  // c b a | a b c d | d c b
  static Vec<T> place(Vec<T> x, T size) {
    // The pattern is even around -0.5. Clamped at 64 periods: farther than anything that is meant.
    Vec<T> u = absolute<T>(clamped<T>(x + T(0.5), T(-128) * size, T(128) * size));
    u -= T(2) * size * truncated<T>(u / (T(2) * size));
    u = u > size ? T(2) * size - u : u;
    return EdgeFill<T>::place(u - T(0.5), size);
  }
};

// ------------------------------------------------------------------------------------------------ interpolations
// The value at (row, column) of the framed picture, both not negative; `pitch` numbers a framed row.

template <class T>
struct Bilinear {
  static Vec<T> at(const T* framed, int64_t pitch, int64_t channels, IntVec<T> channel, Vec<T> row, Vec<T> column) {
    const IntVec<T> i = __builtin_convertvector(row, IntVec<T>), j = __builtin_convertvector(column, IntVec<T>);
    const Vec<T> y = row - __builtin_convertvector(i, Vec<T>), x = column - __builtin_convertvector(j, Vec<T>);
    using Int = typename IntOf<T>::type;
    const IntVec<T> at = i * Int(pitch) + j * Int(channels) + channel;
    const Vec<T> a = gather(framed, at), b = gather(framed + channels, at);
    const Vec<T> c = gather(framed + pitch, at), d = gather(framed + pitch + channels, at);
    const Vec<T> top = a + x * (b - a), bottom = c + x * (d - c);
    return top + y * (bottom - top);
  }
};

template <class T>
struct Nearest {
  static Vec<T> at(const T* framed, int64_t pitch, int64_t channels, IntVec<T> channel, Vec<T> row, Vec<T> column) {
    using Int = typename IntOf<T>::type;
    const IntVec<T> i = __builtin_convertvector(row + T(0.5), IntVec<T>);
    const IntVec<T> j = __builtin_convertvector(column + T(0.5), IntVec<T>);
    return gather(framed, i * Int(pitch) + j * Int(channels) + channel);
  }
};

// --------------------------------------------------------------------------------------------------------- warps

template <class T>
void copy_run(const T* from, T* to, int64_t count) {
  for_vectors<T>(count, [&](int64_t i, int64_t n) { write(to + i, read(from + i, n), n); });
}

template <class T>
void fill_run(T* to, T value, int64_t count) {
  for_vectors<T>(count, [&](int64_t i, int64_t n) { write(to + i, splat(value), n); });
}

template <class T>
void put_in_frame(const Warp<T>& w, int64_t pitch, T* framed) {
  const int64_t run = w.width * w.channels, before = kFrameBefore * w.channels, after = kFrameAfter * w.channels;
  fill_run(framed, w.fill_value, kFrameBefore * pitch);
  T* row = framed + kFrameBefore * pitch;
  for (int64_t i = 0; i < w.height; ++i, row += pitch) {
    fill_run(row, w.fill_value, before);
    copy_run(w.in + i * run, row + before, run);
    fill_run(row + before + run, w.fill_value, after);
  }
  fill_run(row, w.fill_value, kFrameAfter * pitch);
}

template <class T, class Fill, class Interpolation>
void warp_of(const Warp<T>& w) {
  using Int = typename IntOf<T>::type;
  const int64_t run = w.width * w.channels, pitch = (w.width + kFrameBefore + kFrameAfter) * w.channels;
  T* framed = w.workspace;
  T* column_of = framed + (w.height + kFrameBefore + kFrameAfter) * pitch;
  T* channel_of = column_of + run;
  put_in_frame(w, pitch, framed);
  for (int64_t e = 0; e < run; ++e) {
    column_of[e] = T(e / w.channels);
    channel_of[e] = T(e % w.channels);
  }
  const T* m = w.map;
  for (int64_t i = 0; i < w.height; ++i) {
    const T row_start = m[0] * T(i) + m[2], column_start = m[3] * T(i) + m[5];
    for_vectors<T>(run, [&](int64_t e, int64_t n) {
      const Vec<T> j = read(column_of + e, n);
      Vec<T> row = m[1] * j + row_start, column = m[4] * j + column_start;
      if (w.shift_rows) row += read(w.shift_rows + i * w.shift_pitch + e, n);
      if (w.shift_columns) column += read(w.shift_columns + i * w.shift_pitch + e, n);
      row = Fill::place(row, T(w.height));
      column = Fill::place(column, T(w.width));
      const IntVec<T> channel = __builtin_convertvector(read(channel_of + e, n), IntVec<T>);
      write(w.out + i * run + e, Interpolation::at(framed, Int(pitch), w.channels, channel, row, column), n);
    });
  }
}

template <class T, class Interpolation>
void warp_filled(const Warp<T>& w) {
  switch (w.fill) {
    case Border::kConstant:
      return warp_of<T, ConstantFill<T>, Interpolation>(w);
    case Border::kEdge:
      return warp_of<T, EdgeFill<T>, Interpolation>(w);
    case Border::kReflect:
      return warp_of<T, ReflectFill<T>, Interpolation>(w);
  }
}

template <class T>
void warp(const Warp<T>& w) {
  w.nearest ? warp_filled<T, Nearest<T>>(w) : warp_filled<T, Bilinear<T>>(w);
}

// ----------------------------------------------------------------------------------------------------- smoothing

// The pixel that index i of a reflected axis shows: c b a | a b c d | d c b.
inline int64_t reflected(int64_t i, int64_t size) {
  i %= 2 * size;
  if (i < 0) i += 2 * size;
  return i < size ? i : 2 * size - 1 - i;
}

// sum_k tap[|k|] x[k * step], for one vector around x.
template <class T>
inline Vec<T> symmetric_sum(const Smooth<T>& s, const T* x, int64_t step, int64_t n) {
  Vec<T> sum = s.tap[0] * read(x, n);
  for (int64_t k = 1; k <= s.radius; ++k) sum += s.tap[k] * (read(x - k * step, n) + read(x + k * step, n));
  return sum;
}

template <class T>
void smooth(const Smooth<T>& s) {
  const int64_t run = s.width * s.channels, r = s.radius;
  T* tall = s.workspace;                      // the picture with r rows more above and below
  T* wide = tall + (s.height + 2 * r) * run;  // one row with r pixels more on both sides
  for (int64_t i = -r; i < s.height + r; ++i) copy_run(s.in + reflected(i, s.height) * run, tall + (i + r) * run, run);
  for (int64_t i = 0; i < s.height; ++i) {
    T* middle = wide + r * s.channels;
    for_vectors<T>(
        run, [&](int64_t e, int64_t n) { write(middle + e, symmetric_sum(s, tall + (i + r) * run + e, run, n), n); });
    for (int64_t j = 0; j < r; ++j) {
      const int64_t left = reflected(-1 - j, s.width) * s.channels,
                    right = reflected(s.width + j, s.width) * s.channels;
      for (int64_t c = 0; c < s.channels; ++c) {
        middle[-(1 + j) * s.channels + c] = middle[left + c];
        middle[(s.width + j) * s.channels + c] = middle[right + c];
      }
    }
    for_vectors<T>(
        run, [&](int64_t e, int64_t n) { write(s.out + i * run + e, symmetric_sum(s, middle + e, s.channels, n), n); });
  }
}

}  // namespace SKREG_ISA
}  // namespace skreg
