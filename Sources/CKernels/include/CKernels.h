// Loops that BLAS does not have, vectorised. All arrays are contiguous, row-major Float32 unless said otherwise;
// pointers need no particular alignment; sizes need no particular multiple. Nothing here allocates or throws.
// `ck_reference_*` (reference.h) is the same in plain scalar code, for the tests.
#pragma once
#include <stddef.h>
#include <stdint.h>

// ---- matrix product ---------------------------------------------------------------------------------------------

/// What a product's operands are rounded to; its sums, and everything else, are Float32.
typedef enum { ck_float32 = 0, ck_bfloat16 = 1 } ck_precision;

/// Whether this processor multiplies bf16. Where it does not, ck_bfloat16 means ck_float32.
int ck_has_bfloat16(void);
/// Whether it does so in tiles (AMX), which this process may use.
int ck_has_amx(void);
/// Whether it multiplies bf16 faster than Float32.
int ck_prefers_bfloat16(void);

/// Which of the processor's instructions the loops use here: on other ones the last bits of a sum may differ.
const char *ck_instruction_set(ck_precision precision);

/// What becomes of the sums y of a product, in this order; all of them NULL or 0 where it is not wanted.
typedef struct {
  const float *residual;  /// y += residual [m, n], its rows ldc apart
  const float *bias;      /// y += bias [n]
  float *sums;            /// receives y [m, n], its rows ldc apart
  int gelu;               /// C = gelu(y) instead of y
} ck_epilogue;

/// C [m, n] = epilogue(alpha op(A) op(B) + beta C). op(A) is [m, k]: A as it is, or transposed (then A is [k, m]);
/// op(B) is [k, n] likewise. Rows of A, B, C lie lda, ldb, ldc floats apart. With beta = 0, C is not read.
/// A row of C has the same bits whatever m is and whatever the other rows hold. Takes up to 600 KiB of stack.
void ck_gemm(ck_precision precision, int transpose_a, int transpose_b, size_t m, size_t n, size_t k, float alpha,
             const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc,
             ck_epilogue epilogue);

/// op(B) [k, n] as a product reads it, for weights that many products share: ck_packed_count floats.
void ck_pack(ck_precision precision, int transpose_b, size_t n, size_t k, const float *b, size_t ldb, float *packed);
size_t ck_packed_count(ck_precision precision, size_t n, size_t k);
/// C [m, n] = epilogue(A B), bit for bit what ck_gemm gives.
void ck_gemm_packed(ck_precision precision, size_t m, size_t n, size_t k, const float *a, size_t lda,
                    const float *packed, float *c, size_t ldc, ck_epilogue epilogue);

// ---- elementwise ------------------------------------------------------------------------------------------------

/// y = gelu(x), tanh form. In place is allowed.
void ck_gelu_forward(const float *x, float *y, size_t count);
/// dx = dy * gelu'(x). In place is allowed.
void ck_gelu_backward(const float *x, const float *dy, float *dx, size_t count);
/// y = max(x, 0). In place is allowed.
void ck_relu_forward(const float *x, float *y, size_t count);
/// dx = y > 0 ? dy : 0. In place is allowed.
void ck_relu_backward(const float *y, const float *dy, float *dx, size_t count);
/// y = tanh(x). In place is allowed.
void ck_tanh_forward(const float *x, float *y, size_t count);
/// dx = dy * (1 - y * y). In place is allowed.
void ck_tanh_backward(const float *y, const float *dy, float *dx, size_t count);
/// y += scale * x
void ck_add_scaled(const float *x, float scale, float *y, size_t count);
/// x *= factor
void ck_scale(float *x, float factor, size_t count);
/// sums[c] += sum over rows of x[row, c]
void ck_sum_rows(const float *x, float *sums, size_t row_count, size_t channels);
/// Sum of squares, for gradient norms; accumulated in double.
double ck_sum_squares(const float *x, size_t count);
/// y[i] = x[i] / 255
void ck_bytes_to_unit(const uint8_t *x, float *y, size_t count);

// ---- layer norm -------------------------------------------------------------------------------------------------

/// y = (x - mean) * rstd * gain + bias, each row by itself; keeps mean and rstd [rows] for the backward pass.
void ck_layer_norm_forward(const float *x, const float *gain, const float *bias, float *y, float *mean, float *rstd,
                           size_t rows, size_t channels, float epsilon);
/// dx, dgain, dbias accumulate.
void ck_layer_norm_backward(const float *dy, const float *x, const float *gain, const float *mean, const float *rstd,
                            float *dx, float *dgain, float *dbias, size_t rows, size_t channels);

// ---- attention, read in place from qkv --------------------------------------------------------------------------
// qkv: [time, tokens, 3, heads, head_dim] (a row of 3 * channels: q, then k, then v); out: [time, tokens, heads, head_dim].
// scale is 1 / sqrt(head_dim). head_dim is any number from 1 on.

