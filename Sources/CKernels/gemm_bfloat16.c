#include "bfloat16.h"

#ifdef HAS_BFLOAT16
#include <sys/syscall.h>
#include <unistd.h>

#pragma clang attribute push(__attribute__((target(BFLOAT16_TARGET))), apply_to = function)
#include "gemm_registers.h"
void ck_multiply_bfloat16(product p) { multiply_blocks(8, 2, p); }
void ck_pack_bfloat16(operand b, size_t depth, size_t columns, float *panels) {
  pack_panels(2, b, depth, columns, panels);
}
#pragma clang attribute pop

int ck_has_bfloat16(void) { return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("x86-64-v4"); }

// Zen 5 multiplies bf16 at twice the rate of Float32 (`ck_peak_bfloat16`), an Intel processor with AMX at fifteen times, one with
// AVX-512 alone at half of it.
int ck_prefers_bfloat16(void) { return ck_has_bfloat16() && (__builtin_cpu_is("amd") || ck_has_amx()); }

static int may_use_tiles;

// A process has to ask Linux for the tiles' registers, once and before its threads use them.
__attribute__((constructor)) static void ask_for_tiles(void) {
#ifdef SYS_arch_prctl
  const long request = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  __builtin_cpu_init();
  may_use_tiles = ck_has_bfloat16() && __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("amx-tile") &&
                  syscall(SYS_arch_prctl, request, tile_data) == 0;
#endif
}

int ck_has_amx(void) { return may_use_tiles; }
#else
int ck_has_bfloat16(void) { return 0; }
int ck_prefers_bfloat16(void) { return 0; }
int ck_has_amx(void) { return 0; }
#endif
