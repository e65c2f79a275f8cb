// Statistics of batch norm over many rows: layer by layer, each with the layers before it already exact. What a layer
// gives for all rows is kept for the next one, so that the rows go through the network once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "data.hpp"
#include "kernels.hpp"
#include "network.hpp"

namespace skreg {

// Weighted mean and (biased) variance of columns, of chunks of rows that are merged one by one (Chan, Golub and LeVeque
// 1979) in double.
template <class T>
class ColumnMoments {
 public:
  explicit ColumnMoments(int64_t width) : mean(width), variance(width), chunk_mean_(width), chunk_variance_(width) {}

  std::vector<double> mean, variance;

  // `share` of each row among all rows.
  void add(const T* x, int64_t n_rows, const T* share) {
    double sum = 0;
    for (int64_t i = 0; i < n_rows; ++i) sum += double(share[i]);
    if (!(sum > 0)) return;
    share_.resize(n_rows);
    for (int64_t i = 0; i < n_rows; ++i) share_[i] = T(double(share[i]) / sum);
    const int64_t width = int64_t(mean.size());
    kernels<T>().moments(x, n_rows, width, share_.data(), chunk_mean_.data(), chunk_variance_.data());
    const double weight = sum / (seen_ + sum);  // of the chunk among all rows so far
    for (int64_t j = 0; j < width; ++j) {
      const double d = double(chunk_mean_[j]) - mean[j];
      mean[j] += d * weight;
      variance[j] += (double(chunk_variance_[j]) - variance[j]) * weight + d * d * weight * (1 - weight);
    }
    seen_ += sum;
  }

 private:
  double seen_ = 0;
  std::vector<T> chunk_mean_, chunk_variance_, share_;
};

template <class T>
class StatisticsPass {
 public:
  StatisticsPass(Network<T>& network, BatchBuffer<T>& buffer, const Data<T>& data, const int32_t* rows, int64_t n,
                 const Poll& poll)
      : network_(network), buffer_(buffer), data_(data), poll_(poll), outputs_(network.n_blocks()) {
    choose(rows, n);
    total_weight_ = data.total_weight(rows_.data(), int64_t(rows_.size()));
  }

  // False where `poll` ended it; some statistics have changed then.
  bool run() {
    if (!(total_weight_ > 0)) return true;
    const size_t end = n_normalized();
    for (size_t i = 0; i < end; ++i) {
      ColumnMoments<T> moments(network_.block(i).dense.n_out);
      if (!multiply(i, moments)) return false;
      if (BatchNorm<T>* norm = network_.block(i).batch_norm()) set(*norm, moments);
      if (i + 1 < end && !activate(i)) return false;
      if (i > 0 && !(i + 1 < end && network_.block(i + 1).link)) release(i - 1);
      if (i > 1) release(i - 2);
    }
    return true;
  }

 private:
  static constexpr int64_t kKeptBytes = 256 << 20;  // of at most three layers at a time

  // All rows, or where their outputs would take too much memory a random one from each of as many equal runs as fit:
  // with thousands of rows the error is a small part of a batch's noise. The same rows in every call.
  void choose(const int32_t* rows, int64_t n) {
    int64_t widest = 1;
    for (size_t i = 0; i < network_.n_blocks(); ++i) widest = std::max(widest, network_.block(i).dense.n_out);
    const int64_t n_kept = std::max<int64_t>(4096, kKeptBytes / (3 * widest * int64_t(sizeof(T))));
    if (n <= n_kept) {
      rows_.assign(rows, rows + n);
      return;
    }
    std::mt19937_64 random;
    rows_.resize(n_kept);
    for (int64_t i = 0; i < n_kept; ++i) {
      const int64_t begin = i * n / n_kept, end = (i + 1) * n / n_kept;
      rows_[i] = rows[begin + int64_t(random() % uint64_t(end - begin))];
    }
  }

  // Blocks up to the last one with batch norm.
  size_t n_normalized() const {
    size_t end = network_.n_blocks();
    while (end > 0 && !network_.block(end - 1).batch_norm()) --end;
    return end;
  }

  // The dense layer of a block for all rows.
  bool multiply(size_t i, ColumnMoments<T>& moments) {
    const int64_t width = network_.block(i).dense.n_out;
    outputs_[i].resize(rows_.size() * size_t(width));
    return for_chunks([&](const Batch<T>& batch, int64_t begin) {
      if (i == 0) gather(begin, batch.n_rows);
      const Input<T> in = i == 0 ? buffer_.input() : Input<T>{at(i - 1, begin), network_.block(i - 1).dense.n_out};
      network_.block(i).multiply(in, batch, at(i, begin));
      moments.add(at(i, begin), batch.n_rows, share_.data() + begin);
    });
  }

  // The rest of the block, in place.
  bool activate(size_t i) {
    Block<T>& block = network_.block(i);
    return for_chunks([&](const Batch<T>& batch, int64_t begin) {
      block.activate(batch, at(i, begin), block.link ? at(i - 2, begin) : nullptr);
    });
  }

  void set(BatchNorm<T>& norm, const ColumnMoments<T>& moments) const {
    double squared_shares = 0;
    for (const T share : share_) squared_shares += double(share) * double(share);
    const double size = effective_size_of(total_weight_, squared_shares);
    if (!has_variance(size)) return;
    for (size_t j = 0; j < moments.mean.size(); ++j) {
      norm.running_mean[j] = T(moments.mean[j]);
      norm.running_variance[j] = T(moments.variance[j] * (size / (size - 1)));
    }
  }

  void gather(int64_t begin, int64_t n) {
    buffer_.gather(data_, rows_.data() + begin, n, total_weight_);
    Batch<T> batch;
    buffer_.describe(batch);
    share_.insert(share_.end(), batch.share, batch.share + n);
  }

  template <class Body>
  bool for_chunks(Body body) const {
    Batch<T> batch;  // as at prediction
    const int64_t n = int64_t(rows_.size());
    for (int64_t begin = 0; begin < n; begin += kChunkRows) {
      if (!poll_()) return false;
      batch.n_rows = std::min(kChunkRows, n - begin);
      body(batch, begin);
    }
    return true;
  }

  T* at(size_t i, int64_t row) { return outputs_[i].data() + row * network_.block(i).dense.n_out; }
  void release(size_t i) { std::vector<T>().swap(outputs_[i]); }

  Network<T>& network_;
  BatchBuffer<T>& buffer_;
  const Data<T>& data_;
  const Poll& poll_;
  double total_weight_;
  std::vector<int32_t> rows_;
  std::vector<T> share_;                 // of each row
  std::vector<std::vector<T>> outputs_;  // of each block for all rows, while it is needed
};

}  // namespace skreg
