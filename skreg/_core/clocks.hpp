// When a long call asks whether to stop, and when its time is over.
#pragma once

#include <chrono>

namespace skreg {

// Due every 50 ms, to ask between batches whether to stop.
class Clock {
 public:
  bool due() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds(50)) return false;
    last_ = now;
    return true;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// A point in time, possibly never.
class Deadline {
 public:
  explicit Deadline(double seconds) : limited_(seconds < 1e9), at_(clock::now()) {
    if (limited_) at_ += std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>(seconds));
  }
  bool over() const { return limited_ && clock::now() >= at_; }

 private:
  using clock = std::chrono::steady_clock;
  bool limited_;
  clock::time_point at_;
};

}  // namespace skreg
