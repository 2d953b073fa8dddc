#include "CKernels.h"
#include "vector.h"

CLONES void ck_adamw(float *parameters, const float *gradients, float *first, float *second, size_t count,
                     float rate, float beta1, float beta2, float epsilon, float decay, float correction1,
                     float correction2) {
  float kept = 1.0f - rate * decay, step = rate / correction1, inverse2 = 1.0f / correction2;
  for (size_t i = 0; i < count; i += lanes) {
    size_t left = count - i;
    vector g = load_first(gradients + i, left, 0.0f);
    vector m = beta1 * load_first(first + i, left, 0.0f) + (1.0f - beta1) * g;
    vector v = beta2 * load_first(second + i, left, 0.0f) + (1.0f - beta2) * (g * g);
    store_first(first + i, m, left);
    store_first(second + i, v, left);
    vector change = step * m / (__builtin_elementwise_sqrt(v * inverse2) + epsilon);
    store_first(parameters + i, kept * load_first(parameters + i, left, 0.0f) - change, left);
  }
}
