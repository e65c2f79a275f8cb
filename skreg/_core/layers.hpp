// The layers of a network, forward and backward side by side. Matrices are (n_rows, width), row-major.
//
// A block is dense -> normalization -> link -> activation -> dropout, the last four where wanted. What acts on single
// numbers (bias, link, activation, dropout) runs on each strip of rows as soon as the product before it has finished
// that strip, through the product's `finish` hook, so it costs no extra trip to memory.
//
// To add a normalization: a class with forward and backward below, and its row in kNorms; a kind of dropout: a class
// with draw, and its row in kModulations.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "costs.hpp"
#include "families.hpp"
#include "kernels.hpp"
#include "random.hpp"
#include "threads.hpp"

namespace skreg {

// What layers know of the batch at hand.
template <class T>
struct Batch {
  int64_t n_rows = 0;
  const T* share = nullptr;      // weight of each row divided by their sum
  int64_t n_weighted = 0;        // rows with a positive weight
  double effective_size = 0;     // see effective_size_of
  bool training = false;         // dropout, stochastic depth and batch moments on
  bool keep_statistics = false;  // leave running statistics alone although training
  bool accumulate = false;       // add to the gradients instead of overwriting them
  uint64_t seed = 0, step = 0;
};

// The rows that enter the first layer (dense or sparse), or the output of the block below.
template <class T>
struct Input {
  const T* dense = nullptr;
  int64_t ld = 0;
  const SparseRows<T>* sparse = nullptr;
};

// The size n for which n / (n - 1) * variance is unbiased: the sum of the weights, which then count like repeated rows,
// or the effective count 1 / sum share^2 where that is larger, as for weights that sum to 1.
inline double effective_size_of(double total_weight, double sum_of_squared_shares) {
  return std::max(total_weight, 1 / sum_of_squared_shares);
}

// A single row, or one that outweighs all others, has none.
inline bool has_variance(double effective_size) { return effective_size > 1 + 1e-6; }

// Inverted dropout (Srivastava et al. 2014): a unit is zeroed with probability p, quantized to 1/65536, and survivors
// are scaled by the inverse of the quantized keep probability.
class Dropout {
 public:
  // A p above 0 always drops something, and never everything.
  explicit Dropout(double p) : threshold_(p > 0 ? int32_t(std::clamp(std::lround(p * 65536), 1L, 65535L)) : 0) {}

  // Draws the batch's mask; an inactive dropout returns no bits.
  template <class T>
  Drop<T> draw(const Batch<T>& batch, int64_t n, uint32_t stream) {
    if (threshold_ == 0 || !batch.training) return {};
    const size_t padded = size_t((n + kDrawsPerGroup - 1) / kDrawsPerGroup * kDrawsPerGroup);
    if (bits_.size() < padded) bits_.resize(padded);
    kernels<T>().random_bits(batch.seed, batch.step, stream, n, bits_.data());
    return {bits_.data(), threshold_, scale<T>()};
  }

  // One draw by its position: for sparse rows, whose zeros need none.
  template <class T>
  T factor(const Batch<T>& batch, uint32_t stream, int64_t position) const {
    return random_bits_at(batch.seed, batch.step, stream, position) < threshold_ ? T(0) : scale<T>();
  }

  bool active() const { return threshold_ > 0; }
  double keep() const { return (65536 - threshold_) / 65536.0; }

 private:
  template <class T>
  T scale() const {
    return T(1 / keep());
  }

  int32_t threshold_;
  std::vector<uint16_t> bits_;
};

// Kinds of dropout that leave no unit's value as it was, nor zero: x becomes factor * (x - pivot) + base, with a random
// factor for each unit.
template <class T>
class Modulation {
 public:
  T pivot = 0, base = 0;
  virtual ~Modulation() = default;
  virtual void draw(const Batch<T>& batch, int64_t n, uint32_t stream, T* factor) = 0;
};

// Factors from a normal distribution around 1 with the variance p / (1 - p) of inverted dropout's (Srivastava et al.
// 2014, section 10).
template <class T>
class GaussianDropout : public Modulation<T> {
 public:
  explicit GaussianDropout(const Spec& spec) {
    const double p = spec.number("p");
    deviation_ = T(std::sqrt(p / (1 - p)));
  }

  void draw(const Batch<T>& batch, int64_t n, uint32_t stream, T* factor) override {
    kernels<T>().normals(batch.seed, batch.step, stream, n, factor);
    for (int64_t i = 0; i < n; ++i) factor[i] = T(1) + deviation_ * factor[i];
  }

