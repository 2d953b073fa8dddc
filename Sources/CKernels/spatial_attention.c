#include "CKernels.h"
#include "tile.h"

// Each (frame, head) is a few small matrix products whose operands are first copied next to each other: the
// keys transposed, so that the scores of one query are vectors over the keys, the others as padded rows.

size_t ck_spatial_attention_scratch(size_t tokens, size_t head_dim) {
  size_t length = padded(tokens) + lanes, width = padded(head_dim) + lanes;
  return width * length + 3 * length * width + larger(tokens, tile_rows) * length + 2 * tile_rows * (length + width);
}

INLINE void attend(const float *q, const float *bias, float *out, float *probabilities, float *scratch,
                   size_t tokens, size_t begin, size_t end, size_t channels, size_t head_dim, float scale) {
  size_t length = padded(tokens), width = padded(head_dim), stride = 3 * channels;
  float *keys = scratch, *values = keys + width * length, *scores = values + tokens * width;
  pack_transposed(q + channels, stride, tokens, head_dim, keys);
  pack_rows(q + 2 * channels, stride, tokens, head_dim, values);
  for (size_t first = begin; first < end; first += tile_rows) {
    size_t count = smaller(tile_rows, end - first);
    float inverses[tile_rows];
    multiply(count, length, head_dim, (operand){q + first * stride, stride, 1}, keys, length,
             (target){scores, length, .scale = 1.0f});
    for (size_t r = 0; r < count; r++) {
      float *row = scores + r * length;
      inverses[r] = exponentiate_row(row, bias ? bias + (first + r) * tokens : NULL, scale, tokens);
      if (!probabilities) continue;
      for (size_t j = 0; j < tokens; j += lanes) {
        store_first(probabilities + (first + r) * tokens + j, load(row + j) * inverses[r], tokens - j);
      }
    }
    multiply(count, head_dim, tokens, (operand){scores, length, 1}, values, width,
             (target){out + (first - begin) * channels, channels, .scale = 1.0f, .scales = inverses});
  }
}

CLONES static void attend_all(const float *qkv, const float *bias, float *out, float *probabilities,
                              float *scratch, size_t time, size_t tokens, size_t first, size_t count,
                              size_t heads, size_t head_dim, float scale) {
  size_t channels = heads * head_dim, square = tokens * tokens, end = first + count;
  for (size_t t = 0; t < time; t++) {
    for (size_t h = 0; h < heads; h++) {
      const float *q = qkv + t * tokens * 3 * channels + h * head_dim;
      const float *table = bias ? bias + h * square : NULL;
      float *o = out + t * count * channels + h * head_dim;
      float *p = probabilities ? probabilities + (t * heads + h) * square : NULL;
      switch (head_dim) {
        case 16: attend(q, table, o, p, scratch, tokens, first, end, channels, 16, scale); break;
        case 32: attend(q, table, o, p, scratch, tokens, first, end, channels, 32, scale); break;
        case 64: attend(q, table, o, p, scratch, tokens, first, end, channels, 64, scale); break;
        default: attend(q, table, o, p, scratch, tokens, first, end, channels, head_dim, scale);
      }
    }
  }
}

void ck_spatial_attention_bfloat16(const float *qkv, const float *bias, float *out, float *scratch, size_t time,
                                   size_t tokens, size_t first, size_t count, size_t heads, size_t head_dim,
                                   float scale);

void ck_spatial_attention_forward(ck_precision precision, const float *qkv, const float *bias, float *out,
                                  float *probabilities, float *scratch, size_t time, size_t tokens, size_t first,
                                  size_t count, size_t heads, size_t head_dim, float scale) {
#if defined(__x86_64__) && defined(__ELF__)
  if (precision == ck_bfloat16 && !probabilities && ck_has_bfloat16()) {
    ck_spatial_attention_bfloat16(qkv, bias, out, scratch, time, tokens, first, count, heads, head_dim, scale);
    return;
  }
#endif
  attend_all(qkv, bias, out, probabilities, scratch, time, tokens, first, count, heads, head_dim, scale);
}

/// slopes = P (dP - sum(P dP)), row by row: the gradient of the scores, where `slopes` holds dP before.
INLINE void differentiate_softmax(const float *probabilities, float *slopes, float *dbias, size_t tokens) {
  size_t length = padded(tokens);
  for (size_t i = 0; i < tokens; i++) {
    const float *p = probabilities + i * tokens;
    float *s = slopes + i * length;
    vector total = 0.0f;
    for (size_t j = 0; j < tokens; j += lanes) total += load(s + j) * load_first(p + j, tokens - j, 0.0f);
    float mean = lane_sum(total);
    for (size_t j = 0; j < tokens; j += lanes) {
      vector slope = load_first(p + j, tokens - j, 0.0f) * (load(s + j) - mean);
      store(s + j, slope);
      if (!dbias) continue;
      float *b = dbias + i * tokens + j;
      store_first(b, load_first(b, tokens - j, 0.0f) + slope, tokens - j);
    }
  }
}

INLINE void attend_backward(const float *q, const float *probabilities, const float *dout, float *dq,
                            float *dbias, float *scratch, size_t tokens, size_t channels, size_t head_dim,
                            float scale) {
  size_t length = padded(tokens), width = padded(head_dim), stride = 3 * channels;
  float *values = scratch, *queries = values + width * length, *keys = queries + tokens * width;
  float *douts = keys + tokens * width, *slopes = douts + tokens * width;
  pack_transposed(q + 2 * channels, stride, tokens, head_dim, values);
  pack_rows(q, stride, tokens, head_dim, queries);
  pack_rows(q + channels, stride, tokens, head_dim, keys);
  pack_rows(dout, channels, tokens, head_dim, douts);
  multiply(tokens, length, head_dim, (operand){douts, width, 1}, values, length,
           (target){slopes, length, .scale = 1.0f});
  differentiate_softmax(probabilities, slopes, dbias, tokens);
  multiply(tokens, head_dim, tokens, (operand){slopes, length, 1}, keys, width,
           (target){dq, stride, scale, NULL, 1});
  multiply(tokens, head_dim, tokens, (operand){slopes, 1, length}, queries, width,
           (target){dq + channels, stride, scale, NULL, 1});
  multiply(tokens, head_dim, tokens, (operand){probabilities, 1, tokens}, douts, width,
           (target){dq + 2 * channels, stride, 1.0f, NULL, 1});
}

CLONES void ck_spatial_attention_backward(const float *qkv, const float *probabilities, const float *dout,
                                          float *dqkv, float *dbias, float *scratch, size_t time,
                                          size_t tokens, size_t heads, size_t head_dim, float scale) {
  size_t channels = heads * head_dim, square = tokens * tokens;
  for (size_t t = 0; t < time; t++) {
    for (size_t h = 0; h < heads; h++) {
      size_t row = t * tokens * 3 * channels + h * head_dim;
      const float *p = probabilities + (t * heads + h) * square;
      const float *d = dout + t * tokens * channels + h * head_dim;
      float *b = dbias ? dbias + h * square : NULL;
      switch (head_dim) {
        case 16: attend_backward(qkv + row, p, d, dqkv + row, b, scratch, tokens, channels, 16, scale); break;
        case 32: attend_backward(qkv + row, p, d, dqkv + row, b, scratch, tokens, channels, 32, scale); break;
        case 64: attend_backward(qkv + row, p, d, dqkv + row, b, scratch, tokens, channels, 64, scale); break;
        default: attend_backward(qkv + row, p, d, dqkv + row, b, scratch, tokens, channels, head_dim, scale);
      }
    }
  }
}
