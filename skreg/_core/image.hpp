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

// Written so that NaN, as a map of infinite numbers gives it, becomes `low`.
template <class T>
inline Vec<T> clamped(Vec<T> x, T low, T high) {
  x = x > low ? x : splat(low);
  return x < high ? x : splat(high);
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

// Where a group of pixels reads the framed picture: offset of the upper left neighbour, and how far from there.
template <class T>
struct Places {
  T* at;  // holds the bits of integers of the size of T
  T* down;
  T* right;
  T* neighbours;  // the four values of each pixel, for pictures of one channel

  int64_t offset(int64_t k) const {
    typename IntOf<T>::type offset;
    std::memcpy(&offset, at + k, sizeof offset);
    return offset;
  }
};

template <class T, class Fill, bool kNearest>
void find_places(const Warp<T>& w, int64_t pitch, int64_t row, int64_t n_rows, const T* column_of,
                 const Places<T>& to) {
  using Int = typename IntOf<T>::type;
  const T* m = w.map;
  for (int64_t i = row; i < row + n_rows; ++i) {
    const T row_start = m[0] * T(i) + m[2], column_start = m[3] * T(i) + m[5];
    for_vectors<T>(w.width, [&](int64_t j, int64_t n) {
      const Vec<T> column_index = read(column_of + j, n);
      Vec<T> y = m[1] * column_index + row_start, x = m[4] * column_index + column_start;
      if (w.shift_rows) y += read(w.shift_rows + i * w.shift_pitch + j, n);
      if (w.shift_columns) x += read(w.shift_columns + i * w.shift_pitch + j, n);
      y = Fill::place(y, T(w.height)) + T(kNearest ? 0.5 : 0);
      x = Fill::place(x, T(w.width)) + T(kNearest ? 0.5 : 0);
      const IntVec<T> upper = __builtin_convertvector(y, IntVec<T>), left = __builtin_convertvector(x, IntVec<T>);
      const IntVec<T> at = upper * Int(pitch) + left * Int(w.channels);
      const int64_t k = (i - row) * w.width + j;
      write(to.at + k, bits_to_real<T>(at), n);
      if (kNearest) return;
      write(to.down + k, y - __builtin_convertvector(upper, Vec<T>), n);
      write(to.right + k, x - __builtin_convertvector(left, Vec<T>), n);
    });
  }
}

template <class T>
void read_nearest(const T* framed, int64_t channels, const Places<T>& from, int64_t n, T* out) {
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t c = 0; c < channels; ++c) out[k * channels + c] = framed[from.offset(k) + c];
  }
}

// One channel: the neighbours of all pixels first, two at a time, then the arithmetic in vectors. Faster than gathers.
template <class T>
void read_bilinear(const T* __restrict framed, int64_t pitch, const Places<T>& from, int64_t n, T* __restrict out) {
  T* __restrict upper = from.neighbours;
  T* __restrict lower = upper + 2 * n;
  for (int64_t k = 0; k < n; ++k) {
    const T* p = framed + from.offset(k);
    std::memcpy(upper + 2 * k, p, 2 * sizeof(T));
    std::memcpy(lower + 2 * k, p + pitch, 2 * sizeof(T));
  }
  const T* __restrict right = from.right;
  const T* __restrict down = from.down;
  for (int64_t k = 0; k < n; ++k) {
    const T top = upper[2 * k] + right[k] * (upper[2 * k + 1] - upper[2 * k]);
    const T bottom = lower[2 * k] + right[k] * (lower[2 * k + 1] - lower[2 * k]);
    out[k] = top + down[k] * (bottom - top);
  }
}

// Several channels: all of a pixel's side by side, four at a time.
constexpr int kQuad = 4;

// Four numbers between those at p, at the pixel to the right of it, and at the two below.
template <class T>
struct Quads {
  typedef T Quad __attribute__((vector_size(kQuad * sizeof(T))));
  typedef T Pair __attribute__((vector_size(2 * kQuad * sizeof(T))));

  template <class V>
  static V load(const T* p) {
    V v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }

  static Quad between(const T* p, int64_t pitch, int64_t channels, T right, T down) {
    const Quad a = load<Quad>(p), b = load<Quad>(p + channels);
    const Quad c = load<Quad>(p + pitch), d = load<Quad>(p + pitch + channels);
    const Quad left = a + down * (c - a), other = b + down * (d - b);
    return left + right * (other - left);
  }

