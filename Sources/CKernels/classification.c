#include "CKernels.h"
#include "vector.h"

INLINE float row_maximum(const float *x, size_t classes) {
  vector top = -INFINITY;
  for (size_t c = 0; c < classes; c += lanes) top = maximum(load_first(x + c, classes - c, -INFINITY), top);
  return lane_maximum(top);
}

INLINE size_t first_equal(const float *x, float value, size_t classes) {
  for (size_t c = 0; c < classes; c++) {
    if (x[c] == value) return c;
  }
  return 0;
}

/// y = e^((x - top) factor), or nothing is kept where y is NULL; returns the sum.
INLINE float exponentials(const float *x, float top, float factor, float *y, size_t classes) {
  vector total = 0.0f;
  for (size_t c = 0; c < classes; c += lanes) {
    vector e = exponential((load_first(x + c, classes - c, -INFINITY) - top) * factor);
    total += e;
    if (y) store_first(y + c, e, classes - c);
  }
  return lane_sum(total);
}

INLINE void scale_row(float *x, float factor, size_t classes) {
  for (size_t c = 0; c < classes; c++) x[c] *= factor;
}

CLONES double ck_cross_entropy(const float *logits, const int32_t *targets, const float *weights, float scale,
                               float *dlogits, size_t *correct, size_t rows, size_t classes) {
  double loss = 0;
  size_t hits = 0;
  for (size_t row = 0; row < rows; row++) {
    const float *x = logits + row * classes;
    float *dx = dlogits ? dlogits + row * classes : NULL;
    float weight = weights ? weights[row] : 1.0f;
    if (weight == 0.0f) {
      for (size_t c = 0; dx && c < classes; c++) dx[c] = 0.0f;
      continue;
    }
    size_t target = (size_t)targets[row];
    float top = row_maximum(x, classes), chosen = x[target];
    if (correct && chosen == top) hits += first_equal(x, top, classes) == target;
    float sum = exponentials(x, top, 1.0f, dx, classes);
    loss += (double)weight * (log((double)sum) + ((double)top - (double)chosen));
    if (!dx) continue;
    scale_row(dx, weight * scale / sum, classes);
    dx[target] -= weight * scale;
  }
  if (correct) *correct = hits;
  return loss;
}

CLONES void ck_softmax(const float *x, float *y, size_t rows, size_t classes) {
  for (size_t row = 0; row < rows; row++, x += classes, y += classes) {
    float sum = exponentials(x, row_maximum(x, classes), 1.0f, y, classes);
    scale_row(y, 1.0f / sum, classes);
  }
}

CLONES void ck_argmax_rows(const float *x, int32_t *codes, size_t rows, size_t classes) {
  for (size_t row = 0; row < rows; row++, x += classes) {
    codes[row] = (int32_t)first_equal(x, row_maximum(x, classes), classes);
  }
}

/// The first place where the cumulative sum passes the threshold: by sixteens, then one by one. Where
/// rounding leaves the threshold at the very end, the last place that is not zero.
INLINE size_t pass_threshold(const float *x, float threshold, size_t classes) {
  float before = 0.0f, cumulative = 0.0f;
  size_t block = 0;
  for (size_t c = 0; c < classes; c += lanes) {
    float sum = lane_sum(load_first(x + c, classes - c, 0.0f));
    if (!(sum > 0.0f)) continue;
    block = c;
    before = cumulative;
    cumulative += sum;
    if (cumulative > threshold) break;
  }
  size_t last = block;
  for (size_t c = block; c < smaller(block + lanes, classes); c++) {
    if (!(x[c] > 0.0f)) continue;
    last = c;
    before += x[c];
    if (before > threshold) break;
  }
  return last;
}

/// Sets what is below the floor to 0 and returns the sum of the rest.
INLINE float keep_from(float floor, float *x, size_t classes) {
  for (size_t c = 0; c < classes; c++) x[c] = x[c] >= floor ? x[c] : 0.0f;
  vector sum = 0.0f;
  for (size_t c = 0; c < classes; c += lanes) sum += load_first(x + c, classes - c, 0.0f);
  return lane_sum(sum);
}

CLONES void ck_sample_rows(const float *logits, const float *uniforms, float temperature, float least,
                           int32_t *codes, float *log_likelihoods, float *entropies, float *scratch,
                           size_t rows, size_t classes) {
  for (size_t row = 0; row < rows; row++) {
    const float *x = logits + row * classes;
    float top = row_maximum(x, classes);
    size_t code;
    if (temperature > 1e-30f) {  // below it, the reciprocal would overflow
      float total = exponentials(x, top, 1.0f / temperature, scratch, classes);
      if (least > 0.0f) total = keep_from(powf(least, 1.0f / temperature), scratch, classes);
      code = pass_threshold(scratch, uniforms[row] * total, classes);
    } else {
      code = first_equal(x, top, classes);
    }
    vector sum = 0.0f, product = 0.0f;
    for (size_t c = 0; c < classes; c += lanes) {
      vector z = load_first(x + c, classes - c, -INFINITY) - top;
      vector e = exponential(z);
      sum += e;
      product += e * maximum(z, -100.0f);  // e is 0 there, and 0 * -INFINITY would be NaN
    }
    float total = lane_sum(sum), log_total = logf(total);
    codes[row] = (int32_t)code;
    log_likelihoods[row] = x[code] - top - log_total;
    if (entropies) entropies[row] = log_total - lane_sum(product) / total;
  }
}
