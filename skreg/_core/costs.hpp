// What things take, in nanoseconds on one thread: estimates by which a loop decides whether threads pay (threads.hpp).
// They change no result.
#pragma once

namespace skreg {

// Arithmetic of matrix products: multiply-adds a nanosecond, times the bytes of the number type.
constexpr double kMultiplyAddBytes = 200;

// A byte that a pass reads or writes: in cache, and from memory.
constexpr double kCachedByte = 0.012;
constexpr double kMemoryByte = 0.1;

// A parameter in the optimizer's step and what else goes over all of them; a weight's soft threshold with its metric.
constexpr double kParameterStep = 0.5;
constexpr double kThresholdedWeight = 0.3;

// 16 random bits of a mask; a uniform or normal number.
constexpr double kMaskBits = 0.15;
constexpr double kRandomNumber = 1;

// A number of a picture: copied, warped, and smoothed by one tap.
constexpr double kCopiedPixel = 0.1;
constexpr double kWarpedPixel = 3;
constexpr double kTap = 0.1;

}  // namespace skreg