  // The same for pixels of three channels: a pixel and the one to the right of it in one read.
  static Quad between_three(const T* p, int64_t pitch, T right, T down) {
    const Pair upper = load<Pair>(p), lower = load<Pair>(p + pitch), both = upper + down * (lower - upper);
    const Quad left = {both[0], both[1], both[2], both[3]}, other = {both[3], both[4], both[5], both[6]};
    return left + right * (other - left);
  }
};

// Pixels of kChannels channels, or of `channels` where kChannels is 0, in quads. What a quad writes beyond its pixel is
// the next pixel's, and is written again; the last pixels have none behind them.
template <class T, int kChannels>
void read_bilinear_channels(const T* __restrict framed, int64_t pitch, int64_t channels, const Places<T>& from,
                            int64_t n, T* __restrict out) {
  if (kChannels) channels = kChannels;
  const int64_t n_quads = (channels + kQuad - 1) / kQuad, beyond = n_quads * kQuad - channels;
  const int64_t n_last = (beyond + channels - 1) / channels, n_whole = n > n_last ? n - n_last : 0;
  const T* __restrict right = from.right;
  const T* __restrict down = from.down;
  for (int64_t k = 0; k < n_whole; ++k) {
    const T* pixel = framed + from.offset(k);
    for (int64_t e = 0; e < channels; e += kQuad) {
      const T* p = pixel + e;
      const auto quad = kChannels == 3 ? Quads<T>::between_three(p, pitch, right[k], down[k])
                                       : Quads<T>::between(p, pitch, channels, right[k], down[k]);
      std::memcpy(out + k * channels + e, &quad, sizeof quad);
    }
  }
  for (int64_t k = n_whole; k < n; ++k) {
    for (int64_t e = 0; e < channels; ++e) {
      out[k * channels + e] = Quads<T>::between(framed + from.offset(k) + e, pitch, channels, right[k], down[k])[0];
    }
  }
}

constexpr int64_t kGroup = 512;  // pixels whose places are found at once

template <class T, class Fill, bool kNearest>
void warp_of(const Warp<T>& w) {
  const int64_t run = w.width * w.channels, pitch = (w.width + kFrameBefore + kFrameAfter) * w.channels;
  const int64_t rows_at_once = kGroup / w.width > 1 ? kGroup / w.width : 1, group = rows_at_once * w.width;
  T* framed = w.workspace;
  T* column_of = framed + (w.height + kFrameBefore + kFrameAfter) * pitch;
  Places<T> places{column_of + w.width, nullptr, nullptr, nullptr};
  places.down = column_of + w.width + group;
  places.right = places.down + group;
  places.neighbours = places.right + group;
  put_in_frame(w, pitch, framed);
  for (int64_t j = 0; j < w.width; ++j) column_of[j] = T(j);
  for (int64_t i = 0; i < w.height; i += rows_at_once) {
    const int64_t n_rows = i + rows_at_once < w.height ? rows_at_once : w.height - i, n = n_rows * w.width;
    T* out = w.out + i * run;
    find_places<T, Fill, kNearest>(w, pitch, i, n_rows, column_of, places);
    if (kNearest) {
      read_nearest(framed, w.channels, places, n, out);
    } else if (w.channels == 1) {
      read_bilinear(framed, pitch, places, n, out);
    } else if (w.channels == 3) {
      read_bilinear_channels<T, 3>(framed, pitch, 3, places, n, out);
    } else {
      read_bilinear_channels<T, 0>(framed, pitch, w.channels, places, n, out);
    }
  }
}

template <class T, bool kNearest>
void warp_filled(const Warp<T>& w) {
  switch (w.fill) {
    case Border::kConstant:
      return warp_of<T, ConstantFill<T>, kNearest>(w);
    case Border::kEdge:
      return warp_of<T, EdgeFill<T>, kNearest>(w);
    case Border::kReflect:
      return warp_of<T, ReflectFill<T>, kNearest>(w);
  }
}

template <class T>
void warp(const Warp<T>& w) {
  w.nearest ? warp_filled<T, true>(w) : warp_filled<T, false>(w);
}

// ----------------------------------------------------------------------------------------------------- smoothing

// The pixel that index i of a reflected axis shows: c b a | a b c d | d c b.
inline int64_t reflected(int64_t i, int64_t size) {
  if (i >= -size && i < 2 * size) return i < 0 ? -1 - i : (i < size ? i : 2 * size - 1 - i);  // without division
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
