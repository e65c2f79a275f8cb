// The training data as the caller's arrays, and a batch gathered from them by row index: X is never shuffled or copied
// as a whole.
#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <vector>

#include "costs.hpp"
#include "layers/dropout.hpp"
#include "rows.hpp"

namespace skreg {

using Poll = std::function<bool()>;  // asked now and then; false: stop at once

constexpr int64_t kChunkRows = 512;     // bounds the memory of what needs no batch
constexpr int64_t kRowsAhead = 4;       // rows in a random order come from memory, and no hardware foresees them
constexpr size_t kSmallData = 1 << 18;  // bytes that need no asking ahead

// Asks for the first lines of a row; the rest of a long one the hardware does foresee.
inline void prefetch(const void* row, size_t size) {
  constexpr size_t kLine = 64, kMost = 1024;
  for (size_t at = 0; at < std::min(size, kMost); at += kLine) __builtin_prefetch(static_cast<const char*>(row) + at);
}

template <class T>
struct Data {
  int64_t n_rows = 0, n_features = 0, n_outputs = 0;
  const T* dense = nullptr;  // (n_rows, n_features), row-major; null for sparse rows
  const int64_t* indptr = nullptr;
  const int32_t* indices = nullptr;
  const T* values = nullptr;
  int64_t n_values = 0;            // of indices and of values
  const T* target = nullptr;       // (n_rows, n_outputs), or null with
  const int32_t* label = nullptr;  // (n_rows,) the index of the class, at least 0
  int32_t largest_label = -1;
  const T* weight = nullptr;  // (n_rows,), null for ones

  // The share of the features that a row holds on the average.
  double density() const {
    return dense ? 1 : double(indptr[n_rows]) / (double(std::max<int64_t>(1, n_rows)) * double(n_features));
  }

  double total_weight(const int32_t* rows, int64_t n) const {
    if (!weight) return double(n);
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += double(weight[rows[i]]);
    return sum;
  }
};

template <class T>
class BatchBuffer {
 public:
  // Gathers rows with the share weight_i / total_weight each. With `fill` sparse rows get all of their zeros, which
  // changes of the rows may turn into other numbers.
  void gather(const Data<T>& data, const int32_t* rows, int64_t n, double total_weight, bool fill = false) {
    n_rows_ = n;
    ld_ = data.n_features;
    sparse_rows_ = !data.dense && !fill;
    if (data.dense) {
      gather_dense(data, rows);
    } else {
      copy_columns(data, rows);
      fill ? fill_rows(data) : copy_values(data);
    }
    gather_targets(data, rows);
    gather_shares(data, rows, total_weight);
  }

  Input<T> input() const { return sparse_rows_ ? Input<T>{nullptr, 0, &sparse_} : Input<T>{x_.data(), ld_, nullptr}; }

  void describe(Batch<T>& batch) const {
    batch.n_rows = n_rows_;
    batch.share = share_.data();
    batch.n_weighted = n_weighted_;
    batch.effective_size = effective_size_;
  }

  LossBatch<T> loss_batch(const T* z, int64_t n_outputs, T* delta) const {
    LossBatch<T> batch;
    batch.n_rows = n_rows_;
    batch.n_outputs = n_outputs;
    batch.z = z;
    batch.target = labels_ ? nullptr : target_.data();
    batch.label = label_.data();
    batch.share = share_.data();
    batch.delta = delta;
    return batch;
  }

  // The rows, with all of their zeros, for a change in place. `mixes` turns labels into one target a class, which can
  // be mixed.
  BatchRows<T> rows(int64_t n_outputs, bool mixes) {
    if (labels_ && mixes) spread_labels(n_outputs);
    BatchRows<T> rows;
    rows.n_rows = n_rows_;
    rows.n_features = ld_;
    rows.n_targets = labels_ ? 0 : n_outputs;
    rows.x = x_.data();
    rows.target = target_.data();
    rows.share = share_.data();
    rows.weighted = weighted_;
    return rows;
  }

  // x += epsilon * deviation * sign(gradient), and nothing where the input is dropped (Goodfellow, Shlens and Szegedy
  // 2015). `gradient` is overwritten.
  void attack(T* gradient, double epsilon, const T* deviation, Dropout& dropout, const Batch<T>& batch) {
    for (int64_t i = 0; i < n_rows_; ++i) {
      for (int64_t j = 0; j < ld_; ++j) {
        T& g = gradient[i * ld_ + j];
        g = T(epsilon) * deviation[j] * T((g > 0) - (g < 0));
      }
    }
    const Drop<T> drop = dropout.draw(batch, n_rows_ * ld_, stream_of(kInputDropout, 0));
    if (drop.bits) kernels<T>().drop(gradient, n_rows_ * ld_, drop);
    kernels<T>().add_scaled(x_.data(), gradient, n_rows_ * ld_, T(1));
  }

  void drop_inputs(Dropout& dropout, const Batch<T>& batch) {
    if (!dropout.active()) return;
    const uint32_t stream = stream_of(kInputDropout, 0);
    if (!sparse_rows_) {
      kernels<T>().drop(x_.data(), n_rows_ * ld_, dropout.draw(batch, n_rows_ * ld_, stream));
      return;
    }
    for (int64_t i = 0; i < n_rows_; ++i) {
      for (int64_t e = begin_[i]; e < begin_[i + 1]; ++e) {
        x_[e] *= dropout.template factor<T>(batch, stream, i * ld_ + column_[e]);
      }
    }
  }

