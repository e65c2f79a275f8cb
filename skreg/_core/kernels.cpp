// The table of the hot loops, which are in kernels/. This file is compiled once for each instruction set, with
// SKREG_ISA naming the namespace; each object exports one function a number type, skreg_kernels_<isa>_<type>(), and
// nothing else: no STL container or algorithm, no function that another object could share (a weak symbol compiled for
// AVX-512 could be linked for every processor).
#include "kernels.hpp"

#include "gemm.hpp"
#include "image.hpp"
#include "kernels/activations.hpp"
#include "kernels/draws.hpp"
#include "kernels/losses.hpp"
#include "kernels/normalization.hpp"
#include "kernels/sparse.hpp"
#include "kernels/updates.hpp"

namespace skreg {
namespace SKREG_ISA {

#define SKREG_STRING_(x) #x
#define SKREG_STRING(x) SKREG_STRING_(x)

#define SKREG_FORWARD(name, part, gives_slope) forward_of<T, part<T>, gives_slope>,
#define SKREG_BACKWARD(name, part, gives_slope) backward_of<T, part<T>, gives_slope>,

// In the order of the members, which come from the same lists.
template <class T>
const Kernels<T>& table() {
  static const Kernels<T> k = {
      SKREG_STRING(SKREG_ISA),
      {SKREG_ACTIVATIONS(SKREG_FORWARD)},
      {SKREG_ACTIVATIONS(SKREG_BACKWARD)},
#define SKREG_KERNEL(name, type) name<T>,
#include "kernels/list.hpp"
#undef SKREG_KERNEL
  };
  return k;
}

}  // namespace SKREG_ISA
}  // namespace skreg

#define SKREG_JOIN_(a, b, c) a##b##c
#define SKREG_JOIN(a, b, c) SKREG_JOIN_(a, b, c)

namespace skreg {
const Kernels<float>& SKREG_JOIN(kernels_, SKREG_ISA, _float)() { return SKREG_ISA::table<float>(); }
const Kernels<double>& SKREG_JOIN(kernels_, SKREG_ISA, _double)() { return SKREG_ISA::table<double>(); }
}  // namespace skreg
