#include "bfloat16.h"

#ifdef HAS_BFLOAT16
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4,avx512bf16"))), apply_to = function)
void ck_multiply_bfloat16(product p) { multiply_blocks(8, 2, p); }
void ck_pack_bfloat16(operand b, size_t depth, size_t columns, float *panels) {
  pack_panels(2, b, depth, columns, panels);
}
#pragma clang attribute pop

int ck_has_bfloat16(void) { return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("x86-64-v4"); }
// Zen 5 multiplies bf16 at twice the rate of Float32 (`ck_peak_bfloat16`), an Intel processor with AVX-512 and no AMX at half of it.
int ck_prefers_bfloat16(void) { return ck_has_bfloat16() && __builtin_cpu_is("amd"); }
#else
int ck_has_bfloat16(void) { return 0; }
int ck_prefers_bfloat16(void) { return 0; }
#endif
