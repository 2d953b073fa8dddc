#include "CKernels.h"
#include "vector.h"

CLONES void ck_adamw(float *parameters, const float *gradients, float *first, float *second, size_t count,
                     float rate, float beta1, float beta2, float epsilon, float decay, float correction1,
                     float correction2) {
  float kept = 1.0f - rate * decay, step = rate / correction1, inverse2 = 1.0f / correction2;
  for (size_t i = 0; i < count; i++) {
    float g = gradients[i];
    float m = beta1 * first[i] + (1.0f - beta1) * g;
    float v = beta2 * second[i] + (1.0f - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    parameters[i] = kept * parameters[i] - step * m / (sqrtf(v * inverse2) + epsilon);
  }
}
