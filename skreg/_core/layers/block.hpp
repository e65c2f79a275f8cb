// A block of a network, forward and backward side by side: dense -> normalization -> link -> activation -> dropout, the
// last four where wanted. What acts on single numbers (bias, link, activation, dropout) runs on each strip of rows as
// soon as the product before it has finished that strip, through the product's `finish` hook, so it costs no extra trip
// to memory.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "../kernels.hpp"
#include "../random.hpp"
#include "batch.hpp"
#include "dropout.hpp"
#include "norms.hpp"

namespace skreg {

template <class T>
struct Dense {
  int64_t n_in, n_out;
  const T* weight = nullptr;  // (n_in, n_out)
  const T* bias = nullptr;    // (n_out,), null without one; added by the block's finishing step
  T* weight_gradient = nullptr;
  T* bias_gradient = nullptr;
  std::unique_ptr<DropConnect<T>> connect = nullptr;
  const T* used_weight = nullptr;  // by the last forward pass

  void draw(const Batch<T>& batch, uint32_t stream) {
    used_weight = connect ? connect->draw(batch, weight, stream) : weight;
  }

  void forward(const Input<T>& in, int64_t n_rows, T* out, Hook finish) const {
    if (in.sparse) {
      kernels<T>().sparse_forward(*in.sparse, used_weight, n_out, out);
      if (finish.call) finish.call(finish.self, {0, n_rows, 0, n_out});
      return;
    }
    Product<T> p;  // out = in weight
    p.m = n_rows;
    p.n = n_out;
    p.k = n_in;
    p.a = in.dense;
    p.lda = in.ld;
    p.b = used_weight;
    p.ldb = n_out;
    p.c = out;
    p.ldc = n_out;
    p.finish = finish;
    kernels<T>().product(p);
  }

  void backward_parameters(const Input<T>& in, int64_t n_rows, const T* delta, bool accumulate) const {
    if (!accumulate && bias_gradient) std::memset(bias_gradient, 0, size_t(n_out) * sizeof(T));
    if (in.sparse) {
      if (!accumulate) std::memset(weight_gradient, 0, size_t(n_in * n_out) * sizeof(T));
      kernels<T>().sparse_backward(*in.sparse, delta, n_out, weight_gradient, bias_gradient);
      return;
    }
    Product<T> p;  // weight_gradient = in' delta
    p.m = n_in;
    p.n = n_out;
    p.k = n_rows;
    p.a = in.dense;
    p.lda = in.ld;
    p.transpose_a = true;
    p.b = delta;
    p.ldb = n_out;
    p.c = weight_gradient;
    p.ldc = n_out;
    p.accumulate = accumulate;
    p.column_sums = bias_gradient;
    kernels<T>().product(p);
  }

  void backward_input(const T* delta, int64_t n_rows, T* delta_in, Hook finish) const {
    Product<T> p;  // delta_in = delta weight'
    p.m = n_rows;
    p.n = n_in;
    p.k = n_out;
    p.a = delta;
    p.lda = n_out;
    p.b = used_weight;
    p.ldb = n_out;
    p.transpose_b = true;
    p.c = delta_in;
    p.ldc = n_in;
    p.finish = finish;
    kernels<T>().product(p);
  }
};

// The residual link into a block (He et al. 2016): z = branch + what entered the block before it. In training a row
// loses its branch with probability p, and keeps it scaled by the inverse of the keep probability (stochastic depth,
// Huang et al. 2016).
template <class T>
class Link {
 public:
  explicit Link(double p) : depth_(p) {}

  // A factor for the branch of each row, null for ones.
  const T* draw(const Batch<T>& batch, uint32_t stream) {
    const Drop<T> drop = depth_.draw(batch, batch.n_rows, stream);
    if (!drop.bits) return nullptr;
    branch_.resize(std::max(branch_.size(), size_t(batch.n_rows)));
    for (int64_t i = 0; i < batch.n_rows; ++i) branch_[i] = drop.bits[i] < drop.threshold ? T(0) : drop.scale;
    return branch_.data();
  }

 private:
  Dropout depth_;
  std::vector<T> branch_;
};

template <class T>
class Block {
 public:
  Dense<T> dense;
  std::unique_ptr<Norm<T>> norm;
  std::unique_ptr<Modulation<T>> modulation;
  std::unique_ptr<Link<T>> link;  // from the block two before

  Block(int64_t n_in, int64_t n_out, int index) : dense{n_in, n_out}, index_(index) {}

  void set_activation(int activation) { activation_ = activation; }
  void set_dropout(double p) { dropout_ = Dropout(p); }
  BatchNorm<T>* batch_norm() const { return dynamic_cast<BatchNorm<T>*>(norm.get()); }

  void reserve(int64_t n_rows, bool training) {
    const size_t size = size_t(n_rows * dense.n_out);
    out_.resize(size);
    if (norm) in_.resize(size);
    if (training) delta_.resize(size);
    if (training && kActivations[activation_].gives_slope) slope_.resize(size);
    if (modulation) factor_.resize(size), modulated_.resize(size);
  }

  const T* out() const { return modulates_ ? modulated_.data() : out_.data(); }
  T* out() { return out_.data(); }
  T* delta() { return delta_.data(); }
  Input<T> as_input() const { return {out(), dense.n_out, nullptr}; }

