// Training: an epoch is one call, a step has eight numbered places. Read train_epoch first. It names no part: each
// place has a list of its family's, which is empty where none of them is on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "costs.hpp"
#include "data.hpp"
#include "gradient.hpp"
#include "losses.hpp"
#include "network.hpp"
#include "optimizers.hpp"
#include "penalties.hpp"
#include "scores.hpp"
#include "statistics.hpp"

namespace skreg {

// What persists between epochs, in arrays of the caller.
template <class T>
struct TrainingState {
  T* parameters;
  T* statistics;  // running means and variances of the normalizations
  Moments<T> moments;
  T* average;         // of the parameters, where one is kept
  int64_t* counters;  // [0] steps ever made: the key of the masks, [1] steps since the moments were reset
};

// The learning rate of each batch of an epoch; the last one serves for all that follow.
struct Rates {
  const double* value;
  int64_t n;
  double of(int64_t index) const { return value[std::min(index, n - 1)]; }
};

template <class T>
class Trainer {
 public:
  Trainer(int64_t n_features, const std::vector<Spec>& layers, const Spec& loss, const std::vector<Spec>& parts,
          uint64_t seed)
      : network(n_features, layers), loss_(make_loss<T>(loss)), seed_(seed), gradient_(network.n_parameters) {
    for (const Spec& part : parts) add_part(part, network.layout());
  }

  Network<T> network;
  double data_loss = 0;

  // Nothing changes where this throws: the state before is the one whose arrays somebody keeps alive.
  void attach(const TrainingState<T>& state, const std::optional<Spec>& optimizer) {
    auto made = optimizer ? make_optimizer<T>(*optimizer, state.moments) : nullptr;
    state_ = state;
    optimizer_ = std::move(made);
    network.bind(state.parameters, gradient_.data(), state.statistics);
  }

  // For changes of the rows.
  void set_columns(const ColumnStatistics<T>& columns) { columns_ = columns; }

  // One pass over the rows in `order`. Returns the mean over them of the batches' penalized losses, each before its
  // step; `data_loss` is then the same without penalties.
  double train_epoch(const Data<T>& data, const int32_t* order, int64_t n, int64_t batch_size, const Rates& rates,
                     const Poll& poll) {
    batch_size = std::min(batch_size, n);
    network.reserve(std::min(batch_size + 1, n), true);
    double objective = 0, losses = 0;
    int64_t n_used = 0, index = 0;
    for (int64_t begin = 0, end; begin < n; begin = end, ++index) {
      end = batch_end(begin, n, batch_size);
      const double rate = rates.of(index);
      // 1 data
      const double total_weight = data.total_weight(order + begin, end - begin);
      if (!(total_weight > 0)) continue;
      batch_.gather(data, order + begin, end - begin, total_weight, changes_rows());
      Batch<T> batch = describe(true);
      change_rows(batch);
      // 2 to 4 layers, targets and loss, backward
      const double loss = rule_->loss_and_gradient(pass(), batch, columns_);
      network.finish_gradient();
      // 5 gradient
      objective += (loss + penalty()) * double(end - begin);
      losses += loss * double(end - begin);
      n_used += end - begin;
      for (const auto& penalty : smooth_) penalty->add_gradient(state_.parameters, gradient_.data());
      for (const auto& change : gradient_changes_) change->apply(gradient_.data());
      // 6 step
      ++state_.counters[0];
      const int64_t t = ++state_.counters[1];
      for (const auto& decay : decays_) decay->apply(state_.parameters, rate);
      optimizer_->step(state_.parameters, gradient_.data(), network.n_parameters, rate, t);
      // 7 prox
      for (const auto& proximal : proximals_) proximal->apply(state_.parameters, Metric<T>(*optimizer_, rate, t));
      // 8 trajectory: the rest of it between epochs, in skreg/training
      for (const auto& average : averages_) average->follow(state_.parameters, state_.average);
      if (!poll()) break;
    }
    data_loss = n_used ? losses / double(n_used) : 0;
    return n_used ? objective / double(n_used) : penalty();
  }

  // What the penalties add to the loss now.
  double penalty() const {
    double value = 0;
    for (const auto& penalty : smooth_) value += penalty->value(state_.parameters);
    for (const auto& proximal : proximals_) value += proximal->value(state_.parameters);
    return value;
  }

  // Mean loss without penalties, as at prediction: dropout off, running statistics; and a score of the same outputs.
  double evaluate(const Data<T>& data, const int32_t* rows, int64_t n, Scoring<T>* scoring, const Poll& poll) {
    double loss = 0;
    for_chunks(data, rows, n, poll, [&](const Batch<T>& batch) {
      T* z = network.forward(batch_.input(), batch);
      const LossBatch<T> outputs = batch_.loss_batch(z, network.n_outputs(), nullptr);
      loss += loss_->value_and_gradient(outputs);
      if (scoring) scoring->add(outputs, z);
    });
    return loss;
  }

  // Loss with smooth penalties and its gradient over all given rows. With `training` the rows are one batch, with
  // batch moments and the masks of the next step, and nothing of the state changes.
  double loss_and_gradient(const Data<T>& data, const int32_t* rows, int64_t n, bool training, T* gradient,
                           const Poll& poll) {
    std::fill(gradient, gradient + network.n_parameters, T(0));
    network.reserve(training ? n : std::min(n, kChunkRows), true);
    network.bind(state_.parameters, gradient, state_.statistics);
    double loss = 0;
    if (training) {
      batch_.gather(data, rows, n, data.total_weight(rows, n), changes_rows());
      Batch<T> batch = describe(true);
      batch.keep_statistics = true;
      change_rows(batch);
      loss = rule_->loss_and_gradient(pass(), batch, columns_);
      network.finish_gradient();
    } else {
      for_chunks(data, rows, n, poll, [&](Batch<T> batch) {
        batch.accumulate = true;
        loss += pass().run(batch);
      });
    }
    network.bind(state_.parameters, gradient_.data(), state_.statistics);
    for (const auto& penalty : smooth_) {
      loss += penalty->value(state_.parameters);
      penalty->add_gradient(state_.parameters, gradient);
    }
    return loss;
  }

