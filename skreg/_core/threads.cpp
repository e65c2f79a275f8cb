// The one file that knows OpenMP; without it everything runs on the calling thread.
#include "threads.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>

#if defined(_OPENMP)
#include <omp.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace skreg {

// In nanoseconds, estimates on the safe side: waking the others takes microseconds, which shorter work would not earn.
static constexpr double kWorthwhileStep = 100e3, kWorthwhilePart = 8e3;

static std::atomic<int> n_in_flight{0}, cpu_count{1};
static std::atomic<bool> in_forked_child{false};
static thread_local bool allowed = false;  // for loops of this thread

// When another program occupies a processor, the end of every loop waits until the scheduler has run all threads, for
// milliseconds. Then loops stay on one thread for a pause: as long as the wait after a single one, since most others
// are short, and twice as many times as long for every wait that follows a pause sooner than the pause took.
class Stall {
 public:
  using clock = std::chrono::steady_clock;
  bool lasts() const { return ticks(clock::now()) < until_; }

  // A loop has ended that began at `start`, and the calling thread's own part of it at `own_end`. Two loops that end at
  // the same time may mix their pauses, which does no harm.
  void watch(clock::time_point start, clock::time_point own_end) {
    const auto end = clock::now();
    if (end - own_end < std::chrono::milliseconds(1) || end - own_end < own_end - start) return;
    times_ = ticks(end) - until_ < pause_ ? std::min<clock::rep>(2 * times_, kMostTimes) : 1;
    pause_ = times_ * (end - own_end).count();
    until_ = ticks(end) + pause_;
  }

 private:
  static constexpr clock::rep kMostTimes = 64;
  static clock::rep ticks(clock::time_point t) { return t.time_since_epoch().count(); }
  std::atomic<clock::rep> until_{0}, pause_{0}, times_{1};
};

static Stall stall;

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
  if (!allowed || nanoseconds < 2 * kWorthwhilePart || stall.lasts()) return 1;
  const int limit = std::min(omp_get_max_threads(), cpu_count.load()) / std::max(1, n_in_flight.load());
  return std::max(1, int(std::min(double(limit), nanoseconds / kWorthwhilePart)));
#else
  (void)nanoseconds;
  return 1;
#endif
}

void run_parts(int n_parts, void (*part)(void* self, int i), void* self) {
  const auto start = Stall::clock::now();
  auto own_end = start;
#if defined(_OPENMP)
#pragma omp parallel for num_threads(n_parts) schedule(static)
#endif
  for (int i = 0; i < n_parts; ++i) {
    const bool outer = allowed;
    allowed = false;
    part(self, i);
    allowed = outer;
    if (i == 0) own_end = Stall::clock::now();
  }
  stall.watch(start, own_end);
}

void* packing_memory() {
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  thread_local std::unique_ptr<void, Free> memory;
  if (!memory) memory.reset(std::malloc(kPackingBytes));
  if (!memory) throw std::bad_alloc();  // a MemoryError, or the end of the process where OpenMP started the thread
  return memory.get();
}

}  // namespace skreg
