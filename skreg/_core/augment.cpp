// What Python sees of the augmentation. Arrays of pictures have shape (n, height, width, channels); arrays that are
// written are given by the caller. Every call releases the GIL.
#include "augment.hpp"

#include <nanobind/nanobind.h>

#include <string>

#include "arguments.hpp"
#include "gil.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace skreg {
namespace {

using Indices = Vector<const int64_t>;

Border border_of(const std::string& name) {
  if (name == "constant") return Border::kConstant;
  if (name == "edge") return Border::kEdge;
  expect(name == "reflect", "fill is constant, edge or reflect");
  return Border::kReflect;
}

Sampling sampling_of(const std::string& interpolation, const std::string& fill, double fill_value) {
  expect(interpolation == "nearest" || interpolation == "bilinear", "interpolation is nearest or bilinear");
  return {interpolation == "nearest", border_of(fill), fill_value};
}

// The widest that smoothing may be: its cost grows with sigma, and nothing is left of a picture long before.
constexpr double kLargestSigma = 1e6;

void expect_sigma(double sigma, double smallest) {
  expect(sigma >= smallest && sigma <= kLargestSigma, "sigma is out of range: at most 1e6 pixels");  // NaN too
}

// Sums of indices of a picture with its frame are computed in 32 bits, coordinates in T, which must count every pixel.
template <class T>
Pictures<T> pictures_of(const Array<const T, 4>& x, const Array<T, 4>& out) {
  for (int k = 0; k < 4; ++k) expect(x.shape(k) == out.shape(k), "x and out differ in shape");
  const auto size = [&](int k) { return int64_t(x.shape(k)); };
  expect(size(1) >= 1 && size(2) >= 1 && size(3) >= 1, "pictures are empty");
  constexpr int64_t kLongest = int64_t(1) << (sizeof(T) == 4 ? 24 : 31);
  expect(size(1) + 3 <= kLongest && size(2) + 3 <= kLongest,
         "an axis is longer than float32 can count pixels or samples: pass float64");
  expect((size(1) + 3) * (size(2) + 3) < (int64_t(1) << 31) / size(3), "pictures hold more than 2^31 numbers");
  return {size(0), size(1), size(2), size(3), x.data(), out.data()};
}

Draws draws_of(uint64_t seed, uint64_t epoch, const Indices& rows, uint32_t number, int64_t n_rows) {
  expect(int64_t(rows.shape(0)) == n_rows, "rows and the array differ in length");
  return {seed, epoch, rows.data(), number};
}

template <class T>
void bind_random(nb::module_& m) {
  m.def(
      "uniform_rows",
      [](uint64_t seed, uint64_t epoch, const Indices& rows, uint32_t number, const Matrix<T>& out) {
        const Draws d = draws_of(seed, epoch, rows, number, int64_t(out.shape(0)));
        const WithoutGil gil;
        uniform_rows(d, int64_t(out.shape(0)), int64_t(out.shape(1)), out.data());
      },
      "seed"_a, "epoch"_a, "rows"_a, "number"_a, "out"_a.noconvert());
  m.def(
      "normal_rows",
      [](uint64_t seed, uint64_t epoch, const Indices& rows, uint32_t number, const Matrix<T>& out) {
        const Draws d = draws_of(seed, epoch, rows, number, int64_t(out.shape(0)));
        const WithoutGil gil;
        normal_rows(d, int64_t(out.shape(0)), int64_t(out.shape(1)), out.data());
      },
      "seed"_a, "epoch"_a, "rows"_a, "number"_a, "out"_a.noconvert());
}

template <class T>
void bind_warps(nb::module_& m) {
  m.def(
      "affine_rows",
      [](const Array<const T, 4>& x, const Matrix<const double>& maps, const std::string& interpolation,
         const std::string& fill, double fill_value, const Array<T, 4>& out) {
        const Pictures<T> p = pictures_of(x, out);
        expect(int64_t(maps.shape(0)) == p.n && maps.shape(1) == 6, "maps have shape (n, 6)");
        const Sampling s = sampling_of(interpolation, fill, fill_value);
        const WithoutGil gil;
        affine_rows(p, maps.data(), s);
      },
      "x"_a.noconvert(), "maps"_a, "interpolation"_a, "fill"_a, "fill_value"_a, "out"_a.noconvert());
  m.def(
      "time_warp_rows",
      [](const Array<const T, 4>& x, const Matrix<const T>& shifts, const std::string& interpolation,
         const std::string& fill, double fill_value, const Array<T, 4>& out) {
        const Pictures<T> p = pictures_of(x, out);
        expect(p.channels == 1, "signals have shape (n, channels, length, 1)");
        expect(int64_t(shifts.shape(0)) == p.n && int64_t(shifts.shape(1)) == p.width, "shifts: (n, length)");
        const Sampling s = sampling_of(interpolation, fill, fill_value);
        const WithoutGil gil;
        time_warp_rows(p, shifts.data(), s);
      },
      "x"_a.noconvert(), "shifts"_a.noconvert(), "interpolation"_a, "fill"_a, "fill_value"_a, "out"_a.noconvert());
  m.def(
      "elastic_rows",
      [](const Array<const T, 4>& x, const Vector<const double>& alphas, double sigma, uint64_t seed, uint64_t epoch,
         const Indices& rows, uint32_t number, const std::string& interpolation, const std::string& fill,
         double fill_value, const Array<T, 4>& out) {
        const Pictures<T> p = pictures_of(x, out);
        expect(int64_t(alphas.shape(0)) == p.n, "alphas and x differ in length");
        expect_sigma(sigma, 1e-300);
        const Draws d = draws_of(seed, epoch, rows, number, p.n);
        const Sampling s = sampling_of(interpolation, fill, fill_value);
        const WithoutGil gil;
        elastic_rows(p, alphas.data(), sigma, d, s);
      },
      "x"_a.noconvert(), "alphas"_a, "sigma"_a, "seed"_a, "epoch"_a, "rows"_a, "number"_a, "interpolation"_a, "fill"_a,
      "fill_value"_a, "out"_a.noconvert());
}

template <class T>
void bind_pixels(nb::module_& m) {
  m.def(
      "smooth_rows",
      [](const Array<const T, 4>& x, const Vector<const double>& sigmas, const Array<T, 4>& out) {
        const Pictures<T> p = pictures_of(x, out);
        expect(int64_t(sigmas.shape(0)) == p.n, "sigmas and x differ in length");
        for (int64_t i = 0; i < p.n; ++i) expect_sigma(sigmas.data()[i], 0);
        const WithoutGil gil;
        smooth_rows(p, sigmas.data());
      },
      "x"_a.noconvert(), "sigmas"_a, "out"_a.noconvert());
  m.def(
      "fill_box_rows",
      [](const Matrix<const int64_t>& boxes, const Vector<const T>& values, const Array<T, 4>& out) {
        const Array<const T, 4> x(out);
        const Pictures<T> p = pictures_of(x, out);
        expect(int64_t(boxes.shape(0)) == p.n && boxes.shape(1) == 4, "boxes have shape (n, 4)");
        expect(int64_t(values.shape(0)) == p.n, "values and out differ in length");
        for (int64_t i = 0; i < p.n; ++i) {
          const int64_t* b = boxes.data() + i * 4;
          for (int axis = 0; axis < 2; ++axis) {
            const int64_t size = axis == 0 ? p.height : p.width, from = b[axis], length = b[axis + 2];
            expect(from >= 0 && from <= size && length >= 0 && length <= size - from, "a box leaves its picture");
          }
        }
        const WithoutGil gil;
        fill_box_rows(p, boxes.data(), values.data());
      },
      "boxes"_a, "values"_a.noconvert(), "out"_a.noconvert());
}

template <class T>
void bind_all(nb::module_& m) {
  bind_random<T>(m);
  bind_warps<T>(m);
  bind_pixels<T>(m);
}

}  // namespace

void bind_augment(nb::module_& m) {
  bind_all<float>(m);
  bind_all<double>(m);
}

}  // namespace skreg
