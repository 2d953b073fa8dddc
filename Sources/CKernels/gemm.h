// The matrix product in blocks, whatever an element is. The file that includes this says what it is:
//   values                     values of k that follow each other in one element of four bytes
//   multiply_add(sums, a, b)   sums + a b, element by element
//   along, across              sixteen elements from values that lie along k, or across it
//   multiply_rows              some rows over panels of some columns (gemm_registers.h, or gemm_amx.c)
//
// C is cut into tiles whose sums stay in registers while k runs. What a tile reads of B is first copied into
// panels (or was, long before), so that it lies in one piece and in the first cache. An element of C is one
// chain of sums over k, in blocks of `depth_block`, whatever tile it is in: so a row of the result does not
// depend on how many others there are.
#pragma once
#include "CKernels.h"
#include "gelu.h"
#include "tile.h"

enum {
  depth_block = 256,   // elements: a panel is 32 KiB
  column_block = values == 2 ? 512 : 128,  // with depth_block: 512 or 128 KiB of panels, on the stack and in the second cache
  most_rows = 8,       // of a tile
  row_tiles = 8,       // tiles that go over a panel while it is in the first cache
};

/// One call: op(A), op(B) or its panels, and where the result goes.
typedef struct {
  size_t rows, columns, depth;
  operand a, b;
  const float *panels;  // of all of B, or NULL
  float *c;
  size_t c_row;
  float alpha, beta;
  ck_epilogue epilogue;
} product;

void ck_multiply_bfloat16(product p);
void ck_multiply_amx(product p);
void ck_pack_bfloat16(operand b, size_t depth, size_t columns, float *panels);

/// Elements that hold `depth` values.
INLINE size_t element_count(size_t depth) { return (depth + values - 1) / values; }

INLINE vector multiply_add(vector sums, vector a, vector b);
/// Elements e, e + 1, ... of the `depth` values at `at`, zero beyond them.
INLINE vector along(const float *at, size_t e, size_t depth);
/// Element e of each of the `count` first neighbours of `at`, whose values along k lie `stride` floats apart.
INLINE vector across(const float *at, size_t stride, size_t e, size_t depth, size_t count);

/// panel[e * width + c]: element e of column c of `right`, zero beyond the last column; `width` is one or two
/// vectors.
INLINE void pack_panel(operand right, size_t depth, size_t columns, size_t width, float *panel) {
  size_t elements = element_count(depth);
  if (right.column == 1) {
    for (size_t e = 0; e < elements; e++) {
      for (size_t c = 0; c < width; c += lanes) {
        vector x = c < columns ? across(right.at + c, right.row, e, depth, columns - c) : (vector)0.0f;
        store(panel + e * width + c, x);
      }
    }
    return;
  }
  for (size_t e = 0; e < elements; e += lanes) {
    for (size_t c = 0; c < width; c += lanes) {
      vector block[lanes];
#pragma clang loop unroll(full)
      for (size_t i = 0; i < lanes; i++) {
        block[i] = c + i < columns ? along(right.at + (c + i) * right.column, e, depth) : (vector)0.0f;
      }
      transpose_vectors(block);
      for (size_t i = 0; i < smaller(lanes, elements - e); i++) store(panel + (e + i) * width + c, block[i]);
    }
  }
}

/// Where one tile of the result goes, and what is added to it: all begin at the tile and share `row`.
typedef struct {
  float *c, *sums;
  const float *residual, *bias;
  size_t row;
} tile_target;

/// c = gelu(alpha * sums + beta * c + residual + bias), each where it is wanted; later blocks of k add to c.
INLINE void finish_tile(size_t rows, size_t vectors, vector sums[most_rows][2], tile_target to, size_t out_rows,
                        size_t out_columns, float alpha, float beta, int activate) {
#pragma clang loop unroll(full)
  for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      if (r >= out_rows || v * lanes >= out_columns) continue;
      size_t at = r * to.row + v * lanes, count = out_columns - v * lanes;
      vector y = sums[r][v] * alpha;
      if (beta != 0) y += load_first(to.c + at, count, 0.0f) * beta;
      if (to.residual) y += load_first(to.residual + at, count, 0.0f);
      if (to.bias) y += load_first(to.bias + v * lanes, count, 0.0f);
      if (to.sums) store_first(to.sums + at, y, count);
      store_first(to.c + at, activate ? gelu(y) : y, count);
    }
  }
}

/// A tile of sums, of which `out_rows` by `out_columns` are wanted.
INLINE void write_tile(size_t rows, size_t vectors, vector sums[most_rows][2], tile_target to, size_t out_rows,
                       size_t out_columns, float alpha, float beta, int activate) {
  // Where all of it is wanted, which is nearly always, the compiler knows that.
  if (out_rows == rows && out_columns >= vectors * lanes) {
    finish_tile(rows, vectors, sums, to, rows, vectors * lanes, alpha, beta, activate);
  } else {
    finish_tile(rows, vectors, sums, to, out_rows, out_columns, alpha, beta, activate);
  }
}

/// The tile at a row and a column of the result, in the block of k that is `first`, `last`, both or neither.
INLINE tile_target target_in(product p, size_t row, size_t column, int first, int last) {
  size_t at = row * p.c_row + column;
  return (tile_target){p.c + at, last && p.epilogue.sums ? p.epilogue.sums + at : NULL,
                       first && p.epilogue.residual ? p.epilogue.residual + at : NULL,
                       first && p.epilogue.bias ? p.epilogue.bias + column : NULL, p.c_row};
}

/// Some rows from `row` on, at most `rows * row_tiles`, over the panels of `columns` columns from `column` on and a
/// block of k: `panels` lie `panel_size` floats apart.
INLINE void multiply_rows(size_t rows, size_t vectors, product p, const float *panels, size_t panel_size,
                          size_t k, size_t depth, size_t row, size_t column, size_t columns);

/// The whole product in tiles of `rows` by `vectors`, constants that suit the registers of the processor.
INLINE void multiply_blocks(size_t rows, size_t vectors, product p) {
  float stack[depth_block * column_block] __attribute__((aligned(64)));
  size_t width = vectors * lanes, block = p.panels ? p.columns : column_block;
  for (size_t column = 0; column < p.columns; column += block) {
    size_t columns = smaller(block, p.columns - column);
    size_t k = 0;
    do {
      size_t depth = smaller(depth_block * values, p.depth - k);
      const float *panels = stack;
      size_t panel_size = element_count(depth) * width;
      if (p.panels) {
        panel_size = element_count(p.depth) * width;
        panels = p.panels + k / values * width;
      }
      for (size_t c = 0; c < columns && !p.panels; c += width) {
        operand right = {p.b.at + k * p.b.row + (column + c) * p.b.column, p.b.row, p.b.column};
        pack_panel(right, depth, columns - c, width, stack + c / width * panel_size);
      }
      for (size_t row = 0; row < p.rows; row += rows * row_tiles) {
        multiply_rows(rows, vectors, p, panels, panel_size, k, depth, row, column, columns);
      }
      k += depth;
    } while (k < p.depth);
  }
}

/// All panels of op(B).
INLINE void pack_panels(size_t vectors, operand b, size_t depth, size_t columns, float *panels) {
  size_t width = vectors * lanes, size = element_count(depth) * width;
  for (size_t c = 0; c < columns; c += width) {
    operand right = {b.at + c * b.column, b.row, b.column};
    pack_panel(right, depth, columns - c, width, panels + c / width * size);
  }
}
