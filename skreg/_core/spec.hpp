// A part by name with its options: how Python says what a network and its training are made of.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace skreg {

using Options = std::map<std::string, double>;
using Spec = std::pair<std::string, Options>;

// The weights of one dense layer within the parameter vector: (n_rows, n_columns) from offset.
struct Region {
  int64_t offset, n_rows, n_columns;
};

}  // namespace skreg
