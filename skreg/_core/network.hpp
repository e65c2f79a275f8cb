// A network: blocks in a row on one flat parameter vector. All weights come first, then biases, scales and shifts, so
// a penalty acts on the first n_weights numbers and an optimizer is one pass.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "costs.hpp"
#include "layers/block.hpp"
#include "layout.hpp"

namespace skreg {

// Where a named array lies in the parameter (or statistics) vector.
struct Slot {
  std::string kind;  // weight, bias, scale, shift; mean, variance
  int layer;
  int64_t offset, n_rows, n_columns;
};

// Reads specs one after the other: [dropout] then for each block: dense [drop_connect] [batch_norm or layer_norm]
// [residual] [activation] [dropout, gaussian_dropout or alpha_dropout].
class SpecReader {
 public:
  explicit SpecReader(const std::vector<Spec>& specs) : specs_(specs) {}
  bool done() const { return next_ == specs_.size(); }
  const std::string& name() const { return specs_[next_].name; }
  const Spec* take_if(const char* name) { return !done() && specs_[next_].name == name ? &specs_[next_++] : nullptr; }
  // Null where the next spec is none of the family's.
  template <class Part, size_t n, class... Context>
  std::unique_ptr<Part> take_one_of(const Maker<Part, Context...> (&table)[n], const Context&... context) {
    auto part = done() ? nullptr : make_if_known(table, specs_[next_], context...);
    next_ += part != nullptr;
    return part;
  }
  int take_activation() {
    const ActivationInfo* row = done() ? nullptr : find_row(kActivations, name());
    next_ += row != nullptr;
    return int((row ? row : find_row(kActivations, "identity")) - kActivations);
  }

 private:
  const std::vector<Spec>& specs_;
  size_t next_ = 0;
};

template <class T>
class Network {
 public:
  Network(int64_t n_features, const std::vector<Spec>& specs) : Network(n_features, SpecReader(specs)) {}

  int64_t n_weights = 0, n_parameters = 0, n_statistics = 0;
  std::vector<Slot> parameter_slots, statistic_slots;

  void bind(T* parameters, T* gradient, T* statistics) {
    for (const Slot& s : parameter_slots) bind_slot(s, parameters + s.offset, gradient ? gradient + s.offset : nullptr);
    for (const Slot& s : statistic_slots) {
      BatchNorm<T>* norm = blocks_[s.layer].batch_norm();
      (s.kind == "mean" ? norm->running_mean : norm->running_variance) = statistics + s.offset;
    }
  }

  Layout layout() const {
    Layout layout = {n_parameters, n_weights, {}};
    for (const Slot& s : parameter_slots) {
      if (s.kind == "weight") layout.layers.push_back({s.offset, s.n_rows, s.n_columns});
    }
    return layout;
  }

  // For prediction from arrays that lie anywhere, one for each slot.
  void bind(const std::vector<const T*>& parameters) {
    for (size_t i = 0; i < parameter_slots.size(); ++i) {
      bind_slot(parameter_slots[i], const_cast<T*>(parameters[i]), nullptr);  // nothing writes without a gradient
    }
  }

  void reserve(int64_t n_rows, bool training) {
    if (n_rows <= capacity_) return;
    for (Block<T>& b : blocks_) b.reserve(n_rows, training);
    capacity_ = n_rows;
  }
  int64_t input_width() const { return blocks_.front().dense.n_in; }
  int64_t n_outputs() const { return blocks_.back().dense.n_out; }
  size_t n_blocks() const { return blocks_.size(); }
  Block<T>& block(size_t i) { return blocks_[i]; }
  const Block<T>& block(size_t i) const { return blocks_[i]; }
  Dropout& input_dropout() { return input_dropout_; }

  // Raw outputs, (n_rows, n_outputs).
  T* forward(const Input<T>& in, const Batch<T>& batch) {
    for (size_t i = 0; i < blocks_.size(); ++i) blocks_[i].forward(input_of(i, in), batch, linked(i));
    return blocks_.back().out();
  }

  T* output_delta() { return blocks_.back().delta(); }

  // From output_delta() to the gradient vector, and to that with respect to the input where wanted. The gradient is
  // complete after finish_gradient(), once after all passes that add to it.
  void backward(const Input<T>& in, const Batch<T>& batch, T* input_delta = nullptr) {
    for (size_t i = blocks_.size(); i-- > 0;) {
      blocks_[i].backward(input_of(i, in), batch, i > 0 ? &blocks_[i - 1] : nullptr, linked(i), input_delta);
    }
  }
  void finish_gradient() {
    for (Block<T>& b : blocks_) {
      if (b.dense.connect) b.dense.connect->mask_gradient(b.dense.weight_gradient);
    }
  }