/// Every token of a frame attends to all tokens of the same frame. Softmax(q k^T scale + bias) v.
/// bias: [heads, tokens, tokens] (query, key), or NULL.
/// probabilities: [time, heads, tokens, tokens], kept for the backward pass, or NULL.
/// Only the queries first ..< first + count are computed (out: [time, count, heads, head_dim]); with probabilities, all.
/// scratch: ck_spatial_attention_scratch(tokens) floats.
/// bf16 is the precision of the operands of the products, here and in the backward pass.
void ck_spatial_attention_forward(ck_precision precision, const float *qkv, const float *bias, float *out,
                                  float *probabilities, float *scratch, size_t time, size_t tokens, size_t first,
                                  size_t count, size_t heads, size_t head_dim, float scale);
/// dqkv (all of q, k, v) and dbias (or NULL) accumulate.
void ck_spatial_attention_backward(ck_precision precision, const float *qkv, const float *probabilities,
                                   const float *dout, float *dqkv, float *dbias, float *scratch, size_t time,
                                   size_t tokens, size_t heads, size_t head_dim, float scale);
size_t ck_spatial_attention_scratch(size_t tokens);

/// Every token attends to itself and to the same position in the window - 1 frames before it (banded, causal).
/// bias: [heads, window], by distance (query time - key time), or NULL.
/// probabilities: [tokens, heads, time, window] (by distance), kept for the backward pass, or NULL.
void ck_temporal_attention_forward(const float *qkv, const float *bias, float *out, float *probabilities, size_t time,
                                   size_t tokens, size_t heads, size_t head_dim, size_t window, float scale);
/// dqkv and dbias (or NULL) accumulate.
void ck_temporal_attention_backward(const float *qkv, const float *probabilities, const float *dout, float *dqkv,
                                    float *dbias, size_t time, size_t tokens, size_t heads, size_t head_dim,
                                    size_t window, float scale);

/// One new frame against the ring of cached frames. First writes this frame's keys and values into ring place `place`,
/// then attends. qkv: [tokens, 3, heads, head_dim]; keys: [tokens, heads, head_dim, window] (transposed, so that one
/// score row is one vector); values: [tokens, heads, window, head_dim]; both of the given precision (bf16 has two
/// bytes, on every processor), read and written by no wider than that;
/// ring_bias: [heads, window] by ring place, -INFINITY for places that hold no frame yet (this frame's place is finite).
void ck_temporal_attention_cached(ck_precision precision, const float *qkv, void *keys, void *values, const float *ring_bias, float *out,
                                  size_t place, size_t tokens, size_t heads, size_t head_dim, size_t window, float scale);

// ---- classification and sampling --------------------------------------------------------------------------------

/// Softmax cross-entropy with its gradient. weights: [rows] or NULL (all 1). dlogits = weight * scale * (softmax - onehot)
/// overwrites and may alias logits, or is NULL. Returns the sum of weight * loss; *correct (or NULL) gets the number of
/// rows of non-zero weight whose arg-max is the target. Rows of zero weight get a zero gradient.
double ck_cross_entropy(const float *logits, const int32_t *targets, const float *weights, float scale, float *dlogits,
                        size_t *correct, size_t rows, size_t classes);
/// y = softmax(x) by rows. In place is allowed.
void ck_softmax(const float *x, float *y, size_t rows, size_t classes);
/// codes[i] = arg-max of the row (the first of equals).
void ck_argmax_rows(const float *x, int32_t *codes, size_t rows, size_t classes);
/// Draws one code a row from softmax(logits / temperature) with the row's uniform number in 0..<1 (inverse of the
/// cumulative sum, in class order); temperature 0 is arg-max. A code whose probability (temperature 1) is below `least` times
/// the likeliest's is not drawn. log_likelihoods[i]: log softmax (temperature 1) of the drawn
/// code; entropies[i] (or NULL): entropy of softmax (temperature 1), in nats. A row's result depends on that row alone.
/// scratch: `classes` floats.
void ck_sample_rows(const float *logits, const float *uniforms, float temperature, float least, int32_t *codes,
                    float *log_likelihoods, float *entropies, float *scratch, size_t rows, size_t classes);

// ---- convolution (with a GEMM between) --------------------------------------------------------------------------

/// image: [height, width, channels] -> columns: [out_height * out_width, kernel * kernel * channels]; zero padding.
/// out_height = (height + 2 * padding - kernel) / stride + 1.
void ck_im2col(const float *image, float *columns, size_t height, size_t width, size_t channels, size_t kernel,
               size_t stride, size_t padding);
/// The adjoint: image += columns.
void ck_col2im(const float *columns, float *image, size_t height, size_t width, size_t channels, size_t kernel,
               size_t stride, size_t padding);

// ---- optimizers -------------------------------------------------------------------------------------------------

/// One pass of AdamW. correction1 = 1 - beta1^t, correction2 = 1 - beta2^t.
/// p = p * (1 - rate * decay) - rate * (m / correction1) / (sqrt(v / correction2) + epsilon)
void ck_adamw(float *parameters, const float *gradients, float *first, float *second, size_t count, float rate,
              float beta1, float beta2, float epsilon, float decay, float correction1, float correction2);

// ---- the same, plain and slow, for the tests ------------------------------------------------------------------
#include "reference.h"
#include "peak.h"
