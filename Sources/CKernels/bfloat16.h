// Two bf16 that follow each other along k make one element of the blocks in gemm.h; sums stay in Float32
// (vdpbf16ps). Only for processors that have the instruction, and nothing where it does not exist.
#pragma once
#include "CKernels.h"

#if defined(__x86_64__) && defined(__ELF__)
#define HAS_BFLOAT16 1
#include <immintrin.h>
#include <math.h>

#ifndef BFLOAT16_TARGET
#define BFLOAT16_TARGET "arch=x86-64-v4,avx512bf16"
#endif

#pragma clang attribute push(__attribute__((target(BFLOAT16_TARGET))), apply_to = function)
enum { values = 2 };
#include "gemm.h"

INLINE vector multiply_add(vector sums, vector a, vector b) {
  return __builtin_bit_cast(vector, _mm512_dpbf16_ps(__builtin_bit_cast(__m512, sums),
                                                     __builtin_bit_cast(__m512bh, a),
                                                     __builtin_bit_cast(__m512bh, b)));
}

INLINE vector along(const float *at, size_t e, size_t depth) {
  const float *p = at + 2 * e;
  size_t count = depth - 2 * e;
  vector low = load_first(p, count, 0.0f);
  vector high = count > lanes ? load_first(p + lanes, count - lanes, 0.0f) : (vector)0.0f;
  return __builtin_bit_cast(vector, _mm512_cvtne2ps_pbh(__builtin_bit_cast(__m512, high),
                                                        __builtin_bit_cast(__m512, low)));
}

INLINE vector across(const float *at, size_t stride, size_t e, size_t depth, size_t count) {
  vector low = load_first(at + 2 * e * stride, count, 0.0f), high = 0.0f;
  if (2 * e + 1 < depth) high = load_first(at + (2 * e + 1) * stride, count, 0.0f);
  __m512i a = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(__builtin_bit_cast(__m512, low)));
  __m512i b = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(__builtin_bit_cast(__m512, high)));
  return __builtin_bit_cast(vector, _mm512_or_si512(a, _mm512_slli_epi32(b, 16)));
}
#pragma clang attribute pop
#endif
