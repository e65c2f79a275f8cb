// What Python sees: Data32 / Data64 (arrays by reference), Trainer32 / Trainer64, predict, and the random numbers for
// their test. Every long call releases the GIL.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>

#include <optional>

#include "arguments.hpp"
#include "borrowed.hpp"
#include "clocks.hpp"
#include "epoch.hpp"
#include "gil.hpp"
#include "instruction_sets.hpp"
#include "predict.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace skreg {

void bind_augment(nb::module_& m);  // augment.cpp

// ------------------------------------------------------------------------------------------------------ data

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

// --------------------------------------------------------------------------------------------------- training

static nb::list slots_as_list(const std::vector<Slot>& slots) {
  nb::list out;
  for (const Slot& s : slots) out.append(nb::make_tuple(s.kind, s.layer, s.offset, s.n_rows, s.n_columns));
  return out;
}

template <class T>
double evaluate(BoundTrainer<T>& b, const BorrowedData<T>& data, const Rows& rows, Scoring<T>* scoring) {
  check_call(b, data, rows);
  const int64_t n = int64_t(rows.shape(0));
  return interruptible(
      b.clock, b.trainer.nanoseconds_of_pass(data.view, n),
      [&](const auto& poll) { return b.trainer.evaluate(data.view, rows.data(), n, scoring, poll); }, b.stop);
}

template <class T>
void bind_trainer(nb::module_& m, const char* name) {
  using B = BoundTrainer<T>;
  using D = BorrowedData<T>;
  nb::class_<B>(m, name)
      .def(
          "__init__",
          [](B* self, int64_t n_features, const std::vector<Spec>& layers, const Spec& loss,
             const std::vector<Spec>& parts,
             uint64_t seed) { new (self) B{Trainer<T>(n_features, layers, loss, parts, seed)}; },
          "n_features"_a, "layers"_a, "loss"_a, "parts"_a, "seed"_a)
      .def_prop_ro("parameter_slots", [](B& b) { return slots_as_list(b.trainer.network.parameter_slots); })
      .def_prop_ro("statistic_slots", [](B& b) { return slots_as_list(b.trainer.network.statistic_slots); })
      .def_prop_ro("n_weights", [](B& b) { return b.trainer.network.n_weights; })
      .def_prop_ro("n_parameters", [](B& b) { return b.trainer.network.n_parameters; })
      .def_prop_ro("n_statistics", [](B& b) { return b.trainer.network.n_statistics; })
      .def("attach", &attach<T>, "parameters"_a.noconvert(), "statistics"_a.noconvert(), "moments"_a,
           "counters"_a.noconvert(), "reach"_a.noconvert(), "optimizer"_a = nb::none(),
           "average"_a.noconvert() = nb::none())
      .def(
          "stop_by",
          [](B& b, const nb::object& stop) {
            b.stop = &nb::cast<const Stop&>(stop);
            b.stop_owner = stop;
          },
          "stop"_a)
      .def("set_columns", &set_columns<T>, "mean"_a.noconvert(), "deviation"_a.noconvert(),
           "target_deviation"_a.noconvert())
      .def(
          "train_epoch",
          [](B& b, const D& data, const Rows& order, int64_t batch_size, const Vector<const double>& rates,
             double seconds) {
            check_call(b, data, order);
            check_row_changes(b);
            expect(b.trainer.has_optimizer(), "attach an optimizer first");
            expect(batch_size >= 1, "batch_size must be positive");
            expect(rates.shape(0) >= 1, "rates must not be empty");
            const Rates r = {rates.data(), int64_t(rates.shape(0))};
            const Deadline deadline(seconds);
            const double step = b.trainer.nanoseconds_of_step(data.view, batch_size);
            return interruptible(
                b.clock, step,
                [&](const Poll& poll) {
                  const auto go_on = [&] { return !deadline.over() && poll(); };
                  return b.trainer.train_epoch(data.view, order.data(), int64_t(order.shape(0)), batch_size, r, go_on);
                },
                b.stop);
          },
          "data"_a, "order"_a.noconvert(), "batch_size"_a, "rates"_a.noconvert(), "seconds"_a)
      .def(
          "evaluate", [](B& b, const D& data, const Rows& rows) { return evaluate<T>(b, data, rows, nullptr); },
          "data"_a, "rows"_a.noconvert())
      .def(
          "evaluate_and_score",
          [](B& b, const D& data, const Rows& rows, const Spec& spec, const std::string& link,
             const std::optional<Vector<const double>>& weight, const Vector<double>& sums) {
            const auto score = make_score<T>(spec);
            apply_link<T>(link, nullptr, 0, 1);  // an unknown name fails here
            expect(!weight || weight->shape(0) == rows.shape(0), "one weight is needed for each row");
            expect(int64_t(sums.shape(0)) == score->n_sums(b.trainer.network.n_outputs()), "sums has the wrong length");
            std::fill_n(sums.data(), sums.shape(0), 0.0);
            Scoring<T> scoring{*score, link, weight ? weight->data() : nullptr, sums.data()};
            return evaluate<T>(b, data, rows, &scoring);
          },
          "data"_a, "rows"_a.noconvert(), "score"_a, "link"_a, "weight"_a.noconvert().none(), "sums"_a.noconvert())
      .def(
          "loss_and_gradient",
          [](B& b, const D& data, const Rows& rows, const Vector<T>& gradient, bool training) {
            check_call(b, data, rows);
            if (training) check_row_changes(b);
            expect(int64_t(gradient.shape(0)) == b.trainer.network.n_parameters, "gradient has the wrong length");
            const double pass = b.trainer.nanoseconds_of_step(data.view, int64_t(rows.shape(0)));
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
            const double pass = b.trainer.nanoseconds_of_pass(data.view, int64_t(rows.shape(0)));
            interruptible(
                b.clock, pass,
                [&](const Poll& poll) {
                  b.trainer.recalibrate(data.view, rows.data(), int64_t(rows.shape(0)), poll);
                  return true;
                },
                b.stop);
          },
          "data"_a, "rows"_a.noconvert())
      .def_prop_ro("data_loss", [](B& b) { return b.trainer.data_loss; })
      .def_prop_ro("penalty",
                   [](B& b) {
                     expect(!b.owners.empty(), "attach the arrays first");
                     return b.trainer.penalty();
                   })
      .def_prop_ro("finite", [](B& b) {
        expect(!b.owners.empty(), "attach the arrays first");
        return b.trainer.finite();
      });
}

