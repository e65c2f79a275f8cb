// Long calls leave the GIL and come back to it, and the thread that runs Python's signal handlers lets them run.
#pragma once

#include <nanobind/nanobind.h>

#if !defined(_WIN32)
#include <pthread.h>
#endif

#include <atomic>
#include <chrono>
#include <thread>

#include "clocks.hpp"
#include "threads.hpp"

namespace skreg {

// Once the interpreter ends, a daemon thread may not come back. Before version 3.14 CPython then ends the thread from
// within this call, by unwinding its stack, which the noexcept frames of nanobind turn into the end of the process.
// So the thread sleeps until the process is gone, as it does from 3.14 on.
inline void take_gil(PyThreadState* state) {
  try {
    PyEval_RestoreThread(state);
  } catch (...) {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
}

class WithoutGil {
 public:
  WithoutGil() : state_(PyEval_SaveThread()) {}
  ~WithoutGil() { take_gil(state_); }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

  // Lets Python's signal handlers run; false where one of them raised an exception, such as KeyboardInterrupt.
  // `subnormals` are those of the code around the call.
  bool check_signals(uint64_t subnormals) {
    const Subnormals python(subnormals);
    take_gil(state_);
    const bool go_on = PyErr_CheckSignals() == 0;
    state_ = PyEval_SaveThread();
    return go_on;
  }

 private:
  PyThreadState* state_;
};

// The thread that runs Python's signal handlers; in a forked child the one that forked. No Python code is asked for it:
// that could give the GIL away, and at the end of the interpreter not come back.
inline unsigned long main_thread = 0;

inline void remember_main_thread() {
  const nanobind::object thread = nanobind::module_::import_("threading").attr("main_thread")();
  main_thread = nanobind::cast<unsigned long>(thread.attr("ident"));
#if !defined(_WIN32)
  pthread_atfork(nullptr, nullptr, [] { main_thread = PyThread_get_thread_ident(); });
#endif
}

inline bool on_main_thread() { return PyThread_get_thread_ident() == main_thread; }

// Ends calls on other threads than the main one as Ctrl-C ends those on it.
using Stop = std::atomic<bool>;

// Runs a call of the core without the GIL, but on the main thread lets Python's signal handlers run now and then; what
// they raise, such as KeyboardInterrupt, ends the call, as `stop` does, where given. `nanoseconds` is how long one of
// its steps takes on one thread.
template <class Call>
auto interruptible(Clock& clock, double nanoseconds, Call call, const Stop* stop = nullptr) {
  const bool handles_signals = on_main_thread();
  bool raised = false, stopped = false;
  const auto result = [&] {
    WithoutGil gil;
    const InFlight in_flight(nanoseconds);
    return call([&] {
      if (!raised && handles_signals && clock.due()) raised = !gil.check_signals(in_flight.subnormals_before());
      stopped = stopped || (stop && stop->load(std::memory_order_relaxed));
      return !raised && !stopped;
    });
  }();
  if (stopped && !raised) PyErr_SetNone(PyExc_KeyboardInterrupt);
  if (stopped || raised) throw nanobind::python_error();
  return result;
}

}  // namespace skreg
