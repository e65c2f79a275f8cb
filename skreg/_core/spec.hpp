// How Python says what a network and its training are made of: a Spec is a part by name, with its options.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace skreg {

// A number or a list of numbers; neither where Python gave something else.
using Option = std::variant<std::monostate, double, std::vector<double>>;

struct Spec {
  std::string name;
  std::map<std::string, Option> options;

  bool has(const char* option) const { return options.count(option) > 0; }
  double number(const char* option) const { return get<double>(option, "a number"); }
  const std::vector<double>& numbers(const char* option) const {
    return get<std::vector<double>>(option, "a list of numbers");
  }

 private:
  template <class Value>
  const Value& get(const char* option, const char* kind) const {
    const auto found = options.find(option);
    const Value* value = found == options.end() ? nullptr : std::get_if<Value>(&found->second);
    if (!value) throw std::invalid_argument(name + " needs the option " + option + ", " + kind);
    return *value;
  }
};

}  // namespace skreg
