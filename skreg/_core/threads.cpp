// The one file that knows OpenMP; without it everything runs on the calling thread.
#include "threads.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <memory>
#include <new>

#if defined(_OPENMP)
#include <omp.h>
#endif
#if !defined(_WIN32)
#include <pthread.h>
#endif
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace skreg {

// In nanoseconds, estimates on the safe side: waking the others takes microseconds, which shorter work would not earn.
static constexpr double kWorthwhileStep = 100e3;
#if defined(_OPENMP)
static constexpr double kWorthwhilePart = 8e3;
#endif

static std::atomic<int> n_in_flight{0}, cpu_count{1};
static std::atomic<bool> in_forked_child{false};
static thread_local bool allowed = false;  // for loops of this thread

// When another program occupies a processor, the end of every loop waits until the scheduler has run all threads, for
// milliseconds. Then loops stay on one thread for a pause: as long as the wait after a single one, since most
// disturbances are short, and twice as many times as long for every wait of a loop that begins sooner after a pause
// than the pause took.
class Stall {
 public:
  using clock = std::chrono::steady_clock;
  bool lasts() const { return ticks(clock::now()) < until_; }

  // A loop has ended that began at `start`, and the calling thread's own part of it at `own_end`.
  void watch(clock::time_point start, clock::time_point own_end) {
    const auto end = clock::now();
    const auto waited = end - own_end;
    if (waited < std::chrono::milliseconds(1) || waited < own_end - start) return;
    const clock::rep since = ticks(start) - until_;
    if (since < 0) return;  // began before another fit's pause: the same disturbance
    times_ = since < pause_ ? std::min<clock::rep>(2 * times_, kMostTimes) : 1;
    pause_ = times_ * waited.count();
    until_ = ticks(end) + pause_;
  }

 private:
  static constexpr clock::rep kMostTimes = 64;
  static clock::rep ticks(clock::time_point t) { return t.time_since_epoch().count(); }
  std::atomic<clock::rep> until_{0}, pause_{0}, times_{1};
};

static Stall stall;

#if defined(__SSE2__)
static constexpr uint64_t kZeroSubnormals = 0x8040;  // results are flushed to zero, operands count as zero
static uint64_t control() { return _mm_getcsr(); }
static void set_control(uint64_t value) { _mm_setcsr(uint32_t(value)); }
#elif defined(__aarch64__)
static constexpr uint64_t kZeroSubnormals = uint64_t(1) << 24;
static uint64_t control() {
  uint64_t value;
  __asm__ __volatile__("mrs %0, fpcr" : "=r"(value));
  return value;
}
static void set_control(uint64_t value) { __asm__ __volatile__("msr fpcr, %0" : : "r"(value)); }
#else
static constexpr uint64_t kZeroSubnormals = 0;
static uint64_t control() { return 0; }
static void set_control(uint64_t) {}
#endif

Subnormals::Subnormals() : before_(control()) { set_control(before_ | kZeroSubnormals); }

Subnormals::Subnormals(uint64_t treatment) : before_(control()) {
  set_control((before_ & ~kZeroSubnormals) | (treatment & kZeroSubnormals));
}

Subnormals::~Subnormals() { set_control(before_); }

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
  std::exception_ptr failure;  // may not leave a thread of OpenMP
#if defined(_OPENMP)
#pragma omp parallel for num_threads(n_parts) schedule(static)
#endif
  for (int i = 0; i < n_parts; ++i) {
    const bool outer = allowed;
    allowed = false;
    const Subnormals subnormals;
    try {
      part(self, i);
    } catch (...) {
#if defined(_OPENMP)
#pragma omp critical(skreg_failure)
#endif
      failure = std::current_exception();
    }
    allowed = outer;
    if (i == 0) own_end = Stall::clock::now();
  }
  if (failure) std::rethrow_exception(failure);
  stall.watch(start, own_end);
}

void* packing_memory() {
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  thread_local std::unique_ptr<void, Free> memory;
  if (!memory) memory.reset(std::malloc(kPackingBytes));
  if (!memory) throw std::bad_alloc();
  return memory.get();
}

}  // namespace skreg
