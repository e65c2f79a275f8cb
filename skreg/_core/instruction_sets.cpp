#include "instruction_sets.hpp"

#include <cstdlib>
#include <stdexcept>

#include "kernels.hpp"

namespace skreg {

// SKREG_INSTRUCTION_SETS(X): X(name, whether the processor has it), best first; for each CMakeLists.txt compiles
// kernels.cpp.
#if defined(SKREG_HAS_X86)
#define SKREG_INSTRUCTION_SETS(X) X(avx512, has_avx512()) X(avx2, has_avx2()) X(baseline, true)

static bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

static bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#else
#define SKREG_INSTRUCTION_SETS(X) X(baseline, true)
#endif

#define SKREG_DECLARE(name, is_there)             \
  const Kernels<float>& kernels_##name##_float(); \
  const Kernels<double>& kernels_##name##_double();
SKREG_INSTRUCTION_SETS(SKREG_DECLARE)
#undef SKREG_DECLARE

const Kernels<float>* chosen_for_float;
const Kernels<double>* chosen_for_double;

struct Tables {
  const char* name;
  const Kernels<float>* for_float;
  const Kernels<double>* for_double;
};

static std::vector<Tables> supported_tables() {
#if defined(SKREG_HAS_X86)
  __builtin_cpu_init();
#endif
  std::vector<Tables> tables;
#define SKREG_ADD(name, is_there) \
  if (is_there) tables.push_back({#name, &kernels_##name##_float(), &kernels_##name##_double()});
  SKREG_INSTRUCTION_SETS(SKREG_ADD)
#undef SKREG_ADD
  return tables;
}

std::vector<std::string> instruction_sets() {
  std::vector<std::string> names;
  for (const Tables& t : supported_tables()) names.push_back(t.name);
  return names;
}

static Tables wanted_tables() {
  const std::vector<Tables> tables = supported_tables();
  const char* wanted = std::getenv("SKREG_INSTRUCTION_SET");
  if (!wanted || !*wanted) return tables.front();
  std::string known;
  for (const Tables& t : tables) {
    if (std::string(wanted) == t.name) return t;
    known += std::string(known.empty() ? "" : ", ") + t.name;
  }
  throw std::runtime_error(std::string("SKREG_INSTRUCTION_SET is '") + wanted +
                           "', but this processor offers: " + known);
}

void choose_instruction_set() {
  const Tables chosen = wanted_tables();
  chosen_for_float = chosen.for_float;
  chosen_for_double = chosen.for_double;
}

}  // namespace skreg
