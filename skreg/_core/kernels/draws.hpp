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

// Philox4x32-10 on one block a lane, lower 32 bits of each lane (see random.hpp for the order of the draws).
inline void philox_lanes(Wide c0, uint32_t stream, uint64_t step, uint64_t seed, uint16_t* first, uint16_t* second) {
  Wide c1 = Wide{} + stream, c2 = Wide{} + uint32_t(step), c3 = Wide{} + uint32_t(step >> 32);
  uint32_t key0 = uint32_t(seed), key1 = uint32_t(seed >> 32);
#pragma GCC unroll 10
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const Wide p0 = multiply_low(c0, kPhiloxMultiplier0), p1 = multiply_low(c2, kPhiloxMultiplier1);
    c0 = (p1 >> 32) ^ c1 ^ uint64_t(key0);
    c2 = (p0 >> 32) ^ c3 ^ uint64_t(key1);
    c1 = p1;
    c3 = p0;
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  const Wide low = (c0 & 0xffffffffu) | c1 << 32, high = (c2 & 0xffffffffu) | c3 << 32;
  std::memcpy(first, &low, sizeof low);
  std::memcpy(second, &high, sizeof high);
}

template <class T>  // the same for both
void random_bits(uint64_t seed, uint64_t step, uint32_t stream, int64_t n, uint16_t* out) {
  Wide lane;
  for (int i = 0; i < kWideLanes; ++i) lane[i] = uint64_t(i);
  parallel_ranges(n, kDrawsPerGroup, kMaskBits, [=](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; at += kDrawsPerGroup) {
      const uint64_t block = uint64_t(at / kDrawsPerGroup * 16);
      for (int l = 0; l < 16; l += kWideLanes) {
        philox_lanes(lane + (block + uint64_t(l)), stream, step, seed, out + at + 4 * l, out + at + 64 + 4 * l);
      }
    }
  });
}

// Calls body(offset, words, n) for each group of 64 draws of 32 bits: word k is made of the draws 2 k and 2 k + 1 of
// random_bits.
template <class Body>
inline void for_words(uint64_t seed, uint64_t step, uint32_t stream, int64_t count, Body body) {
  constexpr int64_t n_words = kDrawsPerGroup / 2;
  Wide lane;
  for (int i = 0; i < kWideLanes; ++i) lane[i] = uint64_t(i);
  uint16_t bits[kDrawsPerGroup];
  uint32_t words[n_words];
  for (int64_t at = 0, block = 0; at < count; at += n_words, block += 16) {
    for (int l = 0; l < 16; l += kWideLanes) {
      philox_lanes(lane + uint64_t(block + l), stream, step, seed, bits + 4 * l, bits + 64 + 4 * l);
    }
    std::memcpy(words, bits, sizeof words);
    body(at, words, count - at < n_words ? count - at : n_words);
  }
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
void normals(uint64_t seed, uint64_t step, uint32_t stream, int64_t count, T* out) {
  for_words(seed, step, stream, count, [&](int64_t at, const uint32_t* words, int64_t n) {
    float z[kDrawsPerGroup / 2];
    for (int64_t i = 0; i < kDrawsPerGroup / 2; i += kLanes<float>) {
      IntVec<float> w;
      std::memcpy(&w, words + i, sizeof w);
      const Vec<float> p = (__builtin_convertvector(w & 0x7fffffff, Vec<float>) + 0.5f) * 0x1p-32f;
      const Vec<float> lower = normal_quantile_lower(p < 0.5f ? p : splat(0.5f));
      store(z + i, w < 0 ? lower : -lower);
    }
    for (int64_t i = 0; i < n; ++i) out[at + i] = T(z[i]);
  });
}

}  // namespace SKREG_ISA
}  // namespace skreg
