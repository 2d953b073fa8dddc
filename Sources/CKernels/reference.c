#include "CKernels.h"
#include <math.h>
#include <stdlib.h>

// ---- matrix product ---------------------------------------------------------------------------------------

void ck_reference_gemm(int transpose_a, int transpose_b, size_t m, size_t n, size_t k, float alpha,
                       const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
                       size_t ldc) {
  for (size_t i = 0; i < m * n; i++) {
    size_t row = i / n, column = i % n;
    double sum = 0;
    for (size_t j = 0; j < k; j++) {
      double x = transpose_a ? a[j * lda + row] : a[row * lda + j];
      sum += x * (transpose_b ? b[column * ldb + j] : b[j * ldb + column]);
    }
    float *to = c + row * ldc + column;
    *to = (float)(alpha * sum + (beta == 0 ? 0 : (double)beta * *to));
  }
}

// ---- elementwise ------------------------------------------------------------------------------------------

static double gelu(double x) { return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))); }

static double gelu_slope(double x) {
  double t = tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x * x);
}

void ck_reference_gelu_forward(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = (float)gelu(x[i]);
}

void ck_reference_gelu_backward(const float *x, const float *dy, float *dx, size_t count) {
  for (size_t i = 0; i < count; i++) dx[i] = (float)(dy[i] * gelu_slope(x[i]));
}

void ck_reference_relu_forward(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = fmaxf(x[i], 0);
}

void ck_reference_relu_backward(const float *y, const float *dy, float *dx, size_t count) {
  for (size_t i = 0; i < count; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
}

void ck_reference_tanh_forward(const float *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = (float)tanh(x[i]);
}

void ck_reference_tanh_backward(const float *y, const float *dy, float *dx, size_t count) {
  for (size_t i = 0; i < count; i++) dx[i] = (float)(dy[i] * (1 - (double)y[i] * y[i]));
}

void ck_reference_add_scaled(const float *x, float scale, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = (float)(y[i] + (double)scale * x[i]);
}

void ck_reference_scale(float *x, float factor, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] *= factor;
}

void ck_reference_sum_rows(const float *x, float *sums, size_t row_count, size_t channels) {
  for (size_t c = 0; c < channels; c++) {
    double sum = sums[c];
    for (size_t row = 0; row < row_count; row++) sum += x[row * channels + c];
    sums[c] = (float)sum;
  }
}

double ck_reference_sum_squares(const float *x, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += (double)x[i] * x[i];
  return sum;
}

void ck_reference_bytes_to_unit(const uint8_t *x, float *y, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] = (float)(x[i] / 255.0);
}

// ---- layer norm -------------------------------------------------------------------------------------------

void ck_reference_layer_norm_forward(const float *x, const float *gain, const float *bias, float *y,
                                     float *mean, float *rstd, size_t rows, size_t channels, float epsilon) {
  for (size_t row = 0; row < rows; row++, x += channels, y += channels) {
    double sum = 0, squares = 0;
    for (size_t c = 0; c < channels; c++) sum += x[c];
    double average = sum / channels;
    for (size_t c = 0; c < channels; c++) squares += (x[c] - average) * (x[c] - average);
    double scale = 1 / sqrt(squares / channels + epsilon);
    mean[row] = (float)average;
    rstd[row] = (float)scale;
    for (size_t c = 0; c < channels; c++) y[c] = (float)((x[c] - average) * scale * gain[c] + bias[c]);
  }
}

void ck_reference_layer_norm_backward(const float *dy, const float *x, const float *gain, const float *mean,
                                      const float *rstd, float *dx, float *dgain, float *dbias, size_t rows,
                                      size_t channels) {
  for (size_t row = 0; row < rows; row++, x += channels, dy += channels, dx += channels) {
    double sum = 0, product = 0;
    for (size_t c = 0; c < channels; c++) {
      double normal = ((double)x[c] - mean[row]) * rstd[row], g = (double)dy[c] * gain[c];
      sum += g / channels;
      product += g * normal / channels;
      dgain[c] += (float)(dy[c] * normal);
      dbias[c] += dy[c];
    }
    for (size_t c = 0; c < channels; c++) {
      double normal = ((double)x[c] - mean[row]) * rstd[row], g = (double)dy[c] * gain[c];
      dx[c] += (float)(rstd[row] * (g - sum - normal * product));
    }
  }
}

// ---- attention --------------------------------------------------------------------------------------------

static double dot(const float *a, const float *b, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) sum += (double)a[i] * b[i];
  return sum;
}

