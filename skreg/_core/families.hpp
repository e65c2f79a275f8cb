// Families of parts. A family is a base class, its classes, and right behind them a table with a row for each: its name
// and what makes it. So a new part is its class and its row, in the same file.
//
// The contract of a class: a constructor from its Spec and the context that the family's Maker gives, or, if it has no
// options, none.
#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "spec.hpp"

namespace skreg {

template <class Part, class... Context>
struct Maker {
  const char* name;
  std::unique_ptr<Part> (*make)(const Spec&, const Context&...);
};

// The `make` of a class; part and context follow from the row that it stands in.
template <class Class, class Part, class... Context>
std::unique_ptr<Part> make(const Spec& spec, const Context&... context) {
  if constexpr (std::is_constructible_v<Class, const Spec&, const Context&...>) {
    return std::make_unique<Class>(spec, context...);
  } else {
    static_assert(std::is_default_constructible_v<Class> && !std::is_constructible_v<Class, const Spec&>,
                  "a part takes its Spec and the family's context, or nothing");
    return std::make_unique<Class>();
  }
}

// The row of that name in a table, whose rows begin with a name; null where there is none.
template <class Row, size_t n>
const Row* find_row(const Row (&table)[n], const std::string& name) {
  for (const Row& row : table) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

// Null where the family does not know the name.
template <class Part, size_t n, class... Context>
std::unique_ptr<Part> make_if_known(const Maker<Part, Context...> (&table)[n], const Spec& spec,
                                    const Context&... context) {
  const auto* row = find_row(table, spec.name);
  return row ? row->make(spec, context...) : nullptr;
}

}  // namespace skreg
