// Data and training state of the caller, in NumPy's arrays: checked, borrowed, and kept alive as long as the core
// points at them.
//
// The contract: what comes from Python passes a check below before the core sees it, for the core reads where it is
// told.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "arguments.hpp"
#include "clocks.hpp"
#include "epoch.hpp"
#include "gil.hpp"

namespace skreg {

// -------------------------------------------------------------------------------------------------------- data

using Rows = Vector<const int32_t>;

// Borrows NumPy arrays and keeps them alive.
template <class T>
struct BorrowedData {
  Data<T> view;
  std::vector<nanobind::object> owners;

  template <class A>
  auto keep(const A& array) {
    owners.push_back(nanobind::cast(array));
    return array.data();
  }
};

template <class T>
void set_targets(BorrowedData<T>& d, const std::optional<Matrix<const T>>& target,
                 const std::optional<Vector<const int32_t>>& label, const std::optional<Vector<const T>>& weight) {
  if (target) {
    expect(int64_t(target->shape(0)) == d.view.n_rows, "target and X differ in their number of rows");
    d.view.n_outputs = int64_t(target->shape(1));
    d.view.target = d.keep(*target);
  }
  if (label) {
    expect(int64_t(label->shape(0)) == d.view.n_rows, "label and X differ in their number of rows");
    d.view.label = d.keep(*label);
    for (int64_t i = 0; i < d.view.n_rows; ++i) {
      expect(d.view.label[i] >= 0, "a label is negative");
      d.view.largest_label = std::max(d.view.largest_label, d.view.label[i]);
    }
  }
  if (weight) {
    expect(int64_t(weight->shape(0)) == d.view.n_rows, "weight and X differ in their number of rows");
    d.view.weight = d.keep(*weight);
  }
}

// The indices are checked when rows are gathered.
template <class T>
void check_sparse(const Data<T>& d, int64_t n_indices) {
  expect(d.n_rows >= 0 && n_indices == d.n_values && d.indptr[0] == 0,
         "indptr, indices and values do not fit together");
  for (int64_t i = 0; i < d.n_rows; ++i) expect(d.indptr[i] <= d.indptr[i + 1], "indptr must not decrease");
  expect(d.indptr[d.n_rows] <= d.n_values, "indptr, indices and values do not fit together");
}

inline void check_rows(int64_t n_rows, const Rows& rows) {
  for (size_t i = 0; i < rows.shape(0); ++i) {
    expect(rows.data()[i] >= 0 && rows.data()[i] < n_rows, "a row index is out of range");
  }
}

// ---------------------------------------------------------------------------------------------------- training

template <class T>
struct BoundTrainer {
  Trainer<T> trainer;
  std::vector<nanobind::object> owners = {}, columns = {};
  Clock clock = {};
  const Stop* stop = nullptr;
  nanobind::object stop_owner = {};
};

template <class T>
void check_call(const BoundTrainer<T>& b, const BorrowedData<T>& data, const Rows& rows) {
  const Network<T>& net = b.trainer.network;
  expect(!b.owners.empty(), "attach the arrays first");
  expect(rows.shape(0) > 0, "there are no rows");
  check_rows(data.view.n_rows, rows);
  expect(data.view.n_features == net.input_width(), "the data has another number of features than the network");
  if (b.trainer.wants_labels()) {
    expect(data.view.label, "this loss needs label");
    expect(data.view.largest_label < net.n_outputs(), "a label is out of range");
  } else {
    expect(data.view.target, "this loss needs target");
    expect(data.view.n_outputs == net.n_outputs(), "y has another number of outputs than the network");
  }
}

template <class T>
void check_row_changes(const BoundTrainer<T>& b) {
  expect(!b.trainer.changes_rows() || b.trainer.has_columns(),
         "changes of the rows need the statistics of the columns");
}

template <class T>
void attach(BoundTrainer<T>& b, const Vector<T>& parameters, const Vector<T>& statistics, const nanobind::list& moments,
            const Vector<int64_t>& counters, const Vector<double>& reach, const std::optional<Spec>& optimizer,
            const std::optional<Vector<T>>& average) {
  const Network<T>& net = b.trainer.network;
  expect(int64_t(parameters.shape(0)) == net.n_parameters, "parameters have the wrong length");
  expect(int64_t(statistics.shape(0)) == net.n_statistics, "statistics have the wrong length");
  expect(counters.shape(0) == 2, "counters are two");
  expect(reach.shape(0) == 1, "reach is one number");
  TrainingState<T> state{parameters.data(), statistics.data(), {{}, reach.data()}, nullptr, counters.data()};
  std::vector<nanobind::object> owners = {nanobind::cast(parameters), nanobind::cast(statistics),
                                          nanobind::cast(counters), nanobind::cast(reach)};
  for (nanobind::handle item : moments) {
    const auto moment = nanobind::cast<Vector<T>>(item, false);
    expect(int64_t(moment.shape(0)) == net.n_parameters, "moments have the wrong length");
    state.moments.vectors.push_back(moment.data());
    owners.push_back(nanobind::cast(moment));
  }
  expect(!b.trainer.averages() || average, "averaging needs an array for the average");
  if (average) {
    expect(int64_t(average->shape(0)) == net.n_parameters, "average has the wrong length");
    state.average = average->data();
    owners.push_back(nanobind::cast(*average));
  }
  b.trainer.attach(state, optimizer);
  b.owners = std::move(owners);  // last: the trainer may still point at the old ones until here
}

template <class T>
void set_columns(BoundTrainer<T>& b, const Vector<const T>& mean, const Vector<const T>& deviation,
                 const Vector<const T>& target_deviation) {
  const Network<T>& net = b.trainer.network;
  expect(int64_t(mean.shape(0)) == net.input_width() && mean.shape(0) == deviation.shape(0) &&
             int64_t(target_deviation.shape(0)) == net.n_outputs(),
         "the statistics of the columns have the wrong length");
  b.columns = {nanobind::cast(mean), nanobind::cast(deviation), nanobind::cast(target_deviation)};
  b.trainer.set_columns({mean.data(), deviation.data(), target_deviation.data()});
}

}  // namespace skreg
