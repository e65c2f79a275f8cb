// The vector type of the instruction set that this file is compiled for, and the few functions that the
// hot loops need on it: unaligned and partial loads and stores, select, exp, log1p, tanh.
//
// Included by kernels.cpp alone, inside the namespace named after the instruction set: nothing here may be
// shared between objects compiled with different flags.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace skreg {
namespace SKREG_ISA {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
constexpr int kTileRows = 14;  // 14 x 2 accumulators, two vectors of B, and broadcasts folded into the FMA
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
constexpr int kTileRows = 6;  // 16 registers: 6 x 2 accumulators, two of B, one of A
#elif defined(__aarch64__)
constexpr int kVectorBytes = 16;
constexpr int kTileRows = 12;  // 32 registers
#else
constexpr int kVectorBytes = 16;
constexpr int kTileRows = 6;
#endif

template <class T>
struct IntOf;
template <>
struct IntOf<float> {
  using type = int32_t;
};
template <>
struct IntOf<double> {
  using type = int64_t;
};

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(kVectorBytes)));
  typedef typename IntOf<T>::type int_type __attribute__((vector_size(kVectorBytes)));
};
template <class T>
using Vec = typename VectorOf<T>::type;
template <class T>
using IntVec = typename VectorOf<T>::int_type;

template <class T>
constexpr int kLanes = kVectorBytes / int(sizeof(T));

template <class T>
inline Vec<T> splat(T x) {
  return x - Vec<T>{};  // x - 0 and not 0 + x: keeps the sign of -0.0
}

template <class T>
inline Vec<T> load(const T* p) {
  Vec<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <class T>
inline void store(T* p, Vec<T> v) {
  std::memcpy(p, &v, sizeof v);
}

// load_part reads the first n lanes and zeroes the others, store_part writes the first n.
#if defined(__AVX512F__)
inline Vec<float> load_part(const float* p, int64_t n) {
  return (Vec<float>)_mm512_maskz_loadu_ps(__mmask16((1u << n) - 1), p);
}
inline Vec<double> load_part(const double* p, int64_t n) {
  return (Vec<double>)_mm512_maskz_loadu_pd(__mmask8((1u << n) - 1), p);
}
inline void store_part(float* p, Vec<float> v, int64_t n) {
  _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), (__m512)v);
}
inline void store_part(double* p, Vec<double> v, int64_t n) {
  _mm512_mask_storeu_pd(p, __mmask8((1u << n) - 1), (__m512d)v);
}
#elif defined(__AVX2__)
inline __m256i first_lanes(int64_t n, float) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(int(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline __m256i first_lanes(int64_t n, double) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}
inline Vec<float> load_part(const float* p, int64_t n) {
  return (Vec<float>)_mm256_maskload_ps(p, first_lanes(n, 0.0f));
}
inline Vec<double> load_part(const double* p, int64_t n) {
  return (Vec<double>)_mm256_maskload_pd(p, first_lanes(n, 0.0));
}
inline void store_part(float* p, Vec<float> v, int64_t n) { _mm256_maskstore_ps(p, first_lanes(n, 0.0f), (__m256)v); }
inline void store_part(double* p, Vec<double> v, int64_t n) { _mm256_maskstore_pd(p, first_lanes(n, 0.0), (__m256d)v); }
#else
template <class T>
inline Vec<T> load_part(const T* p, int64_t n) {
  Vec<T> v{};
#pragma GCC unroll 4
  for (int i = 0; i < kLanes<T>; ++i) {  // GCC makes a call of memcpy of a loop up to n
    if (i < n) v[i] = p[i];
  }
  return v;
}
template <class T>
inline void store_part(T* p, Vec<T> v, int64_t n) {
#pragma GCC unroll 4
  for (int i = 0; i < kLanes<T>; ++i) {
    if (i < n) p[i] = v[i];
  }
}
#endif

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Calls body(offset, n_lanes) for each vector of a run of n numbers: every element goes through the same vector
// operations, whether it stands in a full vector or in the last, partial one.
template <class T, class Body>
inline void for_vectors(int64_t n, Body body) {
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) body(i, kLanes<T>);
  if (i < n) body(i, n - i);
}