 private:
  T deviation_;
};

// Dropped units take selu's limit a for very negative arguments, then all are scaled and shifted so that mean 0 and
// variance 1 stay (Klambauer et al. 2017).
template <class T>
class AlphaDropout : public Modulation<T> {
 public:
  explicit AlphaDropout(const Spec& spec) : dropout_(spec.number("p")) {
    constexpr double a = -1.0507009873554804934 * 1.6732632423543772848;
    const double q = dropout_.keep(), scale = 1 / std::sqrt(q + a * a * q * (1 - q));
    scale_ = T(scale);
    this->pivot = T(a);
    this->base = T(scale * (a - (1 - q) * a));
  }
  void draw(const Batch<T>& batch, int64_t n, uint32_t stream, T* factor) override {
    Drop<T> drop = dropout_.draw(batch, n, stream);
    drop.scale = scale_;
    std::fill_n(factor, n, T(1));
    if (drop.bits) kernels<T>().drop(factor, n, drop);
  }

 private:
  Dropout dropout_;
  T scale_;
};

template <class T>
constexpr Maker<Modulation<T>> kModulations[] = {
    {"gaussian_dropout", make<GaussianDropout<T>>},
    {"alpha_dropout", make<AlphaDropout<T>>},
};

// DropConnect (Wan et al. 2013): single weights are dropped, the same ones for all rows of a batch.
template <class T>
class DropConnect {
 public:
  DropConnect(double p, int64_t n_weights) : dropout_(p), weight_(size_t(n_weights)) {}

  // The weights that serve for this batch.
  const T* draw(const Batch<T>& batch, const T* weight, uint32_t stream) {
    drop_ = dropout_.draw(batch, int64_t(weight_.size()), stream);
    if (!drop_.bits) return weight;
    std::copy_n(weight, weight_.size(), weight_.begin());
    kernels<T>().drop(weight_.data(), int64_t(weight_.size()), drop_);
    return weight_.data();
  }
  // Of the weights that served, to that of the weights they were made of.
  void mask_gradient(T* gradient) const {
    if (drop_.bits) kernels<T>().drop(gradient, int64_t(weight_.size()), drop_);
  }

 private:
  Dropout dropout_;
  Drop<T> drop_;
  std::vector<T> weight_;
};

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

// Normalization between a dense layer and its activation: x_hat = (x - mean) / sqrt(variance + epsilon). Scale and
// shift are applied by the block.
template <class T>
class Norm {
 public:
  T *scale = nullptr, *shift = nullptr, *scale_gradient = nullptr, *shift_gradient = nullptr;

  explicit Norm(int64_t width) : width_(width), sum_(width), sum_x_hat_(width) {}
  virtual ~Norm() = default;
  // x (plus the bias, where it has one) becomes x_hat, strip by strip; `finish` sees each strip while it is in cache.
  virtual void forward(const Batch<T>& batch, const T* bias, T* x, Hook finish) = 0;
  // delta: gradient with respect to scale * x_hat + shift, becomes the one with respect to x.
  virtual void backward(const Batch<T>& batch, T* delta, const T* x_hat) = 0;
  // Whether a bias before it would change nothing.
  virtual bool removes_bias() const = 0;

 protected:
  // Calls body for tiles of few rows, which stay in cache for the next step.
  template <class Body>
  void for_strips(int64_t n_rows, Body body) const {
    constexpr int64_t kStripRows = 16;
    const double one_row = double(width_ * int64_t(sizeof(T))) * kMemoryByte;
    parallel_ranges(n_rows, kStripRows, one_row, [&](int64_t first, int64_t end) {
      for (int64_t row = first; row < end; row += kStripRows) {
        body(Tile{row, std::min(kStripRows, end - row), 0, width_});
      }
    });
  }

  void add_gradients(const Batch<T>& batch, const T* delta, const T* x_hat) {
    std::fill(sum_.begin(), sum_.end(), T(0));
    std::fill(sum_x_hat_.begin(), sum_x_hat_.end(), T(0));
    kernels<T>().norm_sums(delta, x_hat, batch.n_rows, width_, sum_.data(), sum_x_hat_.data());
    for (int64_t j = 0; j < width_; ++j) {
      shift_gradient[j] = (batch.accumulate ? shift_gradient[j] : T(0)) + sum_[j];
      scale_gradient[j] = (batch.accumulate ? scale_gradient[j] : T(0)) + sum_x_hat_[j];
    }
  }

  int64_t width_;
  std::vector<T> sum_, sum_x_hat_;  // over the batch, of delta and of delta * x_hat
};

// Over the columns of a batch (Ioffe and Szegedy 2015), with the batch's moments in training and the running ones
// otherwise.
template <class T>
class BatchNorm : public Norm<T> {
 public:
  T *running_mean = nullptr, *running_variance = nullptr;

  BatchNorm(const Spec& spec, int64_t width)
      : Norm<T>(width),
        momentum_(T(spec.number("momentum"))),
        epsilon_(T(spec.number("epsilon"))),
        mean_(width),
        variance_(width),
        inverse_std_(width) {}

