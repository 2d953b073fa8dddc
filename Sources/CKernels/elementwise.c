#include "CKernels.h"
#include "vector.h"

// gelu(x) = x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)): the tanh form, written with a sigmoid.
static const float gelu_linear = 1.5957691216f, gelu_cubic = 0.0713548163f;

// Beyond 12 the sigmoid is 0 or 1 in Float32; the limit keeps x^3 from overflowing.
INLINE vector gelu_limit(vector x) {
  x = x > 12.0f ? (vector)12.0f : x;
  return x < -12.0f ? (vector)-12.0f : x;
}

INLINE vector gelu_argument(vector z) { return z * (gelu_linear + gelu_cubic * z * z); }

CLONES void ck_gelu_forward(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i += lanes) {
    vector v = load_first(x + i, count - i, 0.0f);
    vector sigmoid = 1.0f / (1.0f + exponential(-gelu_argument(gelu_limit(v))));
    store_first(y + i, v * sigmoid, count - i);
  }
}

// With e = exp(-|u|), sigmoid (1 - sigmoid) is e / (1 + e)^2 on both sides, without cancellation.
CLONES void ck_gelu_backward(const float *x, const float *dy, float *dx, size_t count) {
  for (size_t i = 0; i < count; i += lanes) {
    vector z = gelu_limit(load_first(x + i, count - i, 0.0f));
    vector u = gelu_argument(z);
    vector e = exponential(u > 0.0f ? -u : u), r = 1.0f / (1.0f + e);
    vector slope = (u > 0.0f ? r : e * r) + e * r * r * z * (gelu_linear + 3.0f * gelu_cubic * z * z);
    vector sum = load_first(dx + i, count - i, 0.0f) + slope * load_first(dy + i, count - i, 0.0f);
    store_first(dx + i, sum, count - i);
  }
}

CLONES void ck_relu_forward(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = x[i] > 0.0f ? x[i] : 0.0f;
}

CLONES void ck_relu_backward(const float *y, const float *dy, float *dx, size_t count) {
  for (size_t i = 0; i < count; i++) dx[i] += y[i] > 0.0f ? dy[i] : 0.0f;
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
  for (size_t i = 0; i < count; i++) dx[i] += dy[i] * (1.0f - y[i] * y[i]);
}

CLONES void ck_add_scaled(const float *x, float scale, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += scale * x[i];
}

CLONES void ck_scale(float *x, float factor, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] *= factor;
}

CLONES void ck_add_bias(float *rows, const float *bias, size_t row_count, size_t channels) {
  for (size_t row = 0; row < row_count; row++, rows += channels) {
    for (size_t c = 0; c < channels; c++) rows[c] += bias[c];
  }
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

// The comparisons send NaN to 0.
CLONES void ck_unit_to_bytes(const float *x, uint8_t *y, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float unit = x[i] > 0.0f ? x[i] : 0.0f;
    unit = unit < 1.0f ? unit : 1.0f;
    y[i] = (uint8_t)(int32_t)(unit * 255.0f + 0.5f);
  }
}