template <class T>
inline Vec<T> read(const T* p, int64_t n) {
  return n == kLanes<T> ? load(p) : load_part(p, n);
}

template <class T>
inline void write(T* p, Vec<T> v, int64_t n) {
  n == kLanes<T> ? store(p, v) : store_part(p, v, n);
}

template <class T>
inline IntVec<T> lane_numbers() {
  IntVec<T> v;
  for (int i = 0; i < kLanes<T>; ++i) v[i] = i;
  return v;
}

// v in the first n lanes, `other` in the rest.
template <class T>
inline Vec<T> first_lanes_of(Vec<T> v, int64_t n, T other) {
  return lane_numbers<T>() < typename IntOf<T>::type(n) ? v : splat(other);
}

template <class T>
inline Vec<T> first_lanes_only(Vec<T> v, int64_t n) {
  return n == kLanes<T> ? v : first_lanes_of<T>(v, n, 0);
}

// Lane i of the result is lane i + kHalf of v, for i < kHalf; the others hold anything.
template <class T, int kHalf>
inline Vec<T> upper_half(Vec<T> v) {
#if defined(__AVX512F__)
  if constexpr (kHalf * sizeof(T) == 32) return (Vec<T>)_mm512_maskz_shuffle_f64x2(255, (__m512d)v, (__m512d)v, 0x4e);
  if constexpr (kHalf * sizeof(T) == 16) return (Vec<T>)_mm512_maskz_shuffle_f64x2(255, (__m512d)v, (__m512d)v, 0xb1);
  if constexpr (kHalf * sizeof(T) == 8) return (Vec<T>)_mm512_maskz_permute_pd(255, (__m512d)v, 0x55);
  return (Vec<T>)_mm512_maskz_permute_ps(__mmask16(-1), (__m512)v, 0xb1);
#elif defined(__AVX2__)
  if constexpr (kHalf * sizeof(T) == 16) return (Vec<T>)_mm256_permute2f128_pd((__m256d)v, (__m256d)v, 1);
  if constexpr (kHalf * sizeof(T) == 8) return (Vec<T>)_mm256_permute_pd((__m256d)v, 5);
  return (Vec<T>)_mm256_permute_ps((__m256)v, 0xb1);
#else
  Vec<T> u{};
  for (int i = 0; i < kHalf; ++i) u[i] = v[i + kHalf];
  return u;
#endif
}

// a[0] b[0] a[1] b[1] ... of the lower halves of two vectors, or of the upper ones.
template <class T, bool kUpper>
inline Vec<T> interleaved(Vec<T> a, Vec<T> b) {
#if defined(__clang__)
  constexpr int first = kUpper ? kLanes<T> / 2 : 0;
  Vec<T> v;
  for (int i = 0; i < kLanes<T>; ++i) v[i] = (i % 2 ? b : a)[first + i / 2];
  return v;
#else
  IntVec<T> from;
  for (int i = 0; i < kLanes<T>; ++i) from[i] = (kUpper ? kLanes<T> / 2 : 0) + i / 2 + i % 2 * kLanes<T>;
  return __builtin_shuffle(a, b, from);
#endif
}

