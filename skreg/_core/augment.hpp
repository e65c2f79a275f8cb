// Augmentation: one call for a batch of rows, each row a function of its own numbers alone.
//
// A row's random numbers are keyed by (seed, epoch, index of the row in the training set, number of the draw), so that
// neither the batch in which it comes nor the order of the rows matters.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "costs.hpp"
#include "kernels.hpp"
#include "random.hpp"
#include "threads.hpp"

namespace skreg {

// Calls body(i, workspace) for each row, rows divided over threads; one takes about that many nanoseconds. Rows share
// nothing but what they read.
template <class T, class Body>
void for_rows(int64_t n_rows, int64_t workspace_size, double nanoseconds, Body body) {
  const InFlight in_flight(nanoseconds * double(n_rows));
  parallel_ranges(n_rows, 1, nanoseconds, [&](int64_t begin, int64_t end) {
    std::vector<T> workspace(static_cast<size_t>(workspace_size));
    for (int64_t i = begin; i < end; ++i) body(i, workspace.data());
  });
}

struct Draws {
  uint64_t seed, epoch;
  const int64_t* row;  // index in the training set of each row of the batch, below 2^32
  uint32_t number;     // of the draw within one augmentation

  uint64_t step(int64_t i) const { return uint64_t(row[i]) | epoch << 32; }
  uint32_t stream() const { return stream_of(kAugmentation, int(number & 0xffffu)); }
};

template <class T>
void uniform_rows(const Draws& d, int64_t n_rows, int64_t n, T* out) {
  for_rows<T>(n_rows, 0, kRandomNumber * double(n),
              [&](int64_t i, T*) { kernels<T>().uniforms(d.seed, d.step(i), d.stream(), n, out + i * n); });
}

template <class T>
void normal_rows(const Draws& d, int64_t n_rows, int64_t n, T* out) {
  for_rows<T>(n_rows, 0, kRandomNumber * double(n),
              [&](int64_t i, T*) { kernels<T>().normals(d.seed, d.step(i), d.stream(), n, T(0), T(1), out + i * n); });
}

// ------------------------------------------------------------------------------------------------------ pictures

template <class T>
struct Pictures {
  int64_t n, height, width, channels;
  const T* in;
  T* out;

  int64_t run() const { return width * channels; }
  int64_t size() const { return height * run(); }
  const T* input(int64_t i) const { return in + i * size(); }
  T* output(int64_t i) const { return out + i * size(); }
  void copy(int64_t i) const {
    if (in != out) std::copy_n(input(i), size(), output(i));
  }
};

struct Sampling {
  bool nearest;
  Border fill;
  double fill_value;
};

template <class T>
Warp<T> warp_of_row(const Pictures<T>& p, const double* map, const Sampling& s, int64_t i, T* workspace) {
  Warp<T> w;
  w.height = p.height;
  w.width = p.width;
  w.channels = p.channels;
  w.in = p.input(i);
  w.out = p.output(i);
  w.nearest = s.nearest;
  w.fill = s.fill;
  w.fill_value = T(s.fill_value);
  w.workspace = workspace;
  for (int k = 0; k < 6; ++k) w.map[k] = T(map[i * 6 + k]);
  return w;
}

inline bool is_identity(const double* map) {
  constexpr double kIdentity[] = {1, 0, 0, 0, 1, 0};
  return std::equal(kIdentity, kIdentity + 6, map);
}

// Every picture by its own map of coordinates, 6 numbers a row (see Warp). A row that stays in place is copied.
template <class T>
void affine_rows(const Pictures<T>& p, const double* maps, const Sampling& s) {
  for_rows<T>(p.n, warp_workspace(p.height, p.width, p.channels), kWarpedPixel * double(p.size()),
              [&](int64_t i, T* workspace) {
                if (is_identity(maps + i * 6)) return p.copy(i);
                kernels<T>().warp(warp_of_row(p, maps, s, i, workspace));
              });
}

// Rows of samples by a map of the time axis: out[j] = in[j + shift[j]], the same for all channels (height) of a row.
template <class T>
void time_warp_rows(const Pictures<T>& p, const T* shifts, const Sampling& s) {
  constexpr double kIdentity[] = {1, 0, 0, 0, 1, 0};
  for_rows<T>(p.n, warp_workspace(p.height, p.width, 1), kWarpedPixel * double(p.size()), [&](int64_t i, T* workspace) {
    const T* shift = shifts + i * p.width;
    if (std::all_of(shift, shift + p.width, [](T x) { return x == 0; })) return p.copy(i);
    Warp<T> w = warp_of_row(Pictures<T>{1, p.height, p.width, 1, p.input(i), p.output(i)}, kIdentity, s, 0, workspace);
    w.shift_columns = shift;
    kernels<T>().warp(w);
  });
}

// The right half of a normalized Gaussian, cut at three standard deviations.
template <class T>
std::vector<T> gaussian_taps(double sigma) {
  const int64_t radius = std::max<int64_t>(1, int64_t(3 * sigma + 0.5));
  std::vector<double> tap(size_t(radius) + 1);
  double sum = 0;
  for (int64_t k = 0; k <= radius; ++k) {
    tap[size_t(k)] = std::exp(-0.5 * (double(k) / sigma) * (double(k) / sigma));
    sum += (k ? 2 : 1) * tap[size_t(k)];
  }
  std::vector<T> out;
  for (double t : tap) out.push_back(T(t / sum));
  return out;
}

// All but the channels and the pictures.
template <class T>
Smooth<T> smooth_with(const std::vector<T>& tap, int64_t height, int64_t width, T* workspace) {
  Smooth<T> s;
  s.height = height;
  s.width = width;
  s.tap = tap.data();
  s.radius = int64_t(tap.size()) - 1;
  s.workspace = workspace;
  return s;
}

template <class T>
void smooth_rows(const Pictures<T>& p, const double* sigmas) {
  const double widest = p.n ? *std::max_element(sigmas, sigmas + p.n) : 0;
  const int64_t largest = int64_t(3 * widest + 0.5) + 1;
  const double nanoseconds = kTap * double(4 * largest * p.size());
  for_rows<T>(p.n, smooth_workspace(p.height, p.width, p.channels, largest), nanoseconds, [&](int64_t i, T* workspace) {
    if (!(sigmas[i] > 0)) return p.copy(i);
    const std::vector<T> tap = gaussian_taps<T>(sigmas[i]);
    Smooth<T> smooth = smooth_with(tap, p.height, p.width, workspace);
    smooth.channels = p.channels;
    smooth.in = p.input(i);
    smooth.out = p.output(i);
    kernels<T>().smooth(smooth);
  });
}

// A displacement of every pixel along one axis: noise, uniform in (-alpha, alpha), smoothed.
template <class T>
class DisplacementField {
 public:
  DisplacementField(int64_t height, int64_t width, double sigma)
      : height_(height), width_(width), tap_(gaussian_taps<T>(sigma)) {}

