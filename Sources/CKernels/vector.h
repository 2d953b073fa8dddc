// Sixteen floats at a time, for the kernels whose mathematics a compiler does not vectorise by itself.
// A clone for AVX-512 keeps them in one register, one for AVX2 in two, NEON and SSE in four.
#pragma once
#include <math.h>
#include <stddef.h>
#include <stdint.h>

// The loader picks the clone that suits the processor. Everything that a clone calls must be inlined into it
// (`INLINE`), or it would be compiled for the oldest processor.
#if defined(__x86_64__) && defined(__ELF__)
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

/// Whether there are 32 registers of sixteen floats: what a tile of sums has room in.
INLINE int has_wide_registers(void) {
#if defined(__x86_64__) && defined(__ELF__)
  return __builtin_cpu_supports("x86-64-v4");
#else
  return 0;
#endif
}

// Vectors are passed between inlined functions only, so their calling convention does not matter.
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang fp contract(fast)

enum { lanes = 16 };
typedef float vector __attribute__((ext_vector_type(16)));
typedef float half_vector __attribute__((ext_vector_type(8)));
typedef float unaligned_half __attribute__((ext_vector_type(8), aligned(4)));
typedef int32_t integers __attribute__((ext_vector_type(16)));
typedef float unaligned_vector __attribute__((ext_vector_type(16), aligned(4)));

INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
INLINE size_t larger(size_t a, size_t b) { return a > b ? a : b; }
INLINE size_t padded(size_t count) { return (count + lanes - 1) / lanes * lanes; }

INLINE vector load(const float *p) { return *(const unaligned_vector *)p; }
INLINE void store(float *p, vector x) { *(unaligned_vector *)p = x; }
INLINE void store_half(float *p, half_vector x) { *(unaligned_half *)p = x; }

/// The first `count` lanes from memory (all of them if there are more), the others filled.
INLINE vector load_first(const float *p, size_t count, float fill) {
  if (count >= lanes) return load(p);
  float copy[lanes];
  for (size_t i = 0; i < lanes; i++) copy[i] = fill;
  for (size_t i = 0; i < count; i++) copy[i] = p[i];
  return load(copy);
}

/// Writes the first `count` lanes (all of them if there are more).
INLINE void store_first(float *p, vector x, size_t count) {
  if (count >= lanes) {
    store(p, x);
    return;
  }
  float copy[lanes];
  store(copy, x);
  for (size_t i = 0; i < count; i++) p[i] = copy[i];
}

/// Keeps the first `count` lanes and fills the others.
INLINE vector keep_first(vector x, size_t count, float fill) {
  const integers lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return lane < (integers)(int32_t)smaller(count, lanes) ? x : (vector)fill;
}

INLINE vector maximum(vector a, vector b) { return a > b ? a : b; }

// The order of the sum is fixed, so that a row's result never depends on where the row stands.
INLINE float lane_sum(vector x) {
  __typeof__(x.lo) a = x.lo + x.hi;
  __typeof__(a.lo) b = a.lo + a.hi;
  return (b.x + b.z) + (b.y + b.w);
}

INLINE float lane_maximum(vector x) {
  __typeof__(x.lo) a = x.lo > x.hi ? x.lo : x.hi;
  __typeof__(a.lo) b = a.lo > a.hi ? a.lo : a.hi;
  float left = b.x > b.z ? b.x : b.z, right = b.y > b.w ? b.y : b.w;
  return left > right ? left : right;
}

/// e^x to about 1e-7 (relative) for x in -87...88; anything else gives nonsense.
/// x = n ln 2 + r with |r| <= ln 2 / 2; a polynomial for e^r, and n is added to its exponent bits.
INLINE vector moderate_exponential(vector x) {
  const float magic = 0x1.8p23f;  // adding it rounds to an integer, which is left in the low bits
  vector shifted = x * 1.44269504f + magic;
  vector n = shifted - magic;
  vector r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  vector p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  integers bits = __builtin_bit_cast(integers, p) + (__builtin_bit_cast(integers, shifted) << 23);
  return __builtin_bit_cast(vector, bits);
}

/// The same for all x: 0 below -87, infinity above 88.3, NaN stays NaN.
INLINE vector exponential(vector x) {
  vector y = moderate_exponential(x);
  y = x < -87.0f ? (vector)0.0f : y;
  y = x > 88.3f ? (vector)INFINITY : y;
  return x == x ? y : x;
}
