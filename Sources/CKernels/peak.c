#include "CKernels.h"
#include "vector.h"

// As many independent sums as the registers hold: more than a fused multiply-add takes cycles, times what is
// started in a cycle.
enum { narrow_sums = 6, wide_sums = 24 };

// What nobody reads would not be computed.
static volatile float sink;

INLINE double add_products(size_t count, size_t rounds) {
  vector sums[wide_sums];
#pragma clang loop unroll(full)
  for (size_t i = 0; i < count; i++) sums[i] = (float)i;
  // From outside, so that the compiler knows neither.
  vector factor = sink * 1e-9f + 0.999f, term = sink * 1e-9f + 1e-3f;
  for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (size_t i = 0; i < count; i++) sums[i] = sums[i] * factor + term;
  }
  vector total = 0.0f;
#pragma clang loop unroll(full)
  for (size_t i = 0; i < count; i++) total += sums[i];
  sink = lane_sum(total) * 1e-9f;
  return 2.0 * lanes * (double)count * (double)rounds;
}

CLONES static double add_products_narrow(size_t rounds) { return add_products(narrow_sums, rounds); }

#if defined(__x86_64__) && defined(__ELF__)
#include "amx.h"

__attribute__((target("arch=x86-64-v4"), min_vector_width(512))) static double add_products_wide(size_t rounds) {
  return add_products(wide_sums, rounds);
}

__attribute__((target("arch=x86-64-v4,avx512bf16"))) static double add_products_bfloat16(size_t rounds) {
  __m512 sums[wide_sums];
#pragma clang loop unroll(full)
  for (int i = 0; i < wide_sums; i++) sums[i] = _mm512_set1_ps((float)i);
  const int halves = 0x3f003f00;  // 0.5, twice
  __m512bh factors = (__m512bh)_mm512_set1_epi32(halves + (int)(sink * 1e-9f)), terms = factors;
  for (size_t round = 0; round < rounds; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < wide_sums; i++) sums[i] = _mm512_dpbf16_ps(sums[i], factors, terms);
  }
  __m512 total = _mm512_setzero_ps();
#pragma clang loop unroll(full)
  for (int i = 0; i < wide_sums; i++) total = _mm512_add_ps(total, sums[i]);
  sink = _mm512_reduce_add_ps(total) * 1e-9f;
  return 2.0 * 32 * wide_sums * (double)rounds;
}

/// Products of tiles, four of whose sums take turns.
__attribute__((target("arch=x86-64-v4,amx-tile,amx-bf16"))) static double add_products_amx(size_t rounds) {
  tile_shapes shapes = all_tiles();
  _tile_loadconfig(&shapes);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  for (size_t round = 0; round < rounds; round++) {
    _tile_dpbf16ps(0, 4, 5);
    _tile_dpbf16ps(1, 4, 5);
    _tile_dpbf16ps(2, 4, 5);
    _tile_dpbf16ps(3, 4, 5);
  }
  float sums[16 * 16];
  _tile_stored(0, sums, 64);
  _tile_release();
  sink = sums[0];
  return 2.0 * 4 * 16 * 16 * 32 * (double)rounds;
}

double ck_peak_float32(size_t rounds) {
  return __builtin_cpu_supports("x86-64-v4") ? add_products_wide(rounds) : add_products_narrow(rounds);
}

double ck_peak_bfloat16(size_t rounds) {
  // A round of tiles takes some five times as long.
  if (ck_has_amx()) return add_products_amx(rounds / 5);
  return ck_has_bfloat16() ? add_products_bfloat16(rounds) : 0;
}
#else
double ck_peak_float32(size_t rounds) { return add_products_narrow(rounds); }

double ck_peak_bfloat16(size_t rounds) {
  (void)rounds;
  return 0;
}
#endif
