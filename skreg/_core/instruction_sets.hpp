// The choice of an instruction set for the kernels, by what the processor offers.
//
// The contract: choose_instruction_set() once at import, before kernels<T>() (kernels.hpp) is called.
#pragma once

#include <string>
#include <vector>

namespace skreg {

// Those that this build and this processor have, best first.
std::vector<std::string> instruction_sets();

// The best one, or the one named by the environment variable SKREG_INSTRUCTION_SET, for tests.
void choose_instruction_set();

}  // namespace skreg
