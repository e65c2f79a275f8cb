// Scores: what early stopping may watch beside the loss, as weighted sums over rows of predictions behind their link.
//
// To add one: a class with n_sums and add, and its row in kScores.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "families.hpp"
#include "kernels.hpp"
#include "losses.hpp"

namespace skreg {

template <class T>
class Score {
 public:
  virtual ~Score() = default;
  virtual int64_t n_sums(int64_t n_outputs) const = 0;
  // Adds weight times the row's share of the score; `batch.z` holds predictions.
  virtual void add(const LossBatch<T>& batch, int64_t row, double weight, double* sums) const = 0;
};

template <class T>
class Accuracy : public Score<T> {  // 1 where the predicted class is the row's, or all of its labels are
 public:
  int64_t n_sums(int64_t) const override { return 1; }
  void add(const LossBatch<T>& batch, int64_t row, double weight, double* sums) const override {
    const T* p = batch.z + row * batch.n_outputs;
    const bool right = batch.target ? labels_hold(p, batch.target + row * batch.n_outputs, batch.n_outputs)
                                    : std::max_element(p, p + batch.n_outputs) - p == batch.label[row];
    if (right) sums[0] += weight;
  }

 private:
  static bool labels_hold(const T* p, const T* target, int64_t n) {
    for (int64_t j = 0; j < n; ++j) {
      if ((p[j] > T(0.5)) != (target[j] > T(0.5))) return false;
    }
    return true;
  }
};

template <class T>
class SquaredErrors : public Score<T> {  // (prediction - y)^2 of each output, in double
 public:
  int64_t n_sums(int64_t n_outputs) const override { return n_outputs; }
  void add(const LossBatch<T>& batch, int64_t row, double weight, double* sums) const override {
    if (!batch.target) throw std::invalid_argument("squared errors need targets, not labels");
    for (int64_t j = 0; j < batch.n_outputs; ++j) {
      const int64_t at = row * batch.n_outputs + j;
      const double d = double(batch.z[at]) - double(batch.target[at]);
      sums[j] += weight * (d * d);
    }
  }
};

template <class T>
constexpr Maker<Score<T>> kScores[] = {
    {"accuracy", make<Accuracy<T>>},
    {"squared_errors", make<SquaredErrors<T>>},
};

template <class T>
std::unique_ptr<Score<T>> make_score(const Spec& spec) {
  auto score = make_if_known(kScores<T>, spec);
  if (!score) throw std::invalid_argument("unknown score: " + spec.name);
  return score;
}

// One on its way over the rows: where the predictions come from, how much each row weighs, and the sums.
template <class T>
struct Scoring {
  const Score<T>& score;
  std::string link;
  const double* weight;  // one a row, or null for 1
  double* sums;
  int64_t row = 0;

  // `z` are the raw outputs of the batch and become predictions.
  void add(LossBatch<T> batch, T* z) {
    apply_link(link, z, batch.n_rows, batch.n_outputs);
    batch.z = z;
    for (int64_t i = 0; i < batch.n_rows; ++i, ++row) score.add(batch, i, weight ? weight[row] : 1.0, sums);
  }
};

}  // namespace skreg
