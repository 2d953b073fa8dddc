#include "CKernels.h"
#include "vector.h"

// The mean first, then the variance around it: x^2 - mean^2 would cancel on rows far from zero.
INLINE void normalize(const float *x, const float *gain, const float *bias, float *y, float *mean, float *rstd,
                      size_t rows, size_t channels, float epsilon) {
  for (size_t row = 0; row < rows; row++, x += channels, y += channels) {
    vector sum = 0.0f;
    for (size_t c = 0; c < channels; c += lanes) sum += load_first(x + c, channels - c, 0.0f);
    float average = lane_sum(sum) / (float)channels;
    vector squares = 0.0f;
    for (size_t c = 0; c < channels; c += lanes) {
      vector d = load_first(x + c, channels - c, average) - average;
      squares += d * d;
    }
    float scale = 1.0f / sqrtf(lane_sum(squares) / (float)channels + epsilon);
    mean[row] = average;
    rstd[row] = scale;
    for (size_t c = 0; c < channels; c += lanes) {
      size_t left = channels - c;
      vector normal = (load_first(x + c, left, 0.0f) - average) * scale;
      store_first(y + c, normal * load_first(gain + c, left, 0.0f) + load_first(bias + c, left, 0.0f), left);
    }
  }
}

CLONES void ck_layer_norm_forward(const float *x, const float *gain, const float *bias, float *y, float *mean,
                                  float *rstd, size_t rows, size_t channels, float epsilon) {
  // A row of known length stays in registers.
  switch (channels) {
    case 128: normalize(x, gain, bias, y, mean, rstd, rows, 128, epsilon); break;
    case 256: normalize(x, gain, bias, y, mean, rstd, rows, 256, epsilon); break;
    default: normalize(x, gain, bias, y, mean, rstd, rows, channels, epsilon);
  }
}

// With n = (x - mean) rstd and g = dy gain: dx = rstd (g - mean(g) - n mean(g n)).
CLONES void ck_layer_norm_backward(const float *dy, const float *x, const float *gain, const float *mean,
                                   const float *rstd, float *dx, float *dgain, float *dbias, size_t rows,
                                   size_t channels) {
  for (size_t row = 0; row < rows; row++, x += channels, dy += channels, dx += channels) {
    float average = mean[row], scale = rstd[row];
    vector sum = 0.0f, product = 0.0f;
    for (size_t c = 0; c < channels; c += lanes) {
      size_t left = channels - c;
      vector d = load_first(dy + c, left, 0.0f);
      vector normal = (load_first(x + c, left, 0.0f) - average) * scale;
      store_first(dgain + c, load_first(dgain + c, left, 0.0f) + d * normal, left);
      store_first(dbias + c, load_first(dbias + c, left, 0.0f) + d, left);
      vector g = d * load_first(gain + c, left, 0.0f);
      sum += g;
      product += g * normal;
    }
    float sum_mean = lane_sum(sum) / (float)channels, product_mean = lane_sum(product) / (float)channels;
    for (size_t c = 0; c < channels; c += lanes) {
      size_t left = channels - c;
      vector normal = (load_first(x + c, left, 0.0f) - average) * scale;
      vector g = load_first(dy + c, left, 0.0f) * load_first(gain + c, left, 0.0f);
      vector result = scale * (g - sum_mean - normal * product_mean);
      store_first(dx + c, load_first(dx + c, left, 0.0f) + result, left);
    }
  }
}