/// One query against `count` keys, `stride` floats apart (backwards in time when negative), values after the
/// keys.
static void attend(const float *q, const float *keys, ptrdiff_t stride, size_t channels, const float *bias,
                   float *out, float *probabilities, size_t count, size_t head_dim, double scale) {
  double *weights = malloc(count * sizeof(double)), top = -INFINITY, total = 0;
  for (size_t j = 0; j < count; j++) {
    weights[j] = dot(q, keys + (ptrdiff_t)j * stride, head_dim) * scale + (bias ? bias[j] : 0);
    top = fmax(top, weights[j]);
  }
  for (size_t j = 0; j < count; j++) total += weights[j] = exp(weights[j] - top);
  for (size_t j = 0; probabilities && j < count; j++) probabilities[j] = (float)(weights[j] / total);
  for (size_t d = 0; d < head_dim; d++) {
    double sum = 0;
    for (size_t j = 0; j < count; j++)
      sum += weights[j] / total * (keys + (ptrdiff_t)j * stride)[channels + d];
    out[d] = (float)sum;
  }
  free(weights);
}

static void attend_backward(const float *q, const float *keys, ptrdiff_t stride, size_t channels,
                            const float *probabilities, const float *dout, float *dq, float *dkeys,
                            float *dbias, size_t count, size_t head_dim, double scale) {
  double mean = 0;
  for (size_t j = 0; j < count; j++) {
    mean += probabilities[j] * dot(dout, keys + (ptrdiff_t)j * stride + (ptrdiff_t)channels, head_dim);
  }
  for (size_t j = 0; j < count; j++) {
    const float *k = keys + (ptrdiff_t)j * stride, *v = k + channels;
    float *dk = dkeys + (ptrdiff_t)j * stride, *dv = dk + channels;
    double slope = probabilities[j] * (dot(dout, v, head_dim) - mean);
    if (dbias) dbias[j] += (float)slope;
    for (size_t d = 0; d < head_dim; d++) {
      dq[d] += (float)(slope * scale * k[d]);
      dk[d] += (float)(slope * scale * q[d]);
      dv[d] += probabilities[j] * dout[d];
    }
  }
}

void ck_reference_spatial_attention_forward(ck_precision precision, const float *qkv, const float *bias,
                                            float *out, float *probabilities, float *scratch, size_t time,
                                            size_t tokens, size_t first, size_t count, size_t heads,
                                            size_t head_dim, float scale) {
  (void)scratch, (void)precision;
  size_t channels = heads * head_dim;
  for (size_t i = 0; i < time * count * heads; i++) {
    size_t h = i % heads, n = first + i / heads % count, t = i / heads / count;
    const float *frame = qkv + t * tokens * 3 * channels + h * head_dim;
    attend(frame + n * 3 * channels, frame + channels, (ptrdiff_t)(3 * channels), channels,
           bias ? bias + (h * tokens + n) * tokens : NULL, out + i * head_dim,
           probabilities ? probabilities + ((t * heads + h) * tokens + n) * tokens : NULL, tokens, head_dim,
           scale);
  }
}

void ck_reference_spatial_attention_backward(const float *qkv, const float *probabilities, const float *dout,
                                             float *dqkv, float *dbias, float *scratch, size_t time,
                                             size_t tokens, size_t heads, size_t head_dim, float scale) {
  (void)scratch;
  size_t channels = heads * head_dim;
  for (size_t i = 0; i < time * tokens * heads; i++) {
    size_t h = i % heads, n = i / heads % tokens, t = i / heads / tokens;
    size_t frame = t * tokens * 3 * channels + h * head_dim, query = frame + n * 3 * channels;
    attend_backward(qkv + query, qkv + frame + channels, (ptrdiff_t)(3 * channels), channels,
                    probabilities + ((t * heads + h) * tokens + n) * tokens, dout + i * head_dim,
                    dqkv + query, dqkv + frame + channels, dbias ? dbias + (h * tokens + n) * tokens : NULL,
                    tokens, head_dim, scale);
  }
}

void ck_reference_temporal_attention_forward(const float *qkv, const float *bias, float *out,
                                             float *probabilities, size_t time, size_t tokens, size_t heads,
                                             size_t head_dim, size_t window, float scale) {
  size_t channels = heads * head_dim;
  for (size_t i = 0; i < time * tokens * heads; i++) {
    size_t h = i % heads, n = i / heads % tokens, t = i / heads / tokens, count = t < window ? t + 1 : window;
    const float *q = qkv + (t * tokens + n) * 3 * channels + h * head_dim;
    float *p = probabilities ? probabilities + ((n * heads + h) * time + t) * window : NULL;
    for (size_t d = count; p && d < window; d++) p[d] = 0;
    attend(q, q + channels, -(ptrdiff_t)(tokens * 3 * channels), channels, bias ? bias + h * window : NULL,
           out + i * head_dim, p, count, head_dim, scale);
  }
}