// ------------------------------------------------------------------------------------------------- prediction

template <class T>
using Parameters = std::vector<AnyArray<const T>>;

template <class T>
Predictor<T> make_predictor(const BorrowedData<T>& data, const std::vector<Spec>& layers,
                            const Parameters<T>& parameters) {
  std::vector<ParameterArray<T>> arrays;
  for (const AnyArray<const T>& a : parameters) {
    arrays.push_back({a.data(), int64_t(a.size()), a.ndim() > 0 ? int64_t(a.shape(a.ndim() - 1)) : 0});
  }
  return {data.view, layers, arrays};
}

template <class T>
void check_shape(const Predictor<T>& predictor, const Matrix<T>& out) {
  expect(int64_t(out.shape(0)) == predictor.n_rows() && int64_t(out.shape(1)) == predictor.n_outputs(),
         "out has the wrong shape");
}

template <class T>
void bind_predict(nb::module_& m) {
  m.def(
      "predict",
      [](const BorrowedData<T>& data, const std::vector<Spec>& layers, const Parameters<T>& parameters,
         const std::string& link, const Matrix<T>& out) {
        Predictor<T> predictor = make_predictor(data, layers, parameters);
        check_shape(predictor, out);
        const WithoutGil gil;
        predictor.predict(link, out.data());
      },
      "data"_a, "layers"_a, "parameters"_a, "link"_a, "out"_a.noconvert());
  m.def(
      "sample",
      [](const BorrowedData<T>& data, const std::vector<Spec>& layers, const Parameters<T>& parameters,
         const std::string& link, uint64_t seed, int64_t n_draws, const Matrix<T>& mean, const Matrix<T>& deviation) {
        Predictor<T> predictor = make_predictor(data, layers, parameters);
        check_shape(predictor, mean);
        check_shape(predictor, deviation);
        expect(n_draws >= 1 && n_draws < int64_t(1) << 32, "n_draws must be positive");
        Clock clock;
        interruptible(clock, predictor.nanoseconds_of_row() * kPredictedRows, [&](const auto& poll) {
          return predictor.sample(link, seed, n_draws, mean.data(), deviation.data(), poll);
        });
      },
      "data"_a, "layers"_a, "parameters"_a, "link"_a, "seed"_a, "n_draws"_a, "mean"_a.noconvert(),
      "deviation"_a.noconvert());
}

// ---------------------------------------------------------------------------------------------- random numbers

// uniforms32, normals32 and so on: fill an array, for tests.
template <class T>
void bind_random(nb::module_& m, const std::string& suffix) {
  const auto bind = [&](const std::string& name, auto fill) {
    m.def((name + suffix).c_str(),
          [fill](uint64_t seed, uint64_t step, uint32_t stream, const Vector<T>& out) {
            fill(seed, step, stream, int64_t(out.shape(0)), out.data());
          },
          "seed"_a, "step"_a, "stream"_a, "out"_a.noconvert());
  };
  bind("uniforms", kernels<T>().uniforms);
  bind("normals", [](uint64_t seed, uint64_t step, uint32_t stream, int64_t n, T* out) {
    kernels<T>().normals(seed, step, stream, n, T(0), T(1), out);
  });
}

}  // namespace skreg

NB_MODULE(_core, m) {
  using namespace skreg;
  nb::set_leak_warnings(false);  // a daemon thread keeps what it works on beyond the end of the interpreter
  choose_instruction_set();
  watch_for_forks();
  remember_main_thread();
  nb::class_<Stop>(m, "Stop")
      .def("__init__", [](Stop* self) { new (self) Stop(false); })
      .def("set", [](Stop& stop) { stop = true; })
      .def_prop_ro("is_set", [](const Stop& stop) { return stop.load(); });
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