  // `linked` is the block that the link comes from.
  void forward(const Input<T>& input, const Batch<T>& batch, const Block* linked) {
    T* in = norm ? in_.data() : out_.data();
    T* slope = slope_.empty() ? nullptr : slope_.data();
    const Hook activation = prepare(batch, in, out_.data(), slope, linked ? linked->out() : nullptr);
    dense.draw(batch, stream_of(kHiddenDropout, index_));
    dense.forward(input, batch.n_rows, in, norm ? Hook{} : activation);
    if (norm) norm->forward(batch, dense.bias, in, activation);
  }

  // The same in two parts, for what needs the rows between them: the dense layer, and all that follows it, in place.
  void multiply(const Input<T>& input, const Batch<T>& batch, T* out) {
    dense.draw(batch, stream_of(kHiddenDropout, index_));
    dense.forward(input, batch.n_rows, out, {});
  }
  void activate(const Batch<T>& batch, T* x, const T* linked) {
    const Hook activation = prepare(batch, x, x, nullptr, linked);
    if (norm) return norm->forward(batch, dense.bias, x, activation);
    activation.call(activation.self, {0, batch.n_rows, 0, dense.n_out});
  }

  // Expects in delta() the gradient with respect to the activation's argument: of the output block from the loss, of
  // the others from the block above, which calls `below`'s deactivation on each strip that it finishes.
  void backward(const Input<T>& in, const Batch<T>& batch, Block* below, Block* linked, T* input_delta) {
    if (link) pass_through_link(batch, *linked);
    if (norm) norm->backward(batch, delta_.data(), in_.data());
    dense.backward_parameters(in, batch.n_rows, delta_.data(), batch.accumulate);
    if (below) {
      dense.backward_input(delta_.data(), batch.n_rows, below->delta(), below->deactivation());
    } else if (input_delta) {
      dense.backward_input(delta_.data(), batch.n_rows, input_delta, {});
    }
  }

  // For the block above, once it has written the gradient with respect to this block's output into delta(), or a tile
  // of it: turns it into the gradient with respect to the activation's argument.
  Hook deactivation() {
    backward_args_.ld = dense.n_out;
    backward_args_.out = out_.data();
    backward_args_.slope = slope_.data();
    backward_args_.delta = delta_.data();
    backward_args_.drop = forward_args_.drop;
    return {[](void* self, Tile t) { static_cast<Block*>(self)->deactivate(t); }, this};
  }

  // For the block that a link leads to: what the link adds to the gradient with respect to this block's output. `delta`
  // must last until the deactivation; where it will not, the block keeps a copy.
  void take_link_delta(const T* delta) { link_delta_ = delta; }
  void copy_link_delta(const T* delta, int64_t n) {
    link_copy_.assign(delta, delta + n);
    link_delta_ = link_copy_.data();
  }

 private:
  // What the activation works on; returns what runs it on a tile.
  Hook prepare(const Batch<T>& batch, const T* in, T* out, T* slope, const T* linked) {
    forward_args_.z = argument(in, batch, linked);
    forward_args_.out = out;
    forward_args_.slope = slope;
    forward_args_.drop = draw(batch);
    return {[](void* self, Tile t) { static_cast<Block*>(self)->activate(t); }, this};
  }

  Argument<T> argument(const T* in, const Batch<T>& batch, const T* linked) {
    Argument<T> z;
    z.in = in;
    z.ld = dense.n_out;
    z.scale = norm ? norm->scale : nullptr;
    z.shift = norm ? norm->shift : dense.bias;
    z.link = linked;
    z.branch = link ? link->draw(batch, stream_of(kStochasticDepth, index_)) : nullptr;
    return z;
  }

  Drop<T> draw(const Batch<T>& batch) {
    const int64_t n = batch.n_rows * dense.n_out;
    modulates_ = modulation && batch.training;
    if (modulates_) modulation->draw(batch, n, stream_of(kHiddenDropout, index_), factor_.data());
    return dropout_.draw(batch, n, stream_of(kHiddenDropout, index_));
  }

  void activate(Tile t) {
    kernels<T>().forward[activation_](forward_args_, t);
    if (!modulates_) return;
    kernels<T>().modulate(out_.data(), factor_.data(), modulation->pivot, modulation->base, modulated_.data(),
                          dense.n_out, t);
  }

  void deactivate(Tile t) {
    if (link_delta_) kernels<T>().add(delta_.data(), link_delta_, dense.n_out, t);
    if (modulates_) kernels<T>().multiply(delta_.data(), factor_.data(), dense.n_out, t);
    kernels<T>().backward[activation_](backward_args_, t);
  }

  // The link hands delta down as it is, before the branch changes it.
  void pass_through_link(const Batch<T>& batch, Block& linked) {
    const T* branch = forward_args_.z.branch;
    if (!norm && !branch) return linked.take_link_delta(delta_.data());
    linked.copy_link_delta(delta_.data(), batch.n_rows * dense.n_out);
    for (int64_t i = 0; branch && i < batch.n_rows; ++i) {
      kernels<T>().scale(delta_.data() + i * dense.n_out, dense.n_out, branch[i]);
    }
  }

  int index_;
  int activation_ = 0;  // in kActivations
  Dropout dropout_{0};
  bool modulates_ = false;
  Forward<T> forward_args_;
  Backward<T> backward_args_;          // set by deactivation()
  std::vector<T> in_, out_, delta_;    // in_: what the normalization gave, where there is one
  std::vector<T> slope_;               // of the activation, where it gives it
  std::vector<T> factor_, modulated_;  // out_ stays what the activation gave, for its derivative
  std::vector<T> link_copy_;
  const T* link_delta_ = nullptr;  // what the link out of this block adds to its gradient
};

}  // namespace skreg
