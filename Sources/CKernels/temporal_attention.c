#include "CKernels.h"
#include "tile.h"
#include <string.h>

// One position of the grid at all times, sixteen queries at a time against the keys that their bands can
// reach, copied next to each other. What a block needs is small (window + 15 keys) and lives on the stack.
enum { block = lanes };

/// One block of queries and the keys within their reach.
typedef struct {
  size_t first;  // time of the first query
  size_t count;  // queries
  size_t start;  // time of the first key
  size_t keys;
} span;

INLINE span reach(size_t first, size_t time, size_t window) {
  size_t count = smaller(block, time - first), start = first + 1 > window ? first + 1 - window : 0;
  return (span){first, count, start, first + count - start};
}

/// A block has at most window + 15 keys.
INLINE size_t most_keys(size_t window) { return padded(window + block - 1); }

// ---- forward ----------------------------------------------------------------------------------------------

/// The bias by distance, reversed and with -INFINITY outside the band: what a query adds to its row of keys
/// starts at mask + most - 1 - (query time - time of the first key).
INLINE void fill_mask(float *mask, const float *bias, size_t window, size_t most) {
  for (size_t i = 0; i < 2 * most; i++) mask[i] = -INFINITY;
  for (size_t distance = 0; distance < window; distance++) {
    mask[most - 1 - distance] = bias ? bias[distance] : 0.0f;
  }
}

INLINE void attend(const float *q, const float *bias, float *out, float *probabilities, size_t time,
                   size_t row_stride, size_t out_stride, size_t channels, size_t head_dim, size_t window,
                   size_t kept, float scale, float *scratch) {
  size_t width = padded(head_dim), most = most_keys(window);
  float *mask = scratch, *keys = mask + 2 * most, *values = keys + width * most,
        *scores = values + width * most;
  fill_mask(mask, bias, window, most);
  for (size_t first = 0; first < time; first += block) {
    span s = reach(first, time, window);
    size_t length = padded(s.keys);
    const float *k = q + s.start * row_stride + channels;
    pack_transposed(k, row_stride, s.keys, head_dim, keys);
    pack_rows(k + channels, row_stride, s.keys, head_dim, values);
    multiply(s.count, length, head_dim, (operand){q + first * row_stride, row_stride, 1}, keys, length,
             (target){scores, length, .scale = 1.0f});
    float inverses[block];
    for (size_t r = 0; r < s.count; r++) {
      size_t last = first + r - s.start;
      float *row = scores + r * length;
      inverses[r] = exponentiate_row(row, mask + most - 1 - last, scale, s.keys);
      if (!probabilities) continue;
      float *p = probabilities + (first + r) * kept;
      size_t seen = smaller(window, last + 1);
      for (size_t d = 0; d < seen; d++) p[d] = row[last - d] * inverses[r];
      for (size_t d = seen; d < kept; d++) p[d] = 0.0f;
    }
    multiply(s.count, head_dim, s.keys, (operand){scores, length, 1}, values, width,
             (target){out + first * out_stride, out_stride, .scale = 1.0f, .scales = inverses});
  }
}

CLONES void ck_temporal_attention_forward(const float *qkv, const float *bias, float *out,
                                          float *probabilities, size_t time, size_t tokens, size_t heads,
                                          size_t head_dim, size_t window, float scale) {
  size_t channels = heads * head_dim, row = tokens * 3 * channels, out_row = tokens * channels;
  size_t band = smaller(window, time), most = most_keys(band);
  float scratch[(2 + 2 * padded(head_dim) + block) * most];
  for (size_t n = 0; n < tokens; n++) {
    for (size_t h = 0; h < heads; h++) {
      const float *q = qkv + n * 3 * channels + h * head_dim, *b = bias ? bias + h * window : NULL;
      float *o = out + n * channels + h * head_dim;
      float *p = probabilities ? probabilities + (n * heads + h) * time * window : NULL;
      switch (head_dim) {
        case 16: attend(q, b, o, p, time, row, out_row, channels, 16, band, window, scale, scratch); break;
        case 32: attend(q, b, o, p, time, row, out_row, channels, 32, band, window, scale, scratch); break;
        case 64: attend(q, b, o, p, time, row, out_row, channels, 64, band, window, scale, scratch); break;
        default: attend(q, b, o, p, time, row, out_row, channels, head_dim, band, window, scale, scratch);
      }
    }
  }
}

