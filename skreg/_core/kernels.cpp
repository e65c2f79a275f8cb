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

#define SKREG_FORWARD(name, part, needs_input) forward_of<T, part<T>>,
#define SKREG_BACKWARD(name, part, needs_input) backward_of<T, part<T>, needs_input>,

template <class T>
const Kernels<T>& table() {
  static const Kernels<T> k = {
      SKREG_STRING(SKREG_ISA),
      multiply<T>,
      sparse_forward<T>,
      sparse_backward<T>,
      {SKREG_ACTIVATIONS(SKREG_FORWARD)},
      {SKREG_ACTIVATIONS(SKREG_BACKWARD)},
      moments<T>,
      normalize<T>,
      norm_sums<T>,
      norm_backward<T>,
      normalize_rows<T>,
      normalize_rows_backward<T>,
      modulate<T>,
      add<T>,
      multiply_by<T>,
      squared_error<T>,
      absolute_error<T>,
      huber<T>,
      quantile<T>,
      poisson<T>,
      binary_log_loss<T>,
      softmax_log_loss<T>,
      exponential_of<T>,
      logistic_of<T>,
      softmax_of<T>,
      sgd<T>,
      adam<T>,
      adam_metric<T>,
      sum_of_squares<T>,
      sum_of_magnitudes<T>,
      approach<T>,
      add_scaled<T>,
      scale<T>,
      soft_threshold<T>,
      group_threshold<T>,
      limit_columns<T>,
      all_finite<T>,
      random_bits,
      drop_values<T>,
      uniforms<T>,
      normals<T>,
      warp<T>,
      smooth<T>,
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