void ck_reference_temporal_attention_backward(const float *qkv, const float *probabilities, const float *dout,
                                              float *dqkv, float *dbias, size_t time, size_t tokens,
                                              size_t heads, size_t head_dim, size_t window, float scale) {
  size_t channels = heads * head_dim;
  for (size_t i = 0; i < time * tokens * heads; i++) {
    size_t h = i % heads, n = i / heads % tokens, t = i / heads / tokens, count = t < window ? t + 1 : window;
    size_t query = (t * tokens + n) * 3 * channels + h * head_dim;
    attend_backward(qkv + query, qkv + query + channels, -(ptrdiff_t)(tokens * 3 * channels), channels,
                    probabilities + ((n * heads + h) * time + t) * window, dout + i * head_dim, dqkv + query,
                    dqkv + query + channels, dbias ? dbias + h * window : NULL, count, head_dim, scale);
  }
}

/// A number as a cache of this precision keeps it.
static float kept(ck_precision precision, float x) {
  if (precision == ck_float32) return x;
  union {
    float value;
    uint32_t bits;
  } u = {x};
  uint32_t half = 0x7fff + (u.bits >> 16 & 1);
  u.bits = (u.bits + half) & 0xffff0000u;
  return u.value;
}

void ck_reference_temporal_attention_cached(ck_precision precision, const float *qkv, float *keys, float *values,
                                            const float *ring_bias, float *out, size_t place, size_t tokens,
                                            size_t heads, size_t head_dim, size_t window, float scale) {
  size_t channels = heads * head_dim;
  for (size_t i = 0; i < tokens * heads; i++) {
    const float *q = qkv + i / heads * 3 * channels + i % heads * head_dim,
                *bias = ring_bias + i % heads * window;
    float *k = keys + i * head_dim * window, *v = values + i * window * head_dim;
    double weights[window], top = -INFINITY, total = 0;
    for (size_t d = 0; d < head_dim; d++) k[d * window + place] = kept(precision, q[channels + d]);
    for (size_t d = 0; d < head_dim; d++) v[place * head_dim + d] = kept(precision, q[2 * channels + d]);
    for (size_t w = 0; w < window; w++) {
      double sum = 0;
      for (size_t d = 0; d < head_dim; d++) sum += (double)q[d] * k[d * window + w];
      weights[w] = isinf(bias[w]) ? -INFINITY : sum * scale + bias[w];
      top = fmax(top, weights[w]);
    }
    for (size_t w = 0; w < window; w++) total += weights[w] = exp(weights[w] - top);
    for (size_t d = 0; d < head_dim; d++) {
      double sum = 0;
      for (size_t w = 0; w < window; w++)
        sum += weights[w] > 0 ? weights[w] / total * v[w * head_dim + d] : 0;
      out[i * head_dim + d] = (float)sum;
    }
  }
}

// ---- classification and sampling --------------------------------------------------------------------------

static size_t largest(const float *x, size_t classes) {
  size_t best = 0;
  for (size_t c = 1; c < classes; c++) best = x[c] > x[best] ? c : best;
  return best;
}

/// log sum e^x
static double log_sum(const float *x, size_t classes) {
  double top = x[largest(x, classes)], sum = 0;
  for (size_t c = 0; c < classes; c++) sum += exp(x[c] - top);
  return log(sum) + top;
}

double ck_reference_cross_entropy(const float *logits, const int32_t *targets, const float *weights,
                                  float scale, float *dlogits, size_t *correct, size_t rows, size_t classes) {
  double loss = 0;
  if (correct) *correct = 0;
  for (size_t row = 0; row < rows; row++) {
    const float *x = logits + row * classes;
    size_t target = (size_t)targets[row];
    double weight = weights ? weights[row] : 1, total = log_sum(x, classes);
    if (weight != 0) loss += weight * (total - x[target]);
    if (correct && weight != 0 && largest(x, classes) == target) *correct += 1;
    for (size_t c = 0; dlogits && c < classes; c++) {
      dlogits[row * classes + c] = (float)(weight * scale * (exp(x[c] - total) - (c == target)));
    }
  }
  return loss;
}

