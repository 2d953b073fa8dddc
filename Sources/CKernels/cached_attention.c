#include "CKernels.h"
#include "vector.h"

/// Up to sixteen places of the ring at a time. Scores are vectors over the places, in four partial sums;
/// places that hold no frame yet are never read as values, so that what lies there does not matter.
INLINE void attend(const float *q, const float *keys, const float *end, const float *values,
                   const float *bias, float *out, size_t head_dim, size_t window, float scale) {
  float scores[padded(window)];
  vector top = -INFINITY;
  for (size_t place = 0; place < window; place += lanes) {
    vector sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (size_t d = 0; d < head_dim; d += 4) {
#pragma clang loop unroll(full)
      for (size_t i = 0; i < 4; i++) {
        const float *row = keys + (d + i) * window + place;
        if (d + i < head_dim) sums[i] += q[d + i] * load_first(row, (size_t)(end - row), 0.0f);
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
      const float *row = values + place * head_dim + c;
      a += scores[place] * load_first(row, left, 0.0f);
      if (second > 0) b += scores[place] * load_first(row + lanes, second, 0.0f);
    }
    store_first(out + c, a * inverse, left);
    if (second > 0) store_first(out + c + lanes, b * inverse, second);
  }
}

INLINE void write_place(const float *qkv, float *keys, float *values, size_t place, size_t channels,
                        size_t head_dim, size_t window) {
  const float *k = qkv + channels, *v = k + channels;
  for (size_t d = 0; d < head_dim; d++) keys[d * window + place] = k[d];
  for (size_t d = 0; d < head_dim; d++) values[place * head_dim + d] = v[d];
}

CLONES void ck_temporal_attention_cached(const float *qkv, float *keys, float *values, const float *ring_bias,
                                         float *out, size_t place, size_t tokens, size_t heads,
                                         size_t head_dim, size_t window, float scale) {
  size_t channels = heads * head_dim, ring = head_dim * window;
  const float *end = keys + tokens * heads * ring;
  for (size_t n = 0; n < tokens; n++, qkv += 3 * channels) {
    for (size_t h = 0; h < heads; h++, keys += ring, values += ring, out += head_dim) {
      const float *q = qkv + h * head_dim, *b = ring_bias + h * window;
      write_place(q, keys, values, place, channels, head_dim, window);
      switch (head_dim) {
        case 16: attend(q, keys, end, values, b, out, 16, window, scale); break;
        case 32: attend(q, keys, end, values, b, out, 32, window, scale); break;
        case 64: attend(q, keys, end, values, b, out, 64, window, scale); break;
        default: attend(q, keys, end, values, b, out, head_dim, window, scale);
      }
    }
  }
}
