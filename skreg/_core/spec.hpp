// A part by name with its options: how Python says what a network and its training are made of.
#pragma once

#include <map>
#include <string>
#include <utility>

namespace skreg {

using Options = std::map<std::string, double>;
using Spec = std::pair<std::string, Options>;

}  // namespace skreg