  // Running statistics become those of the given rows, or of as many of them as memory allows (statistics.hpp). All
  // stay as they were where `poll` ends it.
  void recalibrate(const Data<T>& data, const int32_t* rows, int64_t n, const Poll& poll) {
    const std::vector<T> before(state_.statistics, state_.statistics + network.n_statistics);
    bool complete = false;
    try {
      complete = StatisticsPass<T>(network, batch_, data, rows, n, poll).run();
    } catch (...) {
      std::copy(before.begin(), before.end(), state_.statistics);
      throw;
    }
    if (!complete) std::copy(before.begin(), before.end(), state_.statistics);
  }

  // How long a forward pass over n_rows takes on one thread, and a step with all that belongs to it.
  double nanoseconds_of_pass(const Data<T>& data, int64_t n_rows) const {
    return double(n_rows) * network.nanoseconds_of_row(data.density());
  }
  double nanoseconds_of_step(const Data<T>& data, int64_t n_rows) const {
    const double density = changes_rows() ? 1 : data.density();
    return 3 * double(n_rows) * network.nanoseconds_of_row(density) + kParameterStep * double(network.n_parameters);
  }

  bool wants_labels() const { return loss_->wants_labels(); }
  bool has_optimizer() const { return optimizer_ != nullptr; }
  bool averages() const { return !averages_.empty(); }
  bool changes_rows() const { return !row_changes_.empty() || rule_->changes_rows(); }
  bool has_columns() const { return columns_.mean != nullptr; }

  // Moments too: where squares of a gradient overflow, Adam would never move its weight again.
  bool finite() const {
    bool all = kernels<T>().all_finite(state_.parameters, network.n_parameters) &&
               kernels<T>().all_finite(state_.statistics, network.n_statistics);
    for (const T* moment : state_.moments.vectors) all = all && kernels<T>().all_finite(moment, network.n_parameters);
    return all;
  }

 private:
  template <class Part>
  using List = std::vector<std::unique_ptr<Part>>;

  // Asks one family after the other whether it knows the name.
  void add_part(const Spec& spec, const Layout& layout) {
    if (auto rule = make_if_known(kGradientRules<T>, spec)) {
      rule_ = std::move(rule);
      return;
    }
    const bool known = add(row_changes_, make_if_known(kRowChanges<T>, spec)) ||
                       add(smooth_, make_if_known(kSmoothPenalties<T>, spec, layout)) ||
                       add(gradient_changes_, make_if_known(kGradientChanges<T>, spec, layout)) ||
                       add(decays_, make_if_known(kDecays<T>, spec, layout)) ||
                       add(proximals_, make_if_known(kProximals<T>, spec, layout)) ||
                       add(averages_, make_if_known(kAverages<T>, spec, layout));
    if (!known) throw std::invalid_argument("unknown part: " + spec.name);
  }

  template <class Part>
  static bool add(List<Part>& list, std::unique_ptr<Part> part) {
    if (!part) return false;
    list.push_back(std::move(part));
    return true;
  }

  Pass<T> pass() { return {network, *loss_, batch_}; }

  // A single last row has no variance: under batch norm it joins the batch before it.
  int64_t batch_end(int64_t begin, int64_t n, int64_t batch_size) const {
    const int64_t end = std::min(begin + batch_size, n);
    return network.n_statistics > 0 && end + 1 == n ? n : end;
  }

  void change_rows(const Batch<T>& batch) {
    for (const auto& change : row_changes_) {
      change->apply(batch_.rows(network.n_outputs(), change->mixes_targets()), batch, columns_);
    }
    batch_.drop_inputs(network.input_dropout(), batch);
  }

  Batch<T> describe(bool training) const {
    Batch<T> batch;
    batch_.describe(batch);
    batch.training = training;
    batch.seed = seed_;
    batch.step = uint64_t(state_.counters[0]);
    return batch;
  }

  // Calls body(batch) for one chunk of rows after another, in inference mode, with shares of all rows; stops early when
  // `poll` says so.
  template <class Body>
  void for_chunks(const Data<T>& data, const int32_t* rows, int64_t n, const Poll& poll, Body body) {
    network.reserve(std::min(n, kChunkRows), true);
    const double total_weight = data.total_weight(rows, n);
    for (int64_t begin = 0; begin < n; begin += kChunkRows) {
      if (!poll()) return;
      batch_.gather(data, rows + begin, std::min(kChunkRows, n - begin), total_weight);
      body(describe(false));
    }
  }

  std::unique_ptr<Loss<T>> loss_;
  uint64_t seed_;
  std::vector<T> gradient_;
  // The parts, by place.
  List<RowChange<T>> row_changes_;                                                // 1
  std::unique_ptr<GradientRule<T>> rule_ = std::make_unique<PlainGradient<T>>();  // 2 to 4
  List<SmoothPenalty<T>> smooth_;                                                 // 5
  List<GradientChange<T>> gradient_changes_;                                      // 5
  List<Decay<T>> decays_;                                                         // 6
  std::unique_ptr<Optimizer<T>> optimizer_;                                       // 6
  List<Proximal<T>> proximals_;                                                   // 7
  List<Average<T>> averages_;                                                     // 8
  TrainingState<T> state_{};
  ColumnStatistics<T> columns_{};
  BatchBuffer<T> batch_;
};

}  // namespace skreg
