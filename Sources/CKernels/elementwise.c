#include "CKernels.h"
#include "gelu.h"

CLONES void ck_gelu_forward(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i += lanes) {
    store_first(y + i, gelu(load_first(x + i, count - i, 0.0f)), count - i);
  }
}

CLONES void ck_gelu_backward(const float *x, const float *dy, float *dx, size_t count) {
  for (size_t i = 0; i < count; i += lanes) {
    vector slope = gelu_slope(load_first(x + i, count - i, 0.0f));
    store_first(dx + i, slope * load_first(dy + i, count - i, 0.0f), count - i);
  }
}

CLONES void ck_relu_forward(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] > 0.0f ? x[i] : 0.0f;
}

CLONES void ck_relu_backward(const float *y, const float *dy, float *dx, size_t count) {
  for (size_t i = 0; i < count; i++) dx[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

// An odd polynomial near 0, where 1 - 2 / (e^2x + 1) would cancel.
CLONES void ck_tanh_forward(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i += lanes) {
    vector v = load_first(x + i, count - i, 0.0f);
    vector square = v * v;
    vector p = square * -5.70498872745e-3f + 2.06390887954e-2f;
    p = p * square - 5.37397155531e-2f;
    p = p * square + 1.33314422036e-1f;
    p = p * square - 3.33332819422e-1f;
    p = p * square * v + v;
    vector far = 1.0f - 2.0f / (exponential(2.0f * v) + 1.0f);
    store_first(y + i, square < 0.390625f ? p : far, count - i);
  }
}

CLONES void ck_tanh_backward(const float *y, const float *dy, float *dx, size_t count) {
  for (size_t i = 0; i < count; i++) dx[i] = dy[i] * (1.0f - y[i] * y[i]);
}

CLONES void ck_add_scaled(const float *x, float scale, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += scale * x[i];
}

CLONES void ck_scale(float *x, float factor, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] *= factor;
}

// Four rows a pass: a quarter of the traffic on `sums`.
CLONES void ck_sum_rows(const float *x, float *sums, size_t row_count, size_t channels) {
  size_t row = 0;
  for (; row + 4 <= row_count; row += 4, x += 4 * channels) {
    const float *b = x + channels, *c = b + channels, *d = c + channels;
    for (size_t i = 0; i < channels; i++) sums[i] += (x[i] + b[i]) + (c[i] + d[i]);
  }
  for (; row < row_count; row++, x += channels) {
    for (size_t i = 0; i < channels; i++) sums[i] += x[i];
  }
}

CLONES double ck_sum_squares(const float *x, size_t count) {
#pragma clang fp reassociate(on)
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}

CLONES void ck_bytes_to_unit(const uint8_t *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = (float)x[i] / 255.0f;
}
