// How the parameters of a network lie in one flat vector.
#pragma once

#include <cstdint>
#include <vector>

namespace skreg {

// The weights of one dense layer: (n_rows, n_columns) from offset.
struct Region {
  int64_t offset, n_rows, n_columns;
};

// All weights come first.
struct Layout {
  int64_t n_parameters, n_weights;
  std::vector<Region> layers;
};

}  // namespace skreg