  int64_t size() const { return height_ * width_; }
  int64_t workspace_size() const { return smooth_workspace(height_, width_, 1, radius()); }
  double nanoseconds() const { return (kRandomNumber + kTap * double(4 * radius())) * double(size()); }

  void draw(const Draws& d, int64_t i, T alpha, T* workspace, T* out) const {
    kernels<T>().uniforms(d.seed, d.step(i), d.stream(), size(), out);
    for (int64_t e = 0; e < size(); ++e) out[e] = alpha * (2 * out[e] - 1);
    Smooth<T> smooth = smooth_with(tap_, height_, width_, workspace);
    smooth.channels = 1;
    smooth.in = smooth.out = out;
    kernels<T>().smooth(smooth);
  }

 private:
  int64_t radius() const { return int64_t(tap_.size()) - 1; }
  int64_t height_, width_;
  std::vector<T> tap_;
};

// Simard, Steinkraus and Platt 2003. The draws `d.number` and the one after it are the rows' and columns' fields.
template <class T>
void elastic_rows(const Pictures<T>& p, const double* alphas, double sigma, Draws d, const Sampling& s) {
  constexpr double kIdentity[] = {1, 0, 0, 0, 1, 0};
  const DisplacementField<T> field(p.height, p.width, sigma);
  const Draws across = {d.seed, d.epoch, d.row, d.number + 1};
  const int64_t scratch = std::max(field.workspace_size(), warp_workspace(p.height, p.width, p.channels));
  const double nanoseconds = kWarpedPixel * double(p.size()) + 2 * field.nanoseconds();
  for_rows<T>(p.n, 2 * field.size() + scratch, nanoseconds, [&](int64_t i, T* workspace) {
    if (alphas[i] == 0) return p.copy(i);
    T* rows = workspace;
    T* columns = rows + field.size();
    T* rest = columns + field.size();
    field.draw(d, i, T(alphas[i]), rest, rows);
    field.draw(across, i, T(alphas[i]), rest, columns);
    const Pictures<T> one = {1, p.height, p.width, p.channels, p.input(i), p.output(i)};
    Warp<T> w = warp_of_row(one, kIdentity, s, 0, rest);
    w.shift_rows = rows;
    w.shift_columns = columns;
    w.shift_pitch = p.width;
    kernels<T>().warp(w);
  });
}

// Sets a box of each picture of `out` to a value; boxes hold top, left, height and width and lie within the picture.
template <class T>
void fill_box_rows(const Pictures<T>& p, const int64_t* boxes, const T* values) {
  for_rows<T>(p.n, 0, kCopiedPixel * double(p.size()), [&](int64_t i, T*) {
    const int64_t* box = boxes + i * 4;
    for (int64_t row = box[0]; row < box[0] + box[2]; ++row) {
      std::fill_n(p.output(i) + row * p.run() + box[1] * p.channels, box[3] * p.channels, values[i]);
    }
  });
}

}  // namespace skreg
