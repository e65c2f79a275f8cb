// What Python's arguments are in the core: arrays of NumPy by reference, specs, and the error where something does not
// fit. For the files that bind alone.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "spec.hpp"

namespace skreg {

template <class T, class... Shape>
using AnyArray = nanobind::ndarray<T, nanobind::numpy, nanobind::device::cpu, nanobind::c_contig, Shape...>;
template <class T, int kDimensions>
using Array = AnyArray<T, nanobind::ndim<kDimensions>>;
template <class T>
using Vector = Array<T, 1>;
template <class T>
using Matrix = Array<T, 2>;

inline void expect(bool condition, const char* message) {
  if (!condition) throw std::invalid_argument(message);
}

}  // namespace skreg

namespace nanobind::detail {

// Takes anything, so that a part can say which of its options is wrong.
template <>
struct type_caster<skreg::Option> {
  NB_TYPE_CASTER(skreg::Option, const_name("float | list[float]"))

  bool from_python(handle source, uint32_t, cleanup_list*) noexcept {
    double number;
    std::vector<double> numbers;
    if (try_cast(source, number)) {
      value = number;
    } else if (try_cast(source, numbers)) {
      value = std::move(numbers);
    }
    return true;
  }
};

// A tuple of the name and a dict.
template <>
struct type_caster<skreg::Spec> {
  using Pair = std::pair<std::string, std::map<std::string, skreg::Option>>;
  NB_TYPE_CASTER(skreg::Spec, make_caster<Pair>::Name)

  bool from_python(handle source, uint32_t, cleanup_list*) noexcept {
    Pair pair;
    if (!try_cast(source, pair)) return false;
    value.name = std::move(pair.first);
    value.options = std::move(pair.second);
    return true;
  }
};

}  // namespace nanobind::detail
