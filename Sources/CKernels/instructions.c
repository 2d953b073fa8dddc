#include "CKernels.h"

const char *ck_instruction_set(ck_precision precision) {
  (void)precision;
#if defined(__x86_64__) && defined(__ELF__)
  if (precision == ck_bfloat16 && ck_has_amx()) return "x86-64-v4 with AMX";
  if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
  if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
  return "x86-64";
#elif defined(__aarch64__)
  return "arm64";
#else
  return "scalar";
#endif
}