void ck_reference_softmax(const float *x, float *y, size_t rows, size_t classes) {
  for (size_t row = 0; row < rows; row++, x += classes, y += classes) {
    double total = log_sum(x, classes);
    for (size_t c = 0; c < classes; c++) y[c] = (float)exp(x[c] - total);
  }
}

void ck_reference_argmax_rows(const float *x, int32_t *codes, size_t rows, size_t classes) {
  for (size_t row = 0; row < rows; row++) codes[row] = (int32_t)largest(x + row * classes, classes);
}

void ck_reference_sample_rows(const float *logits, const float *uniforms, float temperature, int32_t *codes,
                              float *log_likelihoods, float *entropies, float *scratch, size_t rows,
                              size_t classes) {
  (void)scratch;
  for (size_t row = 0; row < rows; row++) {
    const float *x = logits + row * classes;
    size_t code = largest(x, classes);
    double top = x[code], sum = 0, cumulative = 0, total = log_sum(x, classes), entropy = 0;
    if (temperature > 0) {
      for (size_t c = 0; c < classes; c++) sum += exp((x[c] - top) / temperature);
      for (size_t c = 0; c < classes; c++) {
        double e = exp((x[c] - top) / temperature);
        cumulative += e;
        if (e > 0) code = c;
        if (cumulative > uniforms[row] * sum) break;
      }
    }
    for (size_t c = 0; c < classes; c++) {
      double p = exp(x[c] - total);
      if (p > 0) entropy -= p * (x[c] - total);
    }
    codes[row] = (int32_t)code;
    log_likelihoods[row] = (float)(x[code] - total);
    if (entropies) entropies[row] = (float)entropy;
  }
}

// ---- convolution ------------------------------------------------------------------------------------------

/// Calls `body` with the place in the columns and in the image of everything that is not padding.
static void for_each_tap(size_t height, size_t width, size_t channels, size_t kernel, size_t stride,
                         size_t padding, void (*body)(size_t column, size_t pixel, void *context),
                         void *context) {
  size_t out_width = (width + 2 * padding - kernel) / stride + 1;
  size_t rows = ((height + 2 * padding - kernel) / stride + 1) * out_width,
         length = kernel * kernel * channels;
  for (size_t i = 0; i < rows * length; i++) {
    size_t c = i % channels, kx = i / channels % kernel, ky = i / channels / kernel % kernel,
           row = i / length;
    size_t y = row / out_width * stride + ky, x = row % out_width * stride + kx;
    if (y < padding || x < padding || y >= height + padding || x >= width + padding) continue;
    body(i, ((y - padding) * width + x - padding) * channels + c, context);
  }
}

typedef struct {
  const float *from;
  float *to;
} copy;

static void gather(size_t column, size_t pixel, void *context) {
  copy *c = context;
  c->to[column] = c->from[pixel];
}

static void scatter(size_t column, size_t pixel, void *context) {
  copy *c = context;
  c->to[pixel] += c->from[column];
}

void ck_reference_im2col(const float *image, float *columns, size_t height, size_t width, size_t channels,
                         size_t kernel, size_t stride, size_t padding) {
  copy c = {image, columns};
  size_t rows =
      ((height + 2 * padding - kernel) / stride + 1) * ((width + 2 * padding - kernel) / stride + 1);
  for (size_t i = 0; i < rows * kernel * kernel * channels; i++) columns[i] = 0;
  for_each_tap(height, width, channels, kernel, stride, padding, gather, &c);
}

void ck_reference_col2im(const float *columns, float *image, size_t height, size_t width, size_t channels,
                         size_t kernel, size_t stride, size_t padding) {
  copy c = {columns, image};
  for_each_tap(height, width, channels, kernel, stride, padding, scatter, &c);
}

// ---- optimizers -------------------------------------------------------------------------------------------

void ck_reference_adamw(float *parameters, const float *gradients, float *first, float *second, size_t count,
                        float rate, float beta1, float beta2, float epsilon, float decay, float correction1,
                        float correction2) {
  for (size_t i = 0; i < count; i++) {
    double g = gradients[i], m = beta1 * first[i] + (1.0 - beta1) * g,
           v = beta2 * second[i] + (1.0 - beta2) * g * g;
    first[i] = (float)m;
    second[i] = (float)v;
    double step = rate * (m / correction1) / (sqrt(v / correction2) + epsilon);
    parameters[i] = (float)(parameters[i] * (1.0 - (double)rate * decay) - step);
  }
}
