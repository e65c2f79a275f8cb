// Prediction: outputs of a network in inference mode, or their spread over passes with dropout.
//
// The network is one without batch norm, which is folded before, and its parameters lie where the caller keeps them.
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "data.hpp"
#include "losses.hpp"
#include "network.hpp"
#include "threads.hpp"

namespace skreg {

constexpr int64_t kPredictedRows = 512;  // at a time; BLOCK_ROWS in network/core.py

// The values of one slot of the parameters.
template <class T>
struct ParameterArray {
  const T* values;
  int64_t size, n_columns;
};

// Rows of the data that follow each other: dense ones as they lie, sparse ones by a checked copy.
template <class T>
class ConsecutiveRows {
 public:
  Input<T> take(const Data<T>& d, int64_t row, int64_t n) {
    return d.dense ? Input<T>{d.dense + row * d.n_features, d.n_features, nullptr} : copy(d, row, n).input();
  }
  BatchBuffer<T>& copy(const Data<T>& d, int64_t row, int64_t n) {
    rows_.resize(size_t(n));
    std::iota(rows_.begin(), rows_.end(), int32_t(row));
    buffer_.gather(d, rows_.data(), n, 1.0);
    return buffer_;
  }

 private:
  std::vector<int32_t> rows_;
  BatchBuffer<T> buffer_;
};

// Mean and sample variance of a matrix over several draws, in double (Welford 1962).
class RunningMoments {
 public:
  explicit RunningMoments(size_t size) : mean_(size), squares_(size) {}
  template <class T>
  void add(const T* x) {
    ++n_;
    for (size_t i = 0; i < mean_.size(); ++i) {
      const double d = double(x[i]) - mean_[i];
      mean_[i] += d / n_;
      squares_[i] += d * (double(x[i]) - mean_[i]);
    }
  }
  template <class T>
  void write(T* mean, T* deviation) const {
    for (size_t i = 0; i < mean_.size(); ++i) {
      mean[i] = T(mean_[i]);
      deviation[i] = T(n_ > 1 ? std::sqrt(squares_[i] / (n_ - 1)) : 0.0);
    }
  }

 private:
  double n_ = 0;
  std::vector<double> mean_, squares_;
};

template <class T>
class Predictor {
 public:
  Predictor(const Data<T>& data, const std::vector<Spec>& layers, const std::vector<ParameterArray<T>>& parameters)
      : data_(data), layers_(layers), network_(data.n_features, layers) {
    const std::vector<Slot>& slots = network_.parameter_slots;
    if (parameters.size() != slots.size() || network_.n_statistics > 0) {
      throw std::invalid_argument("parameters and layers do not fit together");
    }
    for (size_t i = 0; i < slots.size(); ++i) {
      if (parameters[i].size != slots[i].n_rows * slots[i].n_columns || parameters[i].n_columns != slots[i].n_columns) {
        throw std::invalid_argument("coefs_ and intercepts_ do not fit together, or not the number of features");
      }
      arrays_.push_back(parameters[i].values);
    }
    network_.bind(arrays_);
  }

  int64_t n_rows() const { return data_.n_rows; }
  int64_t n_outputs() const { return network_.n_outputs(); }
  double nanoseconds_of_row() const { return network_.nanoseconds_of_row(data_.density()); }

  // `out` has room for (n_rows, n_outputs).
  void predict(const std::string& link, T* out) {
    apply_link<T>(link, nullptr, 0, 1);  // an unknown name fails here and not in a thread
    const InFlight in_flight(nanoseconds_of_row() * double(data_.n_rows));
    parallel_ranges(data_.n_rows, kPredictedRows, nanoseconds_of_row(), [&](int64_t begin, int64_t end) {
      if (begin == 0) return predict_rows(network_, begin, end, link, out);
      Network<T> network(data_.n_features, layers_);
      network.bind(arrays_);
      predict_rows(network, begin, end, link, out);
    });
  }

  // With the network's dropout on: mean and standard deviation over n_draws passes.
  // Steps with the highest bit set are none of training's.
  template <class Poll>
  bool sample(const std::string& link, uint64_t seed, int64_t n_draws, T* mean, T* deviation, const Poll& poll) {
    const int64_t width = network_.n_outputs();
    bool go_on = true;
    for_chunks(network_, 0, data_.n_rows, [&](int64_t row, int64_t n, const Input<T>& in) {
      RunningMoments moments(size_t(n * width));
      Batch<T> batch;
      batch.n_rows = n;
      batch.training = true;
      batch.seed = seed;
      for (int64_t draw = 0; draw < n_draws && (go_on = go_on && poll()); ++draw) {
        batch.step = uint64_t(1) << 63 | uint64_t(row) << 32 | uint64_t(draw);
        T* z = network_.forward(with_input_dropout(in, row, batch), batch);
        apply_link(link, z, n, width);
        moments.add(z);
      }
      moments.write(mean + row * width, deviation + row * width);
    });
    return go_on;
  }

 private:
  // Calls body(row, n, input) for n rows from `row`, chunk after chunk.
  template <class Body>
  void for_chunks(Network<T>& network, int64_t begin, int64_t end, Body body) const {
    network.reserve(std::min(kPredictedRows, end - begin), false);
    ConsecutiveRows<T> rows;
    for (int64_t row = begin; row < end; row += kPredictedRows) {
      const int64_t n = std::min(kPredictedRows, end - row);
      body(row, n, rows.take(data_, row, n));
    }
  }

  void predict_rows(Network<T>& network, int64_t begin, int64_t end, const std::string& link, T* out) const {
    const int64_t width = network.n_outputs();
    for_chunks(network, begin, end, [&](int64_t row, int64_t n, const Input<T>& in) {
      Batch<T> batch;
      batch.n_rows = n;
      T* z = network.forward(in, batch);
      apply_link(link, z, n, width);
      std::copy_n(z, n * width, out + row * width);
    });
  }

  Input<T> with_input_dropout(const Input<T>& in, int64_t row, const Batch<T>& batch) {
    if (!network_.input_dropout().active()) return in;
    BatchBuffer<T>& copy = rows_.copy(data_, row, batch.n_rows);
    copy.drop_inputs(network_.input_dropout(), batch);
    return copy.input();
  }

  Data<T> data_;
  std::vector<Spec> layers_;
  std::vector<const T*> arrays_;
  Network<T> network_;
  ConsecutiveRows<T> rows_;
};

}  // namespace skreg
