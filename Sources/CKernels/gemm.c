#include "CKernels.h"
#include "tile.h"

// C is cut into tiles of a few rows by one or two vectors, whose sums stay in registers while k runs. What a
// tile reads of B is first copied into panels, so that it lies in one piece; the rows of A are read where they
// are, unless A is transposed. An element of C is one chain of sums over k, in blocks of `depth_block`, whatever
// tile it is in: so a row of the result does not depend on how many others there are.

enum {
  depth_block = 256,
  column_block = 128,  // with depth_block: 128 KiB of panels, on the stack and in the second cache
  most_rows = 8,
};

/// The matrices of one call, op(A) and op(B) as operands.
typedef struct {
  size_t rows, columns, depth;
  operand a, b;
  float *c;
  size_t c_row;
  float alpha, beta;
} product;

/// panel[k * width + c] = right(k, first + c), zero beyond the last column; `width` is one or two vectors.
INLINE void pack_panel(operand right, size_t depth, size_t columns, size_t width, float *panel) {
  if (right.column == 1) {
    for (size_t k = 0; k < depth; k++) {
      for (size_t c = 0; c < width; c += lanes) {
        vector x = c < columns ? load_first(right.at + k * right.row + c, columns - c, 0.0f) : (vector)0.0f;
        store(panel + k * width + c, x);
      }
    }
    return;
  }
  for (size_t k = 0; k < depth; k += lanes) {
    for (size_t c = 0; c < width; c += lanes) {
      vector block[lanes];
#pragma clang loop unroll(full)
      for (size_t i = 0; i < lanes; i++) {
        const float *at = right.at + (c + i) * right.column + k;
        block[i] = c + i < columns ? load_first(at, depth - k, 0.0f) : (vector)0.0f;
      }
      transpose_vectors(block);
      for (size_t i = 0; i < lanes && k + i < depth; i++) store(panel + (k + i) * width + c, block[i]);
    }
  }
}

/// packed[k * rows + r] = left(r, k); missing rows repeat the last one.
INLINE void pack_left(operand left, size_t depth, size_t rows, size_t count, float *packed) {
  if (left.row == 1 && count == rows) {
    for (size_t k = 0; k < depth; k++) {
#pragma clang loop unroll(full)
      for (size_t r = 0; r < rows; r++) packed[k * rows + r] = left.at[k * left.column + r];
    }
    return;
  }
  for (size_t r = 0; r < rows; r++) {
    const float *row = left.at + smaller(r, count - 1) * left.row;
    for (size_t k = 0; k < depth; k++) packed[k * rows + r] = row[k * left.column];
  }
}

/// One tile: c = alpha * left * panel + beta * c, of which `out_rows` by `out_columns` are wanted.
/// `rows`, `vectors` and `left.column` are constants where this is inlined.
INLINE void multiply_panel(size_t rows, size_t vectors, size_t depth, operand left, const float *panel,
                           float *c, size_t c_row, size_t out_rows, size_t out_columns, float alpha,
                           float beta) {
  vector sums[most_rows][2];
#pragma clang loop unroll(full)
  for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) sums[r][v] = 0.0f;
  }
  for (size_t k = 0; k < depth; k++) {
    vector x[2];
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) x[v] = load(panel + (k * vectors + v) * lanes);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < rows; r++) {
      vector weight = left.at[r * left.row + k * left.column];
#pragma clang loop unroll(full)
      for (size_t v = 0; v < vectors; v++) sums[r][v] += weight * x[v];
    }
  }
  // A tile at the edge goes through a copy, with the same arithmetic.
  float edge[most_rows * 2 * lanes];
  int whole = out_rows == rows && out_columns >= vectors * lanes;
  float *to = c;
  size_t stride = c_row;
  if (!whole) {
    to = edge;
    stride = vectors * lanes;
    for (size_t i = 0; i < rows * stride && beta != 0; i++) {
      size_t r = i / stride, column = i % stride;
      edge[i] = r < out_rows && column < out_columns ? c[r * c_row + column] : 0.0f;
    }
  }
#pragma clang loop unroll(full)
  for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      vector y = sums[r][v] * alpha;
      if (beta != 0) y += load(to + r * stride + v * lanes) * beta;
      store(to + r * stride + v * lanes, y);
    }
  }
  for (size_t r = 0; r < out_rows && !whole; r++) {
    for (size_t i = 0; i < smaller(out_columns, stride); i++) c[r * c_row + i] = edge[r * stride + i];
  }
}

/// The whole product in tiles of `rows` by `vectors`, constants that suit the registers of the processor.
INLINE void multiply_blocks(size_t rows, size_t vectors, product p) {
  float panels[depth_block * column_block] __attribute__((aligned(64)));
  float packed[depth_block * most_rows] __attribute__((aligned(64)));
  size_t width = vectors * lanes;
  for (size_t column = 0; column < p.columns; column += column_block) {
    size_t columns = smaller(column_block, p.columns - column);
    size_t k = 0;
    do {
      size_t depth = smaller(depth_block, p.depth - k);
      float beta = k == 0 ? p.beta : 1.0f;
      for (size_t c = 0; c < columns; c += width) {
        operand right = {p.b.at + k * p.b.row + (column + c) * p.b.column, p.b.row, p.b.column};
        pack_panel(right, depth, columns - c, width, panels + c * depth);
      }
      for (size_t row = 0; row < p.rows; row += rows) {
        size_t count = smaller(rows, p.rows - row);
        operand left = {p.a.at + row * p.a.row + k * p.a.column, p.a.row, p.a.column};
        int in_place = left.column == 1 && count == rows;
        if (!in_place) pack_left(left, depth, rows, count, packed);
        for (size_t c = 0; c < columns; c += width) {
          float *to = p.c + row * p.c_row + column + c;
          const float *panel = panels + c * depth;
          if (in_place) {
            multiply_panel(rows, vectors, depth, (operand){left.at, left.row, 1}, panel, to, p.c_row, count,
                           columns - c, p.alpha, beta);
          } else {
            multiply_panel(rows, vectors, depth, (operand){packed, 1, rows}, panel, to, p.c_row, count,
                           columns - c, p.alpha, beta);
          }
        }
      }
      k += depth;
    } while (k < p.depth);
  }
}

// The processor's registers decide the shape: AVX-512 has 32 of 16 floats, AVX2 16 of 8, NEON 32 of 4.
CLONES static void multiply_narrow(product p) { multiply_blocks(6, 1, p); }
#if defined(__x86_64__) && defined(__ELF__)
__attribute__((target("arch=x86-64-v4"))) static void multiply_wide(product p) { multiply_blocks(8, 2, p); }
static int has_wide_registers(void) { return __builtin_cpu_supports("x86-64-v4"); }
#else
static void multiply_wide(product p) { multiply_narrow(p); }
static int has_wide_registers(void) { return 0; }
#endif

void ck_gemm(int transpose_a, int transpose_b, size_t m, size_t n, size_t k, float alpha, const float *a,
             size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc) {
  operand left = transpose_a ? (operand){a, 1, lda} : (operand){a, lda, 1};
  operand right = transpose_b ? (operand){b, 1, ldb} : (operand){b, ldb, 1};
  product p = {m, n, k, left, right, c, ldc, alpha, beta};
  if (has_wide_registers()) {
    multiply_wide(p);
  } else {
    multiply_narrow(p);
  }
}
