// Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
//
// A draw is a pure function of (seed, stream, step, position), where the stream names the purpose and the layer and
// the position counts row * width + unit within a batch. So no draw depends on another regularizer being on, on the
// number of threads, or on the instruction set.
#pragma once

#include <cstdint>

namespace skreg {

constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53u, kPhiloxMultiplier1 = 0xCD9E8D57u;
constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9u, kPhiloxWeyl1 = 0xBB67AE85u;
constexpr int kPhiloxRounds = 10;

struct PhiloxBlock {
  uint32_t word[4];
};

static inline PhiloxBlock philox(PhiloxBlock c, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t p0 = uint64_t(kPhiloxMultiplier0) * c.word[0];
    const uint64_t p1 = uint64_t(kPhiloxMultiplier1) * c.word[2];
    c = {{uint32_t(p1 >> 32) ^ c.word[1] ^ key0, uint32_t(p1), uint32_t(p0 >> 32) ^ c.word[3] ^ key1, uint32_t(p0)}};
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  return c;
}

// What the draws are for; the lower 16 bits of a stream number the layer, or the draw within an augmentation. Append,
// and never renumber: another number is another stream, and other bits for everyone who uses it.
enum Purpose : uint32_t {
  kHiddenDropout = 1,
  kInputDropout = 2,
  kSwapNoise = 3,
  kMixUp = 4,
  kCutMix = 5,
  kCutOut = 6,
  kInputNoise = 7,
  kStochasticDepth = 8,
  kAugmentation = 9,
};

static inline uint32_t stream_of(Purpose purpose, int layer) { return uint32_t(purpose) << 16 | uint32_t(layer); }

// 16 blocks (128 draws of 16 bits) make a group. Within it, draw r belongs to block (r % 64) / 4: words 0 and 1 serve
// the first 64 draws, words 2 and 3 the others, low half before high half. This is the order in which vectors of
// 64-bit lanes are stored, whatever their width.
constexpr int64_t kDrawsPerGroup = 128;

static inline uint16_t random_bits_at(uint64_t seed, uint64_t step, uint32_t stream, int64_t position) {
  const int64_t r = position % kDrawsPerGroup;
  const uint32_t block = uint32_t(position / kDrawsPerGroup * 16 + r % 64 / 4);
  const PhiloxBlock out =
      philox({{block, stream, uint32_t(step), uint32_t(step >> 32)}}, uint32_t(seed), uint32_t(seed >> 32));
  return uint16_t(out.word[r / 64 * 2 + r % 4 / 2] >> (r % 2 * 16));
}

}  // namespace skreg
