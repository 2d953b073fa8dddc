enum { values = 1 };
#include "gemm_registers.h"

INLINE vector multiply_add(vector sums, vector a, vector b) { return sums + a * b; }

INLINE vector along(const float *at, size_t e, size_t depth) { return load_first(at + e, depth - e, 0.0f); }

INLINE vector across(const float *at, size_t stride, size_t e, size_t depth, size_t count) {
  return load_first(at + e * stride, count, 0.0f);
}

// The processor's registers decide the shape: AVX-512 has 32 of 16 floats, AVX2 16 of 8, NEON 32 of 4.
CLONES static void multiply_narrow(product p) { multiply_blocks(6, 1, p); }
CLONES static void pack_narrow(operand b, size_t depth, size_t columns, float *panels) {
  pack_panels(1, b, depth, columns, panels);
}
#if defined(__x86_64__) && defined(__ELF__)
#define WIDE __attribute__((target("arch=x86-64-v4")))
WIDE static void multiply_wide(product p) { multiply_blocks(8, 2, p); }
WIDE static void pack_wide(operand b, size_t depth, size_t columns, float *panels) {
  pack_panels(2, b, depth, columns, panels);
}
#else
static void multiply_wide(product p) { multiply_narrow(p); }
static void pack_wide(operand b, size_t depth, size_t columns, float *panels) {
  pack_narrow(b, depth, columns, panels);
}
#endif

static int is_bfloat16(ck_precision precision) { return precision == ck_bfloat16 && ck_has_bfloat16(); }

static void multiply_product(ck_precision precision, product p) {
#ifdef WIDE
  if (is_bfloat16(precision)) {
    if (ck_has_amx()) {
      ck_multiply_amx(p);
    } else {
      ck_multiply_bfloat16(p);
    }
    return;
  }
#endif
  if (has_wide_registers()) {
    multiply_wide(p);
  } else {
    multiply_narrow(p);
  }
}

static operand as_operand(const float *matrix, size_t row, int transposed) {
  return transposed ? (operand){matrix, 1, row} : (operand){matrix, row, 1};
}

void ck_gemm(ck_precision precision, int transpose_a, int transpose_b, size_t m, size_t n, size_t k,
             float alpha, const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
             size_t ldc, ck_epilogue epilogue) {
  operand left = as_operand(a, lda, transpose_a), right = as_operand(b, ldb, transpose_b);
  multiply_product(precision, (product){m, n, k, left, right, NULL, c, ldc, alpha, beta, epilogue});
}

void ck_gemm_packed(ck_precision precision, size_t m, size_t n, size_t k, const float *a, size_t lda,
                    const float *panels, float *c, size_t ldc, ck_epilogue epilogue) {
  operand left = {a, lda, 1};
  multiply_product(precision, (product){m, n, k, left, {0}, panels, c, ldc, 1.0f, 0.0f, epilogue});
}

size_t ck_packed_count(ck_precision precision, size_t n, size_t k) {
  size_t width = 2 * lanes;
  return (n + width - 1) / width * width * (is_bfloat16(precision) ? (k + 1) / 2 : k);
}

void ck_pack(ck_precision precision, int transpose_b, size_t n, size_t k, const float *b, size_t ldb,
             float *panels) {
  operand right = as_operand(b, ldb, transpose_b);
#ifdef WIDE
  if (is_bfloat16(precision)) {
    ck_pack_bfloat16(right, k, n, panels);
    return;
  }
#endif
  if (has_wide_registers()) {
    pack_wide(right, k, n, panels);
  } else {
    pack_narrow(right, k, n, panels);
  }
}