  // About how long a row takes to go through all weights, where the first layer's meet that share of its features.
  double nanoseconds_of_row(double density) const {
    constexpr double kMultiplyAddsPerNanosecond = kMultiplyAddBytes / double(sizeof(T));
    const double n_first = double(input_width() * block(0).dense.n_out);
    return (double(n_weights) - n_first + density * n_first) / kMultiplyAddsPerNanosecond;
  }

  Input<T> input_of(size_t i, const Input<T>& in) const { return i == 0 ? in : blocks_[i - 1].as_input(); }

 private:
  Network(int64_t n_features, SpecReader reader) {
    if (const Spec* dropout = reader.take_if("dropout")) input_dropout_ = Dropout(dropout->number("p"));
    for (int64_t n_in = n_features; !reader.done(); n_in = blocks_.back().dense.n_out) add_block(n_in, reader);
    if (blocks_.empty()) throw std::invalid_argument("a network needs a dense layer");
    for (const char* kind : {"weight", "bias", "scale", "shift", "mean", "variance"}) add_slots(kind);
  }

  void add_block(int64_t n_in, SpecReader& reader) {
    const Spec* dense = reader.take_if("dense");
    if (!dense) throw std::invalid_argument("unknown layer, or one in the wrong place: " + reader.name());
    const int64_t n_out = int64_t(dense->number("units"));
    blocks_.emplace_back(n_in, n_out, int(blocks_.size()));
    Block<T>& block = blocks_.back();
    if (const Spec* connect = reader.take_if("drop_connect")) {
      block.dense.connect = std::make_unique<DropConnect<T>>(connect->number("p"), n_in * n_out);
    }
    block.norm = reader.take_one_of(kNorms<T>, n_out);
    if (const Spec* link = reader.take_if("residual")) add_link(block, link->number("p"));
    block.set_activation(reader.take_activation());
    if (const Spec* dropout = reader.take_if("dropout")) {
      block.set_dropout(dropout->number("p"));
    } else {
      block.modulation = reader.take_one_of(kModulations<T>);
    }
  }

  void add_link(Block<T>& block, double p) {
    const size_t n = blocks_.size();
    if (n < 3 || blocks_[n - 3].dense.n_out != block.dense.n_out) {
      throw std::invalid_argument("a residual link needs an equally wide block two before");
    }
    block.link = std::make_unique<Link<T>>(p);
  }

  Block<T>* linked(size_t i) { return blocks_[i].link ? &blocks_[i - 2] : nullptr; }

  bool has_slot(const std::string& kind, const Block<T>& block) const {
    if (kind == "weight") return true;
    if (kind == "bias") return !block.norm || !block.norm->removes_bias();
    if (kind == "scale" || kind == "shift") return block.norm != nullptr;
    return block.batch_norm() != nullptr;
  }

  void add_slots(const std::string& kind) {
    const bool statistic = kind == "mean" || kind == "variance";
    for (size_t i = 0; i < blocks_.size(); ++i) {
      if (!has_slot(kind, blocks_[i])) continue;
      const int64_t n_rows = kind == "weight" ? blocks_[i].dense.n_in : 1;
      int64_t& end = statistic ? n_statistics : n_parameters;
      (statistic ? statistic_slots : parameter_slots).push_back({kind, int(i), end, n_rows, blocks_[i].dense.n_out});
      end += n_rows * blocks_[i].dense.n_out;
    }
    if (kind == "weight") n_weights = n_parameters;
  }

  void bind_slot(const Slot& s, T* value, T* gradient) {
    Block<T>& b = blocks_[s.layer];
    if (s.kind == "weight") {
      b.dense.weight = value;
      b.dense.weight_gradient = gradient;
    } else if (s.kind == "bias") {
      b.dense.bias = value;
      b.dense.bias_gradient = gradient;
    } else if (s.kind == "scale") {
      b.norm->scale = value;
      b.norm->scale_gradient = gradient;
    } else {
      b.norm->shift = value;
      b.norm->shift_gradient = gradient;
    }
  }

  std::vector<Block<T>> blocks_;
  Dropout input_dropout_{0};
  int64_t capacity_ = 0;
};

}  // namespace skreg