// ---- backward ---------------------------------------------------------------------------------------------

/// Turns the kept probabilities back from distances to keys, and dP into the gradient of the scores.
INLINE void differentiate_softmax(span s, const float *kept, float *probabilities, float *slopes,
                                  float *dbias, size_t window, size_t kept_window) {
  size_t length = padded(s.keys);
  for (size_t r = 0; r < s.count; r++) {
    size_t last = s.first + r - s.start, seen = smaller(window, last + 1);
    const float *by_distance = kept + (s.first + r) * kept_window;
    float *p = probabilities + r * length, *slope = slopes + r * length;
    memset(p, 0, length * sizeof(float));
    for (size_t d = 0; d < seen; d++) p[last - d] = by_distance[d];
    vector total = 0.0f;
    for (size_t j = 0; j < length; j += lanes) total += load(p + j) * load(slope + j);
    float mean = lane_sum(total);
    for (size_t j = 0; j < length; j += lanes) store(slope + j, load(p + j) * (load(slope + j) - mean));
    for (size_t d = 0; dbias && d < seen; d++) dbias[d] += slope[last - d];
  }
}

INLINE void attend_backward(const float *q, const float *kept, const float *dout, float *dq, float *dbias,
                            size_t time, size_t row_stride, size_t out_stride, size_t channels,
                            size_t head_dim, size_t window, size_t kept_window, float scale, float *scratch) {
  size_t width = padded(head_dim), most = most_keys(window);
  float *values = scratch, *keys = values + width * most, *queries = keys + width * most;
  float *douts = queries + width * block, *probabilities = douts + width * block;
  float *slopes = probabilities + block * most;
  for (size_t first = 0; first < time; first += block) {
    span s = reach(first, time, window);
    size_t length = padded(s.keys);
    const float *k = q + s.start * row_stride + channels;
    float *dk = dq + s.start * row_stride + channels;
    pack_transposed(k + channels, row_stride, s.keys, head_dim, values);
    pack_rows(k, row_stride, s.keys, head_dim, keys);
    pack_rows(q + first * row_stride, row_stride, s.count, head_dim, queries);
    pack_rows(dout + first * out_stride, out_stride, s.count, head_dim, douts);
    multiply(s.count, length, head_dim, (operand){douts, width, 1}, values, length,
             (target){slopes, length, .scale = 1.0f});
    differentiate_softmax(s, kept, probabilities, slopes, dbias, window, kept_window);
    multiply(s.count, head_dim, s.keys, (operand){slopes, length, 1}, keys, width,
             (target){dq + first * row_stride, row_stride, scale, NULL, 1});
    multiply(s.keys, head_dim, s.count, (operand){slopes, 1, length}, queries, width,
             (target){dk, row_stride, scale, NULL, 1});
    multiply(s.keys, head_dim, s.count, (operand){probabilities, 1, length}, douts, width,
             (target){dk + channels, row_stride, 1.0f, NULL, 1});
  }
}

CLONES void ck_temporal_attention_backward(const float *qkv, const float *probabilities, const float *dout,
                                           float *dqkv, float *dbias, size_t time, size_t tokens,
                                           size_t heads, size_t head_dim, size_t window, float scale) {
  size_t channels = heads * head_dim, row = tokens * 3 * channels, out_row = tokens * channels;
  size_t band = smaller(window, time), most = most_keys(band), width = padded(head_dim);
  float scratch[2 * (width + block) * most + 2 * width * block];
  for (size_t n = 0; n < tokens; n++) {
    for (size_t h = 0; h < heads; h++) {
      size_t at = n * 3 * channels + h * head_dim;
      const float *q = qkv + at, *d = dout + n * channels + h * head_dim;
      const float *p = probabilities + (n * heads + h) * time * window;
      float *g = dqkv + at, *b = dbias ? dbias + h * window : NULL;
      switch (head_dim) {
        case 16:
          attend_backward(q, p, d, g, b, time, row, out_row, channels, 16, band, window, scale, scratch);
          break;
        case 32:
          attend_backward(q, p, d, g, b, time, row, out_row, channels, 32, band, window, scale, scratch);
          break;
        case 64:
          attend_backward(q, p, d, g, b, time, row, out_row, channels, 64, band, window, scale, scratch);
          break;
        default:
          attend_backward(q, p, d, g, b, time, row, out_row, channels, head_dim, band, window, scale,
                          scratch);
      }
    }
  }
}