 private:
  // Buffers only grow; std::vector's resize keeps the capacity, so steps after the largest one allocate nothing.
  void gather_dense(const Data<T>& data, const int32_t* rows) {
    const auto source = [&](int64_t i) { return data.dense + int64_t(rows[i]) * ld_; };
    const size_t size = size_t(ld_) * sizeof(T);
    const bool in_cache = size * size_t(data.n_rows) <= kSmallData;
    for_dense_rows([&](int64_t i, T* x) {
      if (!in_cache && i + kRowsAhead < n_rows_) prefetch(source(i + kRowsAhead), size);
      std::memcpy(x, source(i), size);
    });
  }

  // Calls write(i, x) for each row, x having room for its n_features numbers.
  template <class Write>
  void for_dense_rows(Write write) {
    if (x_.size() < size_t(n_rows_ * ld_)) x_.resize(n_rows_ * ld_);
    const double one_row = double(ld_ * int64_t(sizeof(T))) * kMemoryByte;
    parallel_ranges(n_rows_, 1, one_row, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) write(i, x_.data() + i * ld_);
    });
  }

  // Every index is checked in the copy that serves: the arrays are the user's, who may write into them meanwhile.
  void copy_columns(const Data<T>& data, const int32_t* rows) {
    begin_.resize(n_rows_ + 1);
    from_.resize(n_rows_);
    begin_[0] = 0;
    for (int64_t i = 0; i < n_rows_; ++i) {
      const int64_t from = data.indptr[rows[i]], end = data.indptr[rows[i] + int64_t(1)];
      if (from < 0 || end < from || end > data.n_values) throw std::invalid_argument("a row of X is out of range");
      from_[i] = from;
      begin_[i + 1] = begin_[i] + end - from;
    }
    column_.resize(std::max(column_.size(), size_t(begin_[n_rows_])));
    for (int64_t i = 0; i < n_rows_; ++i) {
      std::copy_n(data.indices + from_[i], begin_[i + 1] - begin_[i], column_.begin() + begin_[i]);
    }
    check_columns();
  }

  // What is stored twice is summed, in its order.
  void fill_rows(const Data<T>& data) {
    for_dense_rows([&](int64_t i, T* x) {
      std::fill_n(x, ld_, T(0));
      const T* value = data.values + from_[i];
      for (int64_t e = begin_[i]; e < begin_[i + 1]; ++e, ++value) x[column_[e]] += *value;
    });
  }

  void copy_values(const Data<T>& data) {
    x_.resize(std::max(x_.size(), size_t(begin_[n_rows_])));
    for (int64_t i = 0; i < n_rows_; ++i) {
      std::copy_n(data.values + from_[i], begin_[i + 1] - begin_[i], x_.begin() + begin_[i]);
    }
    sparse_ = {n_rows_, begin_.data(), column_.data(), x_.data()};
  }

  void check_columns() const {
    bool in_range = true;
    for (int64_t e = 0; e < begin_[n_rows_]; ++e) in_range &= column_[e] >= 0 && column_[e] < ld_;
    if (!in_range) throw std::invalid_argument("a column index of X is out of range");
  }

  void gather_targets(const Data<T>& data, const int32_t* rows) {
    labels_ = data.label != nullptr;
    if (labels_) {
      label_.resize(n_rows_);
      for (int64_t i = 0; i < n_rows_; ++i) label_[i] = data.label[rows[i]];
    } else if (data.n_outputs == 1) {
      target_.resize(n_rows_);
      for (int64_t i = 0; i < n_rows_; ++i) target_[i] = data.target[rows[i]];
    } else {
      target_.resize(n_rows_ * data.n_outputs);
      for (int64_t i = 0; i < n_rows_; ++i) {
        std::copy_n(data.target + rows[i] * data.n_outputs, data.n_outputs, target_.begin() + i * data.n_outputs);
      }
    }
  }

  void gather_shares(const Data<T>& data, const int32_t* rows, double total_weight) {
    // Without weights all batches of a size have the same shares.
    const bool known = !data.weight && !weighted_ && total_weight == total_weight_ && share_.size() == size_t(n_rows_);
    if (known) return;
    share_.resize(n_rows_);
    weighted_ = data.weight != nullptr;
    total_weight_ = total_weight;
    n_weighted_ = 0;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n_rows_; ++i) {
      const double w = data.weight ? double(data.weight[rows[i]]) : 1.0;
      const double share = w / total_weight;
      share_[i] = T(share);
      n_weighted_ += w > 0;
      sum += w;
      squares += share * share;
    }
    effective_size_ = effective_size_of(sum, squares);
  }

  void spread_labels(int64_t n_classes) {
    target_.assign(size_t(n_rows_ * n_classes), T(0));
    for (int64_t i = 0; i < n_rows_; ++i) target_[i * n_classes + label_[i]] = 1;
    labels_ = false;
  }

  int64_t n_rows_ = 0, ld_ = 0, n_weighted_ = 0;
  double effective_size_ = 0, total_weight_ = 0;
  bool sparse_rows_ = false, labels_ = false, weighted_ = false;
  std::vector<T> x_, target_, share_;
  std::vector<int32_t> label_, column_;
  std::vector<int64_t> begin_, from_;
  SparseRows<T> sparse_{};
};

}  // namespace skreg
