#include "CKernels.h"
#include "tile.h"

// Each (frame, head) is a few matrix products, read in place, with the softmax between them.

size_t ck_spatial_attention_scratch(size_t tokens) { return tokens * padded(tokens); }

/// One frame and head: `q` is the first query that is wanted, `count` of them; k and v of all tokens.
INLINE void attend(ck_precision precision, const float *q, const float *k, const float *v, const float *bias,
                   float *out, float *probabilities, float *scratch, size_t tokens, size_t count, size_t channels,
                   size_t head_dim, float scale) {
  size_t length = padded(tokens), stride = 3 * channels;
  ck_gemm(precision, 0, 1, count, tokens, head_dim, 1.0f, q, stride, k, stride, 0.0f, scratch, length,
          (ck_epilogue){0});
  for (size_t r = 0; r < count; r++) {
    float *row = scratch + r * length;
    float inverse = exponentiate_row(row, bias ? bias + r * tokens : NULL, scale, tokens);
    for (size_t j = 0; j < tokens; j += lanes) {
      vector x = load(row + j) * inverse;
      store(row + j, x);
      if (probabilities) store_first(probabilities + r * tokens + j, x, tokens - j);
    }
  }
  ck_gemm(precision, 0, 0, count, head_dim, tokens, 1.0f, scratch, length, v, stride, 0.0f, out, channels,
          (ck_epilogue){0});
}

CLONES void ck_spatial_attention_forward(ck_precision precision, const float *qkv, const float *bias, float *out,
                                         float *probabilities, float *scratch, size_t time, size_t tokens,
                                         size_t first, size_t count, size_t heads, size_t head_dim, float scale) {
  size_t channels = heads * head_dim, square = tokens * tokens;
  for (size_t i = 0; i < time * heads; i++) {
    size_t t = i / heads, h = i % heads;
    const float *q = qkv + t * tokens * 3 * channels + h * head_dim;
    attend(precision, q + first * 3 * channels, q + channels, q + 2 * channels,
           bias ? bias + h * square + first * tokens : NULL, out + t * count * channels + h * head_dim,
           probabilities ? probabilities + i * square : NULL, scratch, tokens, count, channels, head_dim, scale);
  }
}

/// slopes = P (dP - sum(P dP)), row by row: the gradient of the scores, where `slopes` holds dP before.
INLINE void differentiate_softmax(const float *probabilities, float *slopes, float *dbias, size_t tokens) {
  size_t length = padded(tokens);
  for (size_t i = 0; i < tokens; i++) {
    const float *p = probabilities + i * tokens;
    float *s = slopes + i * length;
    vector total = 0.0f;
    for (size_t j = 0; j < tokens; j += lanes) {
      total += load_first(s + j, tokens - j, 0.0f) * load_first(p + j, tokens - j, 0.0f);
    }
    float mean = lane_sum(total);
    for (size_t j = 0; j < tokens; j += lanes) {
      vector slope = load_first(p + j, tokens - j, 0.0f) * (load_first(s + j, tokens - j, 0.0f) - mean);
      store(s + j, slope);
      if (!dbias) continue;
      float *b = dbias + i * tokens + j;
      store_first(b, load_first(b, tokens - j, 0.0f) + slope, tokens - j);
    }
  }
}

CLONES void ck_spatial_attention_backward(ck_precision precision, const float *qkv, const float *probabilities,
                                          const float *dout, float *dqkv, float *dbias, float *scratch,
                                          size_t time, size_t tokens, size_t heads, size_t head_dim,
                                          float scale) {
  size_t channels = heads * head_dim, stride = 3 * channels, length = padded(tokens), square = tokens * tokens;
  for (size_t i = 0; i < time * heads; i++) {
    size_t t = i / heads, h = i % heads, at = t * tokens * stride + h * head_dim;
    const float *q = qkv + at, *k = q + channels, *v = k + channels, *p = probabilities + i * square;
    const float *d = dout + t * tokens * channels + h * head_dim;
    float *dq = dqkv + at, *dk = dq + channels, *dv = dk + channels;
    ck_gemm(precision, 0, 1, tokens, tokens, head_dim, 1.0f, d, channels, v, stride, 0.0f, scratch, length,
            (ck_epilogue){0});
    differentiate_softmax(p, scratch, dbias ? dbias + h * square : NULL, tokens);
    ck_gemm(precision, 0, 0, tokens, head_dim, tokens, scale, scratch, length, k, stride, 1.0f, dq, stride,
            (ck_epilogue){0});
    ck_gemm(precision, 1, 0, tokens, head_dim, tokens, scale, scratch, length, q, stride, 1.0f, dk, stride,
            (ck_epilogue){0});
    ck_gemm(precision, 1, 0, tokens, head_dim, tokens, 1.0f, p, tokens, d, channels, 1.0f, dv, stride,
            (ck_epilogue){0});
  }
}
