// The forward pass of spatial attention with bf16 operands: scores and outputs are products of pairs, as in
// gemm_bfloat16.c; the softmax between them is Float32.
#include "bfloat16.h"

#ifdef HAS_BFLOAT16
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512bf16"))), apply_to = function)

enum { rows = 8, width = 2 * lanes };

INLINE size_t round_up(size_t count, size_t unit) { return (count + unit - 1) / unit * unit; }

/// Rows of `x`, `row` floats apart, as elements, a whole number of vectors each; missing rows repeat the last.
INLINE void pack_rows_as_pairs(const float *x, size_t row, size_t count, size_t depth, const float *scales,
                               float *packed, size_t packed_row) {
  for (size_t r = 0; r < rows; r++) {
    const float *at = x + smaller(r, count - 1) * row;
    float scale = scales ? scales[smaller(r, count - 1)] : 1.0f;
    for (size_t e = 0; e < element_count(depth); e += lanes) {
      store(packed + r * packed_row + e, scaled_along(at, e, depth, scale));
    }
  }
}

INLINE void attend(const float *q, const float *bias, float *out, float *scratch, size_t tokens, size_t begin,
                   size_t end, size_t channels, size_t head_dim, float scale) {
  size_t stride = 3 * channels, length = round_up(tokens, width), depth = element_count(head_dim);
  size_t query_row = round_up(depth, lanes), weight_row = round_up(element_count(tokens), lanes);
  float *keys = scratch, *values = keys + depth * length,
        *scores = values + element_count(tokens) * round_up(head_dim, width);
  float *queries = scores + rows * length, *weights = queries + rows * query_row;
  for (size_t c = 0; c < tokens; c += width) {
    operand right = {q + channels + c * stride, 1, stride};
    pack_panel(right, head_dim, tokens - c, width, keys + c * depth);
  }
  for (size_t c = 0; c < head_dim; c += width) {
    operand right = {q + 2 * channels + c, stride, 1};
    pack_panel(right, tokens, head_dim - c, width, values + c * element_count(tokens));
  }
  for (size_t first = begin; first < end; first += rows) {
    size_t count = smaller(rows, end - first);
    float inverses[rows];
    pack_rows_as_pairs(q + first * stride, stride, count, head_dim, NULL, queries, query_row);
    for (size_t c = 0; c < length; c += width) {
      tile_target to = {scores + c, NULL, NULL, NULL, length};
      multiply_panel(rows, 2, depth, (operand){queries, query_row, 1}, keys + c * depth, to, rows, width, 1.0f,
                     0.0f, 0);
    }
    for (size_t r = 0; r < count; r++) {
      inverses[r] = exponentiate_row(scores + r * length, bias ? bias + (first + r) * tokens : NULL, scale, tokens);
    }
    pack_rows_as_pairs(scores, length, count, tokens, inverses, weights, weight_row);
    for (size_t c = 0; c < head_dim; c += width) {
      tile_target to = {out + (first - begin) * channels + c, NULL, NULL, NULL, channels};
      multiply_panel(rows, 2, element_count(tokens), (operand){weights, weight_row, 1},
                     values + c * element_count(tokens), to, count, head_dim - c, 1.0f, 0.0f, 0);
    }
  }
}

void ck_spatial_attention_bfloat16(const float *qkv, const float *bias, float *out, float *scratch, size_t time,
                                   size_t tokens, size_t first, size_t count, size_t heads, size_t head_dim,
                                   float scale) {
  size_t channels = heads * head_dim;
  for (size_t i = 0; i < time * heads; i++) {
    size_t t = i / heads, h = i % heads;
    const float *q = qkv + t * tokens * 3 * channels + h * head_dim;
    const float *table = bias ? bias + h * tokens * tokens : NULL;
    float *o = out + t * count * channels + h * head_dim;
    if (head_dim == 32) {
      attend(q, table, o, scratch, tokens, first, first + count, channels, 32, scale);
    } else {
      attend(q, table, o, scratch, tokens, first, first + count, channels, head_dim, scale);
    }
  }
}
#pragma clang attribute pop
#endif
