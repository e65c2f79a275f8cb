// Threads: how many a loop may use, and how it is divided among them. Work is divided over the elements of a result,
// never over the terms of a sum, so the bits of a result do not depend on the number of threads.
//
// The contract: who starts an epoch or a prediction holds an InFlight for its time; loops call parallel_ranges. Outside
// of an InFlight, within another loop's part, and in a forked child, a loop runs on the thread that calls it.
#pragma once

#include <cstdint>

namespace skreg {

// How the thread treats subnormal numbers while this lives. In the core they count as zero on every thread, where the
// processor can be told so: units that L1 or chance has switched off leave moments that decay through the subnormal
// numbers, on which processors are many times slower, and a result may not depend on which thread computed it. Python
// code that is called from within has them as before.
class Subnormals {
 public:
  Subnormals();                             // as zero
  explicit Subnormals(uint64_t treatment);  // as `before` of another one
  ~Subnormals();
  Subnormals(const Subnormals&) = delete;
  Subnormals& operator=(const Subnormals&) = delete;
  uint64_t before() const { return before_; }

 private:
  uint64_t before_;  // the processor's control register
};

// Counts an epoch or a prediction among those in flight in this process, which share the threads. Its loops use
// threads only if a step of it, `nanoseconds` long on one thread, pays for waking them.
class InFlight {
 public:
  explicit InFlight(double nanoseconds);
  ~InFlight();
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  uint64_t subnormals_before() const { return subnormals_.before(); }

 private:
  bool outer_;  // whether threads were allowed before
  Subnormals subnormals_;
};

// How many processors this process may use, besides what OpenMP says; at import and in a forked child one.
void set_cpu_count(int n);

// In a forked child OpenMP would wait for threads that exist in the parent only.
void watch_for_forks();

// What a loop of that length on one thread may use now.
int threads_for(double nanoseconds);

// Calls part(self, i) for 0 <= i < n_parts, at the same time.
void run_parts(int n_parts, void (*part)(void* self, int i), void* self);

// Uninitialized memory for the parts of a matrix product, one piece a thread.
constexpr int64_t kPackingBytes = 256 * (512 + 64) * 8;
void* packing_memory();

template <class Body>
void call_part(void* body, int i) {
  (*static_cast<Body*>(body))(i);
}

template <class Body>
inline void parallel(int n_parts, Body body) {
  if (n_parts <= 1) return body(0);
  run_parts(n_parts, call_part<Body>, &body);
}

// Calls body(begin, end) for parts of [0, n) that begin at multiples of `unit`, where one element takes `nanoseconds`.
template <class Body>
inline void parallel_ranges(int64_t n, int64_t unit, double nanoseconds, Body body) {
  const int64_t n_units = (n + unit - 1) / unit;
  const int allowed = threads_for(nanoseconds * double(n));
  const int n_parts = allowed < n_units ? allowed : int(n_units);
  if (n_parts <= 1) return body(int64_t(0), n);
  parallel(n_parts, [&](int i) {
    const int64_t begin = i * n_units / n_parts * unit, end = (i + 1) * n_units / n_parts * unit;
    body(begin, end < n ? end : n);
  });
}

}  // namespace skreg
