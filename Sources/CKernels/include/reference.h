// The kernels of CKernels.h once more, in plain scalar code with sums in double: what the tests compare with.
// Meanings and shapes are those of the kernel of the same name; where one takes more arguments, this is what it does without them.
#pragma once
#include <stddef.h>
#include <stdint.h>

void ck_reference_gemm(int transpose_a, int transpose_b, size_t m, size_t n, size_t k, float alpha, const float *a,
                       size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc);

void ck_reference_gelu_forward(const float *x, float *y, size_t count);
void ck_reference_gelu_backward(const float *x, const float *dy, float *dx, size_t count);
void ck_reference_relu_forward(const float *x, float *y, size_t count);
void ck_reference_relu_backward(const float *y, const float *dy, float *dx, size_t count);
void ck_reference_tanh_forward(const float *x, float *y, size_t count);
void ck_reference_tanh_backward(const float *y, const float *dy, float *dx, size_t count);
void ck_reference_add_scaled(const float *x, float scale, float *y, size_t count);
void ck_reference_scale(float *x, float factor, size_t count);
void ck_reference_sum_rows(const float *x, float *sums, size_t row_count, size_t channels);
double ck_reference_sum_squares(const float *x, size_t count);
void ck_reference_bytes_to_unit(const uint8_t *x, float *y, size_t count);
void ck_reference_layer_norm_forward(const float *x, const float *gain, const float *bias, float *y,
                                     float *mean, float *rstd, size_t rows, size_t channels, float epsilon);
void ck_reference_layer_norm_backward(const float *dy, const float *x, const float *gain, const float *mean,
                                      const float *rstd, float *dx, float *dgain, float *dbias, size_t rows,
                                      size_t channels);
/// In Float32 whatever the precision.
void ck_reference_spatial_attention_forward(ck_precision precision, const float *qkv, const float *bias,
                                            float *out, float *probabilities, float *scratch, size_t time,
                                            size_t tokens, size_t first, size_t count, size_t heads,
                                            size_t head_dim, float scale);
void ck_reference_spatial_attention_backward(const float *qkv, const float *probabilities, const float *dout,
                                             float *dqkv, float *dbias, float *scratch, size_t time,
                                             size_t tokens, size_t heads, size_t head_dim, float scale);
void ck_reference_temporal_attention_forward(const float *qkv, const float *bias, float *out,
                                             float *probabilities, size_t time, size_t tokens, size_t heads,
                                             size_t head_dim, size_t window, float scale);
void ck_reference_temporal_attention_backward(const float *qkv, const float *probabilities, const float *dout,
                                              float *dqkv, float *dbias, size_t time, size_t tokens,
                                              size_t heads, size_t head_dim, size_t window, float scale);
/// Keys and values are floats, rounded to the precision.
void ck_reference_temporal_attention_cached(ck_precision precision, const float *qkv, float *keys, float *values,
                                            const float *ring_bias, float *out, size_t place, size_t tokens,
                                            size_t heads, size_t head_dim, size_t window, float scale);
double ck_reference_cross_entropy(const float *logits, const int32_t *targets, const float *weights,
                                  float scale, float *dlogits, size_t *correct, size_t rows, size_t classes);
void ck_reference_softmax(const float *x, float *y, size_t rows, size_t classes);
void ck_reference_argmax_rows(const float *x, int32_t *codes, size_t rows, size_t classes);
void ck_reference_sample_rows(const float *logits, const float *uniforms, float temperature, int32_t *codes,
                              float *log_likelihoods, float *entropies, float *scratch, size_t rows,
                              size_t classes);
void ck_reference_im2col(const float *image, float *columns, size_t height, size_t width, size_t channels,
                         size_t kernel, size_t stride, size_t padding);
void ck_reference_col2im(const float *columns, float *image, size_t height, size_t width, size_t channels,
                         size_t kernel, size_t stride, size_t padding);
void ck_reference_adamw(float *parameters, const float *gradients, float *first, float *second, size_t count,
                        float rate, float beta1, float beta2, float epsilon, float decay, float correction1,
                        float correction2);