  void forward(const Batch<T>& batch, const T*, T* x, Hook finish) override {
    uses_batch_ = batch.training && batch.n_weighted >= 2 && has_variance(batch.effective_size);
    if (uses_batch_) {
      kernels<T>().moments(x, batch.n_rows, this->width_, batch.share, mean_.data(), variance_.data());
      if (!batch.keep_statistics) update_running(batch);
    } else {
      std::copy_n(running_mean, this->width_, mean_.begin());
      std::copy_n(running_variance, this->width_, variance_.begin());
    }
    for (int64_t j = 0; j < this->width_; ++j) inverse_std_[j] = T(1) / std::sqrt(variance_[j] + epsilon_);
    this->for_strips(batch.n_rows, [&](const Tile& strip) {
      kernels<T>().normalize(x, this->width_, strip, mean_.data(), inverse_std_.data());
      finish.call(finish.self, strip);
    });
  }

  void backward(const Batch<T>& batch, T* delta, const T* x_hat) override {
    this->add_gradients(batch, delta, x_hat);
    kernels<T>().norm_backward(delta, x_hat, batch.n_rows, this->width_, uses_batch_ ? batch.share : nullptr,
                               this->scale, inverse_std_.data(), this->sum_.data(), this->sum_x_hat_.data());
  }

  bool removes_bias() const override { return true; }

 private:
  void update_running(const Batch<T>& batch) {
    const T unbiased = T(batch.effective_size / (batch.effective_size - 1));
    for (int64_t j = 0; j < this->width_; ++j) {
      running_mean[j] += momentum_ * (mean_[j] - running_mean[j]);
      running_variance[j] += momentum_ * (variance_[j] * unbiased - running_variance[j]);
    }
  }

  T momentum_, epsilon_;
  bool uses_batch_ = false;
  std::vector<T> mean_, variance_, inverse_std_;
};

// Over the units of each row (Ba, Kiros and Hinton 2016), the same in training and prediction.
template <class T>
class LayerNorm : public Norm<T> {
 public:
  LayerNorm(const Spec& spec, int64_t width) : Norm<T>(width), epsilon_(T(spec.number("epsilon"))) {}

  void forward(const Batch<T>& batch, const T* bias, T* x, Hook finish) override {
    inverse_std_.resize(std::max(inverse_std_.size(), size_t(batch.n_rows)));
    this->for_strips(batch.n_rows, [&](const Tile& strip) {
      kernels<T>().normalize_rows(x, this->width_, strip, bias, epsilon_, inverse_std_.data());
      finish.call(finish.self, strip);
    });
  }

  void backward(const Batch<T>& batch, T* delta, const T* x_hat) override {
    this->add_gradients(batch, delta, x_hat);
    kernels<T>().normalize_rows_backward(delta, x_hat, batch.n_rows, this->width_, this->scale, inverse_std_.data());
  }

  bool removes_bias() const override { return false; }

 private:
  T epsilon_;
  std::vector<T> inverse_std_;
};

// The context is the width of the layer.
template <class T>
constexpr Maker<Norm<T>, int64_t> kNorms[] = {
    {"batch_norm", make<BatchNorm<T>>},
    {"layer_norm", make<LayerNorm<T>>},
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
    if (keeps_input()) in_.resize(size);
    if (training) delta_.resize(size);
    if (modulation) factor_.resize(size), modulated_.resize(size);
  }

  const T* out() const { return modulates_ ? modulated_.data() : out_.data(); }
  T* out() { return out_.data(); }
  T* delta() { return delta_.data(); }
  Input<T> as_input() const { return {out(), dense.n_out, nullptr}; }

  // `linked` is the block that the link comes from.
  void forward(const Input<T>& input, const Batch<T>& batch, const Block* linked) {
    T* in = keeps_input() ? in_.data() : out_.data();
    forward_args_.z = argument(in, batch, linked);
    forward_args_.out = out_.data();
    forward_args_.drop = draw(batch);
    const Hook activate = {[](void* self, Tile t) { static_cast<Block*>(self)->activate(t); }, this};
    dense.draw(batch, stream_of(kHiddenDropout, index_));
    dense.forward(input, batch.n_rows, in, norm ? Hook{} : activate);
    if (norm) norm->forward(batch, dense.bias, in, activate);
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
    backward_args_.z = forward_args_.z;
    backward_args_.out = out_.data();
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

  // The dense layer alone, for the exact statistics of the normalization after it.
  const T* pre_normalization(const Input<T>& in, const Batch<T>& batch) {
    dense.draw(batch, stream_of(kHiddenDropout, index_));
    dense.forward(in, batch.n_rows, in_.data(), {});
    return in_.data();
  }

 private:
  bool keeps_input() const { return norm || kActivations[activation_].needs_input; }

  Argument<T> argument(const T* in, const Batch<T>& batch, const Block* linked) {
    Argument<T> z;
    z.in = in;
    z.ld = dense.n_out;
    z.scale = norm ? norm->scale : nullptr;
    z.shift = norm ? norm->shift : dense.bias;
    z.link = link ? linked->out() : nullptr;
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
  std::vector<T> in_, out_, delta_;    // in_: what the activation starts from, where backward needs it
  std::vector<T> factor_, modulated_;  // out_ stays what the activation gave, for its derivative
  std::vector<T> link_copy_;
  const T* link_delta_ = nullptr;  // what the link out of this block adds to its gradient
};

}  // namespace skreg
