// The one file that knows OpenMP; without it everything runs on the calling thread.
#include "threads.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>

#if defined(_OPENMP)
#include <omp.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace skreg {

// Measured with two threads (docs/benchmarks.md): below these, waking the others takes more than they save.
static constexpr double kWorthwhileStep = 100e3, kWorthwhilePart = 8e3;

static std::atomic<int> n_in_flight{0}, cpu_count{1};
static std::atomic<bool> in_forked_child{false};
static thread_local bool allowed = false;  // for loops of this thread

InFlight::InFlight(double nanoseconds) : outer_(allowed) {
  ++n_in_flight;
  allowed = nanoseconds >= kWorthwhileStep && !in_forked_child;
}

InFlight::~InFlight() {
  allowed = outer_;
  --n_in_flight;
}

void set_cpu_count(int n) { cpu_count = n; }

void watch_for_forks() {
#if !defined(_WIN32)
  pthread_atfork(nullptr, nullptr, [] {
    in_forked_child = true;
    n_in_flight = 0;  // the parent's other threads do not exist here
  });
#endif
}

int threads_for(double nanoseconds) {
#if defined(_OPENMP)
  if (!allowed || nanoseconds < 2 * kWorthwhilePart) return 1;
  const int limit = std::min(omp_get_max_threads(), cpu_count.load()) / std::max(1, n_in_flight.load());
  return std::max(1, int(std::min(double(limit), nanoseconds / kWorthwhilePart)));
#else
  (void)nanoseconds;
  return 1;
#endif
}

void run_parts(int n_parts, void (*part)(void* self, int i), void* self) {
#if defined(_OPENMP)
#pragma omp parallel for num_threads(n_parts) schedule(static)
#endif
  for (int i = 0; i < n_parts; ++i) {
    const bool outer = allowed;
    allowed = false;
    part(self, i);
    allowed = outer;
  }
}

void* packing_memory() {
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  thread_local const std::unique_ptr<void, Free> memory(std::malloc(kPackingBytes));
  return memory.get();
}

}  // namespace skreg