// Turns rows into columns, in registers of its caller. Each round interleaves row i with the one half the rows below
// it.
template <class T>
__attribute__((always_inline)) inline void transpose(Vec<T> (&row)[kLanes<T>]) {
  constexpr int kHalf = kLanes<T> / 2;
#pragma GCC unroll 4
  for (int round = 1; round < kLanes<T>; round *= 2) {
    Vec<T> next[kLanes<T>];
#pragma GCC unroll 8
    for (int i = 0; i < kHalf; ++i) {
      next[2 * i] = interleaved<T, false>(row[i], row[i + kHalf]);
      next[2 * i + 1] = interleaved<T, true>(row[i], row[i + kHalf]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kLanes<T>; ++i) row[i] = next[i];
  }
}

// In halves: a chain of single additions would take several times as long.
template <class T, int kHalf = kLanes<T> / 2>
inline T sum_lanes(Vec<T> v) {
  v += upper_half<T, kHalf>(v);
  if constexpr (kHalf == 1) {
    return v[0];
  } else {
    return sum_lanes<T, kHalf / 2>(v);
  }
}

template <class T, int kHalf = kLanes<T> / 2>
inline T largest_lane(Vec<T> v) {  // NaN where one is NaN
  const Vec<T> u = upper_half<T, kHalf>(v);
  v = v > u ? v : (v == v ? u : v);
  if constexpr (kHalf == 1) {
    return v[0];
  } else {
    return largest_lane<T, kHalf / 2>(v);
  }
}

// Whether a comparison holds in any lane.
inline bool any_lane(IntVec<float> mask) {
#if defined(__AVX512F__)
  return _mm512_movepi32_mask((__m512i)mask) != 0;
#elif defined(__AVX2__)
  return _mm256_movemask_ps((__m256)mask) != 0;
#else
  int32_t any = 0;
  for (int i = 0; i < kLanes<float>; ++i) any |= mask[i];
  return any != 0;
#endif
}

template <class T>
inline Vec<T> absolute(Vec<T> x) {
  return x < T(0) ? -x : x;
}

// a b + c, rounded once where the processor can. In a sum of two products the compiler would choose which of them to
// fuse, and not the same one in every copy of a loop: full and partial vectors, one thread and several.
#if defined(__AVX512F__)
inline Vec<float> fused(Vec<float> a, Vec<float> b, Vec<float> c) {
  return (Vec<float>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
inline Vec<double> fused(Vec<double> a, Vec<double> b, Vec<double> c) {
  return (Vec<double>)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
#elif defined(__AVX2__)
inline Vec<float> fused(Vec<float> a, Vec<float> b, Vec<float> c) {
  return (Vec<float>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
inline Vec<double> fused(Vec<double> a, Vec<double> b, Vec<double> c) {
  return (Vec<double>)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
#elif defined(__aarch64__)
inline Vec<float> fused(Vec<float> a, Vec<float> b, Vec<float> c) {
  return (Vec<float>)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
inline Vec<double> fused(Vec<double> a, Vec<double> b, Vec<double> c) {
  return (Vec<double>)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
#else
template <class V>
inline V fused(V a, V b, V c) {
  return a * b + c;
}
#endif

#if defined(__AVX512F__)
inline Vec<float> square_root(Vec<float> x) { return (Vec<float>)_mm512_maskz_sqrt_ps(__mmask16(-1), (__m512)x); }
inline Vec<double> square_root(Vec<double> x) { return (Vec<double>)_mm512_maskz_sqrt_pd(__mmask8(-1), (__m512d)x); }
#elif defined(__AVX2__)
inline Vec<float> square_root(Vec<float> x) { return (Vec<float>)_mm256_sqrt_ps((__m256)x); }
inline Vec<double> square_root(Vec<double> x) { return (Vec<double>)_mm256_sqrt_pd((__m256d)x); }
#elif defined(__x86_64__)
inline Vec<float> square_root(Vec<float> x) { return (Vec<float>)_mm_sqrt_ps((__m128)x); }
inline Vec<double> square_root(Vec<double> x) { return (Vec<double>)_mm_sqrt_pd((__m128d)x); }
#else
template <class V>
inline V square_root(V x) {
  for (size_t i = 0; i < sizeof(V) / sizeof(x[0]); ++i) x[i] = std::sqrt(x[i]);
  return x;
}
#endif

template <class T>
inline Vec<T> maximum(Vec<T> a, Vec<T> b) {  // b where a is NaN: put the variable first
  return a > b ? a : b;
}

// Functions of vectors: a call would write all registers to memory, for none of them is the callee's to save.
#define SKREG_INLINE __attribute__((always_inline)) inline

template <class T>
inline Vec<T> bits_to_real(IntVec<T> i) {
  Vec<T> x;
  std::memcpy(&x, &i, sizeof x);
  return x;
}

template <class T>
inline IntVec<T> real_to_bits(Vec<T> x) {
  IntVec<T> i;
  std::memcpy(&i, &x, sizeof i);
  return i;
}

// exp: x = n ln 2 + r with |r| <= ln 2 / 2, exp(r) as in Moshier's Cephes library, then a scaling by 2^n in two
// steps, so that results near the largest and smallest numbers come out right. About one unit in the last place.
template <class T>
struct ExpConstants;
template <>
struct ExpConstants<float> {
  static constexpr float low = -104.0f, high = 89.0f, log2e = 1.44269504088896341f, magic = 12582912.0f;
  static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
  static constexpr int bias = 127, mantissa = 23;
  static inline Vec<float> minus_one(Vec<float> r) {
    Vec<float> p = 1.9875691500e-4f * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * (r * r) + r;
  }
};
template <>
struct ExpConstants<double> {
  static constexpr double low = -746.0, high = 710.0, log2e = 1.4426950408889634074, magic = 6755399441055744.0;
  static constexpr double ln2_high = 6.93145751953125e-1, ln2_low = 1.42860682030941723212e-6;
  static constexpr int bias = 1023, mantissa = 52;
  static inline Vec<double> minus_one(Vec<double> r) {
    const Vec<double> s = r * r;
    Vec<double> p = 1.26177193074810590878e-4 * s + 3.02994407707441961300e-2;
    p = (p * s + 9.99999999999999999910e-1) * r;
    Vec<double> q = 3.00198505138664455042e-6 * s + 2.52448340349684104192e-3;
    q = q * s + 2.27265548208155028766e-1;
    q = q * s + 2.00000000000000000005;
    return 2.0 * (p / (q - p));
  }
};

// exp(x) = (1 + rest) * first * second.
template <class T>
struct Exponential {
  Vec<T> rest, first, second;

  SKREG_INLINE explicit Exponential(Vec<T> x) {
    using C = ExpConstants<T>;
    x = x < C::low ? splat(C::low) : x;
    x = x > C::high ? splat(C::high) : x;
    const Vec<T> shifted = x * C::log2e + C::magic;
    const IntVec<T> n = real_to_bits<T>(shifted) - real_to_bits<T>(splat(C::magic));
    const Vec<T> n_real = shifted - C::magic;
    const IntVec<T> half = n >> 1;
    rest = C::minus_one((x - n_real * C::ln2_high) - n_real * C::ln2_low);
    first = bits_to_real<T>((half + C::bias) << C::mantissa);
    second = bits_to_real<T>((n - half + C::bias) << C::mantissa);
  }
};

template <class T>
SKREG_INLINE Vec<T> exponential(Vec<T> x) {
  const Exponential<T> e(x);
  return (e.rest + T(1)) * e.first * e.second;
}

// exp(x) - 1 for x <= 0, without cancellation near zero.
template <class T>
SKREG_INLINE Vec<T> exponential_minus_one(Vec<T> x) {
  const Exponential<T> e(x);
  const Vec<T> power = e.first * e.second;
  return e.rest * power + (power - T(1));
}

// log(1 + x) for 0 <= x <= 1, as 2 atanh(x / (2 + x)): s^2 <= 1/9, 17 terms reach double precision.
template <class T>
SKREG_INLINE Vec<T> log1p_unit(Vec<T> x) {
  const Vec<T> s = x / (x + T(2));
  const Vec<T> s2 = s * s;
  constexpr int n_terms = sizeof(T) == 4 ? 8 : 17;
  Vec<T> p = splat(T(1) / T(2 * n_terms + 1));
  for (int k = n_terms - 1; k >= 0; --k) p = p * s2 + T(1) / T(2 * k + 1);
  return T(2) * s * p;
}

template <class T>
SKREG_INLINE Vec<T> logistic(Vec<T> x) {
  return T(1) / (T(1) + exponential<T>(-x));
}

// tanh: Cephes' approximation near zero, where 1 - 2 / (exp(2|x|) + 1) would cancel.
inline Vec<float> tanh_small(Vec<float> x) {
  const Vec<float> z = x * x;
  Vec<float> p = -5.70498872745e-3f * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  return p * z * x + x;
}

inline Vec<double> tanh_small(Vec<double> x) {
  const Vec<double> z = x * x;
  Vec<double> p = -9.64399179425052238628e-1 * z - 9.92877231001918586564e1;
  p = p * z - 1.61468768441708447952e3;
  Vec<double> q = z + 1.12811678491632931402e2;
  q = q * z + 2.23548839060100448583e3;
  q = q * z + 4.84406305325125486048e3;
  return x + x * z * (p / q);
}

template <class T>
SKREG_INLINE Vec<T> hyperbolic_tangent(Vec<T> x) {
  const Vec<T> a = absolute<T>(x);
  const Vec<T> large = T(1) - T(2) / (exponential<T>(T(2) * a) + T(1));
  return a < T(0.625) ? tanh_small(x) : (x < T(0) ? -large : large);
}

// c[0] x^(n - 1) + ... + c[n - 1].
template <class T, int n>
SKREG_INLINE Vec<T> polynomial(Vec<T> x, const double (&c)[n]) {
  Vec<T> p = splat(T(c[0]));
  for (int i = 1; i < n; ++i) p = p * x + T(c[i]);
  return p;
}

// The same at several places, a step of each after another: a chain alone would wait for every one of its steps.
template <class T, int n, int n_places>
SKREG_INLINE void polynomials(const Vec<T> (&x)[n_places], const double (&c)[n], Vec<T> (&p)[n_places]) {
#pragma GCC unroll 8
  for (int k = 0; k < n_places; ++k) p[k] = splat(T(c[0]));
#pragma GCC unroll 16
  for (int i = 1; i < n; ++i) {
#pragma GCC unroll 8
    for (int k = 0; k < n_places; ++k) p[k] = p[k] * x[k] + T(c[i]);
  }
}

// log(x) for positive normal numbers, as e ln 2 + log(1 + f) with x = (1 + f) 2^e and sqrt(1/2) <= 1 + f < sqrt(2);
// log(1 + f) / f is a polynomial of least largest relative error (2.6e-8).
template <int n_places>
SKREG_INLINE void logarithms(Vec<float> (&x)[n_places]) {
  constexpr int32_t kRootOfHalf = 0x3f3504f3;
  constexpr double kQ[] = {0.08722358718524255,  -0.14366844611048663, 0.14952266225218652,
                           -0.16562392822360408, 0.19956833570401808,  -0.25002074081220865,
                           0.333341856256918,    -0.49999987964035447, 0.9999999741895993};
  Vec<float> exponent[n_places], f[n_places], quotient[n_places];
#pragma GCC unroll 8
  for (int k = 0; k < n_places; ++k) {
    const IntVec<float> bits = real_to_bits<float>(x[k]), e = (bits - kRootOfHalf) >> 23;
    exponent[k] = __builtin_convertvector(e, Vec<float>);
    f[k] = bits_to_real<float>(bits - (e << 23)) - 1.0f;
  }
  polynomials<float>(f, kQ, quotient);
#pragma GCC unroll 8
  for (int k = 0; k < n_places; ++k) x[k] = fused(exponent[k], splat(0.69314718055994530942f), f[k] * quotient[k]);
}

// The quantile function of the standard normal at p in [2^-33, 1/2], about seven digits. In x = 1 - 2 p and w = -log(1
// - x^2) it is -x P(w), by a polynomial in w up to 5, and beyond in its root, where three of a thousand numbers lie
// (after Giles 2011, "Approximating the erfinv function"); fitted for least largest relative error (9.4e-8 and 3.2e-7).
template <int n_places>
SKREG_INLINE void normal_quantiles_lower(Vec<float> (&p)[n_places]) {
  constexpr double kCentre[] = {4.0354669250343364e-08, 4.86103980048093e-07,   -4.9905656209821046e-06,
                                -6.217993233828704e-06, 0.00030915020432850925, -0.0017730101542066672,
                                -0.005908170971251331,  0.3488026599007979,     2.1233135666710745};
  constexpr double kTail[] = {-2.8875184236339516e-05, -0.0001589958405562374, 0.0016202976010175857,
                              -0.004844136275118326,   0.008230273834522031,   -0.010898665871354078,
                              0.013329884767165828,    1.416591005188766,      4.006435044494405};
  Vec<float> log[n_places], centred[n_places], ratio[n_places];
#pragma GCC unroll 8
  for (int k = 0; k < n_places; ++k) log[k] = 4.0f * p[k] * (1.0f - p[k]);
  logarithms(log);
#pragma GCC unroll 8
  for (int k = 0; k < n_places; ++k) centred[k] = -2.5f - log[k];
  polynomials<float>(centred, kCentre, ratio);
#pragma GCC unroll 8
  for (int k = 0; k < n_places; ++k) {
    const IntVec<float> beyond = log[k] < -5.0f;
    if (any_lane(beyond)) ratio[k] = beyond ? polynomial<float>(square_root(-log[k]) - 3.0f, kTail) : ratio[k];
    p[k] = (2.0f * p[k] - 1.0f) * ratio[k];
  }
}

// The standard normal at z: its distribution function, which keeps the relative accuracy in the left tail down to about
// z = -11, where the value is 1e-28, and its density, which comes with it.
template <class T>
struct Normal {
  Vec<T> distribution, density;
};

//
// In single precision by one polynomial of degree 9, of least largest relative error (1.3e-8) for
// exp(x^2) erfc(x) = t P(t) with t = 1 / (1 + 0.4 x) and x in [0, 12].
SKREG_INLINE Normal<float> normal_at(Vec<float> z) {
  constexpr double kP[] = {-0.026026391631901277, 0.17882710411534025, -0.4542025866937488, 0.4887096559690697,
                           -0.23624202546748171,  0.24666965469238422, 0.13828992108590393, 0.21311458931299238,
                           0.22516376906735608,   0.22569632242027168};
  const Vec<float> x = z * 0.70710678118654752440f, a = absolute<float>(x), t = 1.0f / (0.4f * a + 1.0f);
  const Vec<float> power = exponential<float>(-x * x), tail = 0.5f * (power * (t * polynomial<float>(t, kP)));
  return {x < 0.0f ? tail : 1.0f - tail, 0.39894228040143267794f * power};
}

// In double precision from Cephes' erf and erfc.
SKREG_INLINE Normal<double> normal_at(Vec<double> z) {
  using T = double;
  constexpr double kT[] = {9.60497373987051638749e0, 9.00260197203842689217e1, 2.23200534594684319226e3,
                           7.00332514112805075473e3, 5.55923013010394962768e4};
  constexpr double kU[] = {1.0,
                           3.35617141647503099647e1,
                           5.21357949780152679795e2,
                           4.59432382970980127987e3,
                           2.26290000613890934246e4,
                           4.92673942608635921086e4};
  constexpr double kP[] = {2.46196981473530512524e-10, 5.64189564831068821977e-1, 7.46321056442269912687e0,
                           4.86371970985681366614e1,   1.96520832956077098242e2,  5.26445194995477358631e2,
                           9.34528527171957607540e2,   1.02755188689515710272e3,  5.57535335369399327526e2};
  constexpr double kQ[] = {1.0,
                           1.32281951154744992508e1,
                           8.67072140885989742329e1,
                           3.54937778887819891062e2,
                           9.75708501743205489753e2,
                           1.82390916687909736289e3,
                           2.24633760818710981792e3,
                           1.65666309194161350182e3,
                           5.57535340817727675546e2};
  const Vec<T> x = z * T(0.70710678118654752440), a = absolute<T>(x), s = x * x;
  const Vec<T> b = a < T(8) ? a : splat(T(8));  // beyond, exp(-x^2) decides
  const auto small = a < T(1);
  const Vec<T> power = exponential<T>(-s), numerator = small ? x * polynomial<T>(s, kT) : power * polynomial<T>(b, kP);
  const Vec<T> quotient = numerator / (small ? polynomial<T>(s, kU) : polynomial<T>(b, kQ));  // erf or erfc
  const Vec<T> tail = T(0.5) * quotient;
  return {small ? T(0.5) + tail : (x < T(0) ? tail : T(1) - tail), T(0.39894228040143267794) * power};
}

}  // namespace SKREG_ISA
}  // namespace skreg
