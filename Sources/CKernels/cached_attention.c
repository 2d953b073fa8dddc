#include "CKernels.h"
#include "vector.h"

typedef uint16_t halves __attribute__((ext_vector_type(16), aligned(2)));
typedef uint32_t words __attribute__((ext_vector_type(16)));

/// Sixteen cached numbers from place `i` on; those at `count` and beyond are zero.
INLINE vector read_cached(ck_precision precision, const void *p, size_t i, size_t count) {
  if (precision == ck_float32) return load_first((const float *)p + i, count, 0.0f);
  const uint16_t *at = (const uint16_t *)p + i;
  halves h = 0;
  if (count >= lanes) {
    h = *(const halves *)at;
  } else {
    for (size_t j = 0; j < count; j++) h[j] = at[j];
  }
  return __builtin_bit_cast(vector, __builtin_convertvector(h, words) << 16);
}

/// Writes `size` numbers `stride` places apart. bf16 are rounded to the nearest, ties to even, as the processors'
/// own instructions do.
INLINE void write_cached(ck_precision precision, void *p, size_t i, size_t stride, const float *x, size_t size) {
  for (size_t d = 0; d < size; d += lanes) {
    vector v = load_first(x + d, size - d, 0.0f);
    words bits = __builtin_bit_cast(words, v);
    words rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    rounded = __builtin_bit_cast(words, v == v) == 0 ? bits >> 16 | 0x40 : rounded;
    halves h = __builtin_convertvector(rounded, halves);
    for (size_t j = 0; j < smaller(lanes, size - d); j++) {
      size_t at = i + (d + j) * stride;
      if (precision == ck_float32) {
        ((float *)p)[at] = v[j];
      } else {
        ((uint16_t *)p)[at] = h[j];
      }
    }
  }
}

/// Up to sixteen places of the ring at a time. Scores are vectors over the places, in four partial sums;
/// places that hold no frame yet are never read as values, so that what lies there does not matter.
/// `keys` and `values` begin at `ring`; the ring of all tokens ends at `end`.
INLINE void attend(ck_precision precision, const float *q, const void *keys, const void *values, size_t ring,
                   size_t end, const float *bias, float *out, size_t head_dim, size_t window, float scale) {
  float scores[padded(window)];
  vector top = -INFINITY;
  for (size_t place = 0; place < window; place += lanes) {
    vector sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (size_t d = 0; d < head_dim; d += 4) {
#pragma clang loop unroll(full)
      for (size_t i = 0; i < 4; i++) {
        size_t at = ring + (d + i) * window + place;
        if (d + i < head_dim) sums[i] += q[d + i] * read_cached(precision, keys, at, end - at);
      }
    }
    vector mask = load_first(bias + place, window - place, -INFINITY);
    vector score = ((sums[0] + sums[1]) + (sums[2] + sums[3])) * scale + mask;
    score = mask == -INFINITY ? mask : score;
    top = maximum(score, top);
    store(scores + place, score);
  }
  float highest = lane_maximum(top);
  vector total = 0.0f;
  for (size_t place = 0; place < window; place += lanes) {
    vector e = exponential(load(scores + place) - highest);
    total += e;
    store(scores + place, e);
  }
  float inverse = 1.0f / lane_sum(total);
  for (size_t c = 0; c < head_dim; c += 2 * lanes) {
    size_t left = head_dim - c, second = left > lanes ? left - lanes : 0;
    vector a = 0.0f, b = 0.0f;
    for (size_t place = 0; place < window; place++) {
      if (bias[place] == -INFINITY) continue;
      size_t at = ring + place * head_dim + c;
      a += scores[place] * read_cached(precision, values, at, left);
      if (second > 0) b += scores[place] * read_cached(precision, values, at + lanes, second);
    }
    store_first(out + c, a * inverse, left);
    if (second > 0) store_first(out + c + lanes, b * inverse, second);
  }
}

INLINE void attend_all(ck_precision precision, const float *qkv, void *keys, void *values, const float *bias,
                       float *out, size_t place, size_t tokens, size_t heads, size_t head_dim, size_t window,
                       float scale) {
  size_t channels = heads * head_dim, size = head_dim * window, end = tokens * heads * size;
  // A key is read as a part of wider vectors, which would wait for a write that is still under way: so writing
  // runs a little ahead of reading.
  enum { ahead = 4 };
  for (size_t i = 0; i < tokens * heads + ahead; i++) {
    if (i < tokens * heads) {
      const float *k = qkv + i / heads * 3 * channels + i % heads * head_dim + channels;
      write_cached(precision, keys, i * size + place, window, k, head_dim);
      write_cached(precision, values, i * size + place * head_dim, 1, k + channels, head_dim);
    }
    if (i < ahead) continue;
    size_t j = i - ahead;
    const float *q = qkv + j / heads * 3 * channels + j % heads * head_dim, *b = bias + j % heads * window;
    attend(precision, q, keys, values, j * size, end, b, out + j * head_dim, head_dim, window, scale);
  }
}

CLONES void ck_temporal_attention_cached(ck_precision precision, const float *qkv, void *keys, void *values,
                                         const float *bias, float *out, size_t place, size_t tokens,
                                         size_t heads, size_t head_dim, size_t window, float scale) {
#define ATTEND(p, size, places) \
  attend_all(p, qkv, keys, values, bias, out, place, tokens, heads, size, places, scale)
  // What is constant where it is inlined: the common sizes.
  if (precision == ck_float32) {
    if (head_dim == 32 && window == 16) return ATTEND(ck_float32, 32, 16);
    if (head_dim == 32 && window == 8) return ATTEND(ck_float32, 32, 8);
    if (head_dim == 32 && window == 24) return ATTEND(ck_float32, 32, 24);
    if (head_dim == 64 && window == 16) return ATTEND(ck_float32, 64, 16);
    return ATTEND(ck_float32, head_dim, window);
  }
  if (head_dim == 32 && window == 16) return ATTEND(ck_bfloat16, 32, 16);
  if (head_dim == 32 && window == 8) return ATTEND(ck_bfloat16, 32, 8);
  if (head_dim == 32 && window == 24) return ATTEND(ck_bfloat16, 32, 24);
  if (head_dim == 64 && window == 16) return ATTEND(ck_bfloat16, 64, 16);
  return ATTEND(ck_bfloat16, head_dim, window);
#undef ATTEND
}
