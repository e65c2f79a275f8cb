// What Python sees: Data32 / Data64 (arrays by reference), Trainer32 / Trainer64, predict, and the random numbers for
// their test. Every long call releases the GIL.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>

#include <numeric>
#include <optional>

#include "arguments.hpp"
#include "epoch.hpp"
#include "gil.hpp"
#include "instruction_sets.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace skreg {

void bind_augment(nb::module_& m);  // augment.cpp

// ---------------------------------------------------------------------------------------------------- arrays

using Rows = Vector<const int32_t>;

// Borrows NumPy arrays and keeps them alive.
template <class T>
struct BorrowedData {
  Data<T> view;
  std::vector<nb::object> owners;

  template <class A>
  auto keep(const A& array) {
    owners.push_back(nb::cast(array));
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

void check_rows(int64_t n_rows, const Rows& rows) {
  for (size_t i = 0; i < rows.shape(0); ++i) {
    expect(rows.data()[i] >= 0 && rows.data()[i] < n_rows, "a row index is out of range");
  }
}

template <class T>
void bind_data(nb::module_& m, const char* name) {
  using D = BorrowedData<T>;
  using Target = std::optional<Matrix<const T>>;
  using Label = std::optional<Vector<const int32_t>>;
  using Weight = std::optional<Vector<const T>>;
  nb::class_<D>(m, name)
      .def_static(
          "dense",
          [](const Matrix<const T>& x, const Target& target, const Label& label, const Weight& weight) {
            D d;
            d.view.n_rows = int64_t(x.shape(0));
            d.view.n_features = int64_t(x.shape(1));
            d.view.dense = d.keep(x);
            set_targets(d, target, label, weight);
            return d;
          },
          "x"_a, "target"_a = nb::none(), "label"_a = nb::none(), "weight"_a = nb::none())
      .def("total_weight",
           [](const D& d, const Rows& rows) {
             check_rows(d.view.n_rows, rows);
             return d.view.total_weight(rows.data(), int64_t(rows.shape(0)));
           })
      .def_static(
          "sparse",
          [](const Vector<const int64_t>& indptr, const Vector<const int32_t>& indices, const Vector<const T>& values,
             int64_t n_features, const Target& target, const Label& label, const Weight& weight) {
            D d;
            d.view.n_rows = int64_t(indptr.shape(0)) - 1;
            d.view.n_features = n_features;
            d.view.indptr = d.keep(indptr);
            d.view.indices = d.keep(indices);
            d.view.values = d.keep(values);
            d.view.n_values = int64_t(values.shape(0));
            check_sparse(d.view, int64_t(indices.shape(0)));
            set_targets(d, target, label, weight);
            return d;
          },
          "indptr"_a, "indices"_a, "values"_a, "n_features"_a, "target"_a = nb::none(), "label"_a = nb::none(),
          "weight"_a = nb::none());
}

// About how long one row of the data takes to go through all weights on one thread, where n_first of them meet the
// data.
template <class T>
double nanoseconds_of_row(const Data<T>& d, int64_t n_weights, int64_t n_first) {
  constexpr double kMultiplyAddsPerNanosecond = kMultiplyAddBytes / double(sizeof(T));
  const double n_cells = double(std::max<int64_t>(1, d.n_rows)) * double(d.n_features);
  const double density = d.dense ? 1 : double(d.indptr[d.n_rows]) / n_cells;
  return (double(n_weights - n_first) + density * double(n_first)) / kMultiplyAddsPerNanosecond;
}

// --------------------------------------------------------------------------------------------------- training

template <class T>
struct BoundTrainer {
  Trainer<T> trainer;
  std::vector<nb::object> owners, columns;
  Clock clock;
};

// Runs a call of the core without the GIL, but on the main thread lets Python's signal handlers run now and then; what
// they raise, such as KeyboardInterrupt, ends the call. `nanoseconds` is how long one of its steps takes on one thread.
template <class Call>
auto interruptible(Clock& clock, double nanoseconds, Call call) {
  const bool handles_signals = on_main_thread();
  bool interrupted = false;
  const auto result = [&] {
    WithoutGil gil;
    const InFlight in_flight(nanoseconds);
    return call([&] {
      if (!interrupted && handles_signals && clock.due()) interrupted = !gil.check_signals();
      return !interrupted;
    });
  }();
  if (interrupted) throw nb::python_error();
  return result;
}

// Forward, and where wanted backward, a pass of the optimizer and so on, over n_rows rows.
template <class T>
double nanoseconds_of_step(BoundTrainer<T>& b, const Data<T>& data, int64_t n_rows, bool training) {
  Network<T>& net = b.trainer.network;
  const Dense<T>& first = net.block(0).dense;
  const double one_product = double(n_rows) * nanoseconds_of_row(data, net.n_weights, first.n_in * first.n_out);
  return training ? 3 * one_product + kParameterStep * double(net.n_parameters) : one_product;
}

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
void check_row_changes(const BoundTrainer<T>& b, const BorrowedData<T>& data) {
  if (!b.trainer.changes_rows()) return;
  expect(data.view.dense, "changes of the rows need dense data");
  expect(b.trainer.has_columns(), "changes of the rows need the statistics of the columns");
}

static nb::list slots_as_list(const std::vector<Slot>& slots) {
  nb::list out;
  for (const Slot& s : slots) out.append(nb::make_tuple(s.kind, s.layer, s.offset, s.n_rows, s.n_columns));
  return out;
}

template <class T>
void attach(BoundTrainer<T>& b, const Vector<T>& parameters, const Vector<T>& statistics, const nb::list& moments,
            const Vector<int64_t>& counters, const Vector<double>& reach, const std::optional<Spec>& optimizer,
            const std::optional<Vector<T>>& average) {
  const Network<T>& net = b.trainer.network;
  expect(int64_t(parameters.shape(0)) == net.n_parameters, "parameters have the wrong length");
  expect(int64_t(statistics.shape(0)) == net.n_statistics, "statistics have the wrong length");
  expect(counters.shape(0) == 2, "counters are two");
  expect(reach.shape(0) == 1, "reach is one number");
  TrainingState<T> state{parameters.data(), statistics.data(), {{}, reach.data()}, nullptr, counters.data()};
  std::vector<nb::object> owners = {nb::cast(parameters), nb::cast(statistics), nb::cast(counters), nb::cast(reach)};
  for (nb::handle item : moments) {
    const auto moment = nb::cast<Vector<T>>(item, false);
    expect(int64_t(moment.shape(0)) == net.n_parameters, "moments have the wrong length");
    state.moments.vectors.push_back(moment.data());
    owners.push_back(nb::cast(moment));
  }
  expect(!b.trainer.averages() || average, "averaging needs an array for the average");
  if (average) {
    expect(int64_t(average->shape(0)) == net.n_parameters, "average has the wrong length");
    state.average = average->data();
    owners.push_back(nb::cast(*average));
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
  b.columns = {nb::cast(mean), nb::cast(deviation), nb::cast(target_deviation)};
  b.trainer.set_columns({mean.data(), deviation.data(), target_deviation.data()});
}

template <class T>
void bind_trainer(nb::module_& m, const char* name) {
  using B = BoundTrainer<T>;
  using D = BorrowedData<T>;
  using Poll = typename Trainer<T>::Poll;
  nb::class_<B>(m, name)
      .def(
          "__init__",
          [](B* self, int64_t n_features, const std::vector<Spec>& layers, const Spec& loss,
             const std::vector<Spec>& parts,
             uint64_t seed) { new (self) B{Trainer<T>(n_features, layers, loss, parts, seed), {}, {}, {}}; },
          "n_features"_a, "layers"_a, "loss"_a, "parts"_a, "seed"_a)
      .def_prop_ro("parameter_slots", [](B& b) { return slots_as_list(b.trainer.network.parameter_slots); })
      .def_prop_ro("statistic_slots", [](B& b) { return slots_as_list(b.trainer.network.statistic_slots); })
      .def_prop_ro("n_weights", [](B& b) { return b.trainer.network.n_weights; })
      .def_prop_ro("n_parameters", [](B& b) { return b.trainer.network.n_parameters; })
      .def_prop_ro("n_statistics", [](B& b) { return b.trainer.network.n_statistics; })
      .def("attach", &attach<T>, "parameters"_a.noconvert(), "statistics"_a.noconvert(), "moments"_a,
           "counters"_a.noconvert(), "reach"_a.noconvert(), "optimizer"_a = nb::none(),
           "average"_a.noconvert() = nb::none())
      .def("set_columns", &set_columns<T>, "mean"_a.noconvert(), "deviation"_a.noconvert(),
           "target_deviation"_a.noconvert())
      .def(
          "train_epoch",
          [](B& b, const D& data, const Rows& order, int64_t batch_size, const Vector<const double>& rates,
             double seconds) {
            check_call(b, data, order);
            check_row_changes(b, data);
            expect(b.trainer.has_optimizer(), "attach an optimizer first");
            expect(batch_size >= 1, "batch_size must be positive");
            expect(rates.shape(0) >= 1, "rates must not be empty");
            const Rates r = {rates.data(), int64_t(rates.shape(0))};
            const Deadline deadline(seconds);
            const double step = nanoseconds_of_step(b, data.view, batch_size, true);
            return interruptible(b.clock, step, [&](const Poll& poll) {
              const auto go_on = [&] { return !deadline.over() && poll(); };
              return b.trainer.train_epoch(data.view, order.data(), int64_t(order.shape(0)), batch_size, r, go_on);
            });
          },
          "data"_a, "order"_a.noconvert(), "batch_size"_a, "rates"_a.noconvert(), "seconds"_a)
      .def(
          "evaluate",
          [](B& b, const D& data, const Rows& rows) {
            check_call(b, data, rows);
            const double pass = nanoseconds_of_step(b, data.view, int64_t(rows.shape(0)), false);
            return interruptible(b.clock, pass, [&](const Poll& poll) {
              return b.trainer.evaluate(data.view, rows.data(), int64_t(rows.shape(0)), poll);
            });
          },
          "data"_a, "rows"_a.noconvert())
      .def(
          "loss_and_gradient",
          [](B& b, const D& data, const Rows& rows, const Vector<T>& gradient, bool training) {
            check_call(b, data, rows);
            if (training) check_row_changes(b, data);
            expect(int64_t(gradient.shape(0)) == b.trainer.network.n_parameters, "gradient has the wrong length");
            const double pass = nanoseconds_of_step(b, data.view, int64_t(rows.shape(0)), true);
            return interruptible(b.clock, pass, [&](const Poll& poll) {
              return b.trainer.loss_and_gradient(data.view, rows.data(), int64_t(rows.shape(0)), training,
                                                 gradient.data(), poll);
            });
          },
          "data"_a, "rows"_a.noconvert(), "gradient"_a.noconvert(), "training"_a = false)
      .def(
          "recalibrate",
          [](B& b, const D& data, const Rows& rows) {
            check_call(b, data, rows);
            const double pass = nanoseconds_of_step(b, data.view, int64_t(rows.shape(0)), false);
            interruptible(b.clock, pass, [&](const Poll& poll) {
              b.trainer.recalibrate(data.view, rows.data(), int64_t(rows.shape(0)), poll);
              return true;
            });
          },
          "data"_a, "rows"_a.noconvert())
      .def_prop_ro("finite", [](B& b) {
        expect(!b.owners.empty(), "attach the arrays first");
        return b.trainer.finite();
      });
}

// ------------------------------------------------------------------------------------------------- prediction

constexpr int64_t kPredictedRows = 512;  // at a time; BLOCK_ROWS in network.py

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

// Outputs for rows begin to end of the data, chunk by chunk.
template <class T, class Body>
void for_outputs(const Data<T>& d, Network<T>& network, int64_t begin, int64_t end, Body body) {
  network.reserve(std::min(kPredictedRows, end - begin), false);
  ConsecutiveRows<T> rows;
  for (int64_t row = begin; row < end; row += kPredictedRows) {
    const int64_t n = std::min(kPredictedRows, end - row);
    body(row, n, rows.take(d, row, n));
  }
}

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

// The network that predicts (batch norm folded), whose parameters lie where the caller keeps them.
template <class T>
class Predictor {
 public:
  Predictor(const BorrowedData<T>& data, const std::vector<Spec>& layers,
            const std::vector<AnyArray<const T>>& parameters)
      : data_(data.view), layers_(layers), network_(data.view.n_features, layers) {
    expect(parameters.size() == network_.parameter_slots.size() && network_.n_statistics == 0,
           "parameters and layers do not fit together");
    for (size_t i = 0; i < parameters.size(); ++i) {
      const Slot& slot = network_.parameter_slots[i];
      expect(int64_t(parameters[i].size()) == slot.n_rows * slot.n_columns &&
                 int64_t(parameters[i].shape(parameters[i].ndim() - 1)) == slot.n_columns,
             "coefs_ and intercepts_ do not fit together, or not the number of features");
      arrays_.push_back(parameters[i].data());
    }
    network_.bind(arrays_);
  }

  void check_shape(const Matrix<T>& out) const {
    expect(int64_t(out.shape(0)) == data_.n_rows && int64_t(out.shape(1)) == network_.n_outputs(),
           "out has the wrong shape");
  }

  double nanoseconds_of_a_row() const {
    const Dense<T>& first = network_.block(0).dense;
    return nanoseconds_of_row(data_, network_.n_weights, first.n_in * first.n_out);
  }

  void predict(const std::string& link, T* out) {
    const double one_row = nanoseconds_of_a_row();
    const InFlight in_flight(one_row * double(data_.n_rows));
    parallel_ranges(data_.n_rows, kPredictedRows, one_row, [&](int64_t begin, int64_t end) {
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
    for_outputs<T>(data_, network_, 0, data_.n_rows, [&](int64_t row, int64_t n, const Input<T>& in) {
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
  void predict_rows(Network<T>& network, int64_t begin, int64_t end, const std::string& link, T* out) const {
    const int64_t width = network.n_outputs();
    for_outputs<T>(data_, network, begin, end, [&](int64_t row, int64_t n, const Input<T>& in) {
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

template <class T>
void bind_predict(nb::module_& m) {
  using Parameters = std::vector<AnyArray<const T>>;
  m.def(
      "predict",
      [](const BorrowedData<T>& data, const std::vector<Spec>& layers, const Parameters& parameters,
         const std::string& link, const Matrix<T>& out) {
        Predictor<T> predictor(data, layers, parameters);
        predictor.check_shape(out);
        apply_link<T>(link, nullptr, 0, 1);  // an unknown name fails here and not in a thread
        const WithoutGil gil;
        predictor.predict(link, out.data());
      },
      "data"_a, "layers"_a, "parameters"_a, "link"_a, "out"_a.noconvert());
  m.def(
      "sample",
      [](const BorrowedData<T>& data, const std::vector<Spec>& layers, const Parameters& parameters,
         const std::string& link, uint64_t seed, int64_t n_draws, const Matrix<T>& mean, const Matrix<T>& deviation) {
        Predictor<T> predictor(data, layers, parameters);
        predictor.check_shape(mean);
        predictor.check_shape(deviation);
        expect(n_draws >= 1 && n_draws < int64_t(1) << 32, "n_draws must be positive");
        Clock clock;
        interruptible(clock, predictor.nanoseconds_of_a_row() * kPredictedRows, [&](const auto& poll) {
          return predictor.sample(link, seed, n_draws, mean.data(), deviation.data(), poll);
        });
      },
      "data"_a, "layers"_a, "parameters"_a, "link"_a, "seed"_a, "n_draws"_a, "mean"_a.noconvert(),
      "deviation"_a.noconvert());
}

// uniforms32, normals32 and so on: fill an array, for tests.
template <class T>
void bind_random(nb::module_& m, const std::string& suffix) {
  const auto bind = [&](const std::string& name, auto fill) {
    m.def((name + suffix).c_str(),
          [fill](uint64_t seed, uint64_t step, uint32_t stream, const Vector<T>& out) {
            (kernels<T>().*fill)(seed, step, stream, int64_t(out.shape(0)), out.data());
          },
          "seed"_a, "step"_a, "stream"_a, "out"_a.noconvert());
  };
  bind("uniforms", &Kernels<T>::uniforms);
  bind("normals", &Kernels<T>::normals);
}

}  // namespace skreg

NB_MODULE(_core, m) {
  using namespace skreg;
  nb::set_leak_warnings(false);  // a daemon thread keeps what it works on beyond the end of the interpreter
  choose_instruction_set();
  watch_for_forks();
  main_thread = nb::object(nb::module_::import_("threading").attr("main_thread")).release();
  bind_data<float>(m, "Data32");
  bind_data<double>(m, "Data64");
  bind_trainer<float>(m, "Trainer32");
  bind_trainer<double>(m, "Trainer64");
  bind_predict<float>(m);
  bind_predict<double>(m);
  m.def("set_cpu_count", &set_cpu_count, "n"_a);
  m.def(
      "count_moments", [](const std::string& optimizer) { return find_optimizer<float>(optimizer).n_moments; },
      "optimizer"_a);
  bind_augment(m);
  m.def("instruction_set", [] { return std::string(kernels<float>().instruction_set); });
  m.def("instruction_sets", &instruction_sets);
  m.def(
      "philox",
      [](std::vector<uint32_t> counter, uint32_t key0, uint32_t key1) {
        const PhiloxBlock out = philox({{counter.at(0), counter.at(1), counter.at(2), counter.at(3)}}, key0, key1);
        return std::vector<uint32_t>(out.word, out.word + 4);
      },
      "counter"_a, "key0"_a, "key1"_a);
  m.def(
      "random_bits",
      [](uint64_t seed, uint64_t step, uint32_t stream, int64_t n) {
        std::vector<uint16_t> bits(size_t((n + kDrawsPerGroup - 1) / kDrawsPerGroup * kDrawsPerGroup));
        kernels<float>().random_bits(seed, step, stream, n, bits.data());
        bits.resize(size_t(n));
        return bits;
      },
      "seed"_a, "step"_a, "stream"_a, "n"_a);
  bind_random<float>(m, "32");
  bind_random<double>(m, "64");
}
