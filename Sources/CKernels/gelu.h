// gelu(x) = x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)): the tanh form, written with a sigmoid.
#pragma once
#include "vector.h"

static const float gelu_linear = 1.5957691216f, gelu_cubic = 0.0713548163f;

// Beyond 6 the sigmoid is 0 or 1 to within 2e-11.
INLINE vector gelu_limit(vector x) {
  x = x > 6.0f ? (vector)6.0f : x;
  return x < -6.0f ? (vector)-6.0f : x;
}

INLINE vector gelu_argument(vector z) { return z * (gelu_linear + gelu_cubic * z * z); }

INLINE vector gelu(vector x) {
  vector y = x / (1.0f + moderate_exponential(-gelu_argument(gelu_limit(x))));
  return x < -6.0f ? (vector)0.0f : y;
}

// With e = exp(-|u|), sigmoid (1 - sigmoid) is e / (1 + e)^2 on both sides, without cancellation.
INLINE vector gelu_slope(vector x) {
  vector z = gelu_limit(x);
  vector u = gelu_argument(z);
  vector e = moderate_exponential(u > 0.0f ? -u : u), r = 1.0f / (1.0f + e);
  vector y = (u > 0.0f ? r : e * r) + e * r * r * z * (gelu_linear + 3.0f * gelu_cubic * z * z);
  return x < -6.0f ? (vector)0.0f : y;
}
