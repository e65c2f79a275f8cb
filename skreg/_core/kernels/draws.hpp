// Hot loops of random numbers.
//
// Included by kernels.cpp alone, inside the namespace named after the instruction set.
#pragma once

#include <cstring>

#include "../costs.hpp"
#include "../kernels.hpp"
#include "../random.hpp"
#include "../simd.hpp"
#include "passes.hpp"

namespace skreg {
namespace SKREG_ISA {

typedef uint64_t Wide __attribute__((vector_size(kVectorBytes)));
constexpr int kWideLanes = kVectorBytes / 8;

// Products of the lower 32 bits of each lane; the upper ones may hold anything.
inline Wide multiply_low(Wide a, uint32_t b) {
#if defined(__AVX512F__)
  return (Wide)_mm512_maskz_mul_epu32(0xff, (__m512i)a, _mm512_set1_epi64(b));
#elif defined(__AVX2__)
  return (Wide)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(b));
#elif defined(__x86_64__)
  return (Wide)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(b));
#else
  return (a & 0xffffffffu) * uint64_t(b);
#endif
}

// Philox4x32-10 on one block a lane (see random.hpp for the order of the draws).
class PhiloxLanes {
 public:
  PhiloxLanes(uint64_t seed, uint64_t step, uint32_t stream)
      : counter1_(Wide{} + stream), counter2_(Wide{} + uint32_t(step)), counter3_(Wide{} + uint32_t(step >> 32)) {
    uint32_t key0 = uint32_t(seed), key1 = uint32_t(seed >> 32);
    for (int round = 0; round < kPhiloxRounds; ++round) {
      key0_[round] = Wide{} + key0;
      key1_[round] = Wide{} + key1;
      key0 += kPhiloxWeyl0;
      key1 += kPhiloxWeyl1;
    }
    for (int i = 0; i < kWideLanes; ++i) lane_[i] = uint64_t(i);
  }

  // The 128 draws of 16 bits, or 64 words of 32, of the group of 16 blocks from `block` on.
  void group(uint64_t block, void* out) const {
    for (int l = 0; l < 16; l += kTogether * kWideLanes) {
      some(lane_ + (block + uint64_t(l)), static_cast<char*>(out) + 8 * l);
    }
  }

 private:
  static constexpr int kTogether = 2;  // each waits for its products: the other fills the time

  void some(Wide first, char* out) const {
    Wide c0[kTogether], c1[kTogether], c2[kTogether], c3[kTogether];
    for (int i = 0; i < kTogether; ++i) {
      c0[i] = first + uint64_t(i * kWideLanes);
      c1[i] = counter1_;
      c2[i] = counter2_;
      c3[i] = counter3_;
    }
#pragma GCC unroll 10
    for (int round = 0; round < kPhiloxRounds; ++round) {
#pragma GCC unroll 2
      for (int i = 0; i < kTogether; ++i) {
        const Wide p0 = multiply_low(c0[i], kPhiloxMultiplier0), p1 = multiply_low(c2[i], kPhiloxMultiplier1);
        c0[i] = (p1 >> 32) ^ c1[i] ^ key0_[round];
        c2[i] = (p0 >> 32) ^ c3[i] ^ key1_[round];
        c1[i] = p1;
        c3[i] = p0;
      }
    }
    for (int i = 0; i < kTogether; ++i) {
      const Wide low = (c0[i] & 0xffffffffu) | c1[i] << 32, high = (c2[i] & 0xffffffffu) | c3[i] << 32;
      std::memcpy(out + 8 * i * kWideLanes, &low, sizeof low);
      std::memcpy(out + 128 + 8 * i * kWideLanes, &high, sizeof high);
    }
  }

  Wide counter1_, counter2_, counter3_, lane_;
  Wide key0_[kPhiloxRounds], key1_[kPhiloxRounds];
};

template <class T>  // the same for both
void random_bits(uint64_t seed, uint64_t step, uint32_t stream, int64_t n, uint16_t* out) {
  const PhiloxLanes philox(seed, step, stream);
  parallel_ranges(n, kDrawsPerGroup, kMaskBits, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += kDrawsPerGroup) {
      philox.group(uint64_t(at / kDrawsPerGroup * 16), out + at);
    }
  });
}

// Calls body(offset, words, n) for each group of 64 draws of 32 bits: word k is made of the draws 2 k and 2 k + 1 of
// random_bits.
template <class Body>
inline void for_words(uint64_t seed, uint64_t step, uint32_t stream, int64_t count, Body body) {
  constexpr int64_t n_words = kDrawsPerGroup / 2;
  const PhiloxLanes philox(seed, step, stream);
  parallel_ranges(count, n_words, kRandomNumber, [&](int64_t begin, int64_t end) {
    uint32_t words[n_words];
    for (int64_t at = begin; at < end; at += n_words) {
      philox.group(uint64_t(at / n_words * 16), words);
      body(at, words, smaller(n_words, end - at));
    }
  });
}

inline void uniforms_of(const uint32_t* words, int64_t n, float* out) {  // 23 bits: more would round up to 1
  for (int64_t i = 0; i < n; ++i) out[i] = (float(int32_t(words[i] >> 9)) + 0.5f) * 0x1p-23f;
}

inline void uniforms_of(const uint32_t* words, int64_t n, double* out) {
  for (int64_t i = 0; i < n; ++i) out[i] = (double(words[i]) + 0.5) * 0x1p-32;
}

template <class T>
void uniforms(uint64_t seed, uint64_t step, uint32_t stream, int64_t count, T* out) {
  for_words(seed, step, stream, count,
            [&](int64_t at, const uint32_t* words, int64_t n) { uniforms_of(words, n, out + at); });
}

// One bit is the sign, 31 make the probability of the tail: numbers up to 6.4 in size.
template <class T>
void normals(uint64_t seed, uint64_t step, uint32_t stream, int64_t count, T mean, T deviation, T* out) {
  for_words(seed, step, stream, count, [&](int64_t at, const uint32_t* words, int64_t n) {
    constexpr int kTogether = 4;
    float z[kDrawsPerGroup / 2];
    for (int64_t i = 0; i < kDrawsPerGroup / 2; i += kTogether * kLanes<float>) {
      IntVec<float> w[kTogether];
      Vec<float> p[kTogether];
#pragma GCC unroll 4
      for (int k = 0; k < kTogether; ++k) {
        std::memcpy(&w[k], words + i + k * kLanes<float>, sizeof w[k]);
        p[k] = (__builtin_convertvector(w[k] & 0x7fffffff, Vec<float>) + 0.5f) * 0x1p-32f;
        p[k] = p[k] < 0.5f ? p[k] : splat(0.5f);
      }
      normal_quantiles_lower(p);
#pragma GCC unroll 4
      for (int k = 0; k < kTogether; ++k) store(z + i + k * kLanes<float>, w[k] < 0 ? p[k] : -p[k]);
    }
    for (int64_t i = 0; i < n; ++i) out[at + i] = mean + deviation * T(z[i]);
  });
}

}  // namespace SKREG_ISA
}  // namespace skreg
