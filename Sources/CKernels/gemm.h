// The matrix product in blocks, whatever an element is. The file that includes this says what it is:
//   values                     values of k that follow each other in one element of four bytes
//   multiply_add(sums, a, b)   sums + a b, element by element
//   along, across              sixteen elements from values that lie along k, or across it
//
// C is cut into tiles of a few rows by one or two vectors, whose sums stay in registers while k runs. What a
// tile reads of B is first copied into panels (or was, long before), so that it lies in one piece and in the
// first cache; the rows of A are read where they are, where they are elements already. An element of C is one
// chain of sums over k, in blocks of `depth_block`, whatever tile it is in: so a row of the result does not
// depend on how many others there are.
#pragma once
#include "CKernels.h"
#include "gelu.h"
#include "tile.h"

enum {
  depth_block = 256,   // elements: a panel is 32 KiB
  column_block = 128,  // with depth_block: 128 KiB of panels, on the stack and in the second cache
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

/// The `total` rows of `a` as elements, in tiles of `rows` (the last one is filled up): row by row as they lie,
/// or element by element where A is transposed.
INLINE void pack_tiles(operand a, size_t depth, size_t rows, size_t total, float *packed,
                       operand tiles[row_tiles]) {
  size_t elements = element_count(depth), tile = rows * depth_block;
  size_t padded_rows = (total + rows - 1) / rows * rows;
  for (size_t t = 0; t * rows < total; t++) {
    tiles[t] = (operand){packed + t * tile, a.column == 1 ? depth_block : 1, a.column == 1 ? 1 : rows};
  }
  for (size_t r = 0; r < padded_rows && a.column == 1; r++) {
    const float *row = a.at + smaller(r, total - 1) * a.row;
    for (size_t e = 0; e < elements; e += lanes) store(packed + r * depth_block + e, along(row, e, depth));
  }
  for (size_t r = 0; r < padded_rows && a.column != 1; r += rows == 8 ? lanes : rows) {
    for (size_t e = 0; e < elements; e++) {
      vector x = across(a.at + r, a.column, e, depth, total - r);
      float *to = packed + r / rows * tile + e * rows;
      // What lies beyond the tile's rows is overwritten by the element after it.
      store_half(to, x.lo);
      if (rows == 8 && r + 8 < padded_rows) store_half(to + tile, x.hi);
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
INLINE void finish_tile(size_t rows, size_t vectors, vector sums[most_rows][2], tile_target to, float alpha,
                        float beta, int activate) {
#pragma clang loop unroll(full)
  for (size_t r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
    for (size_t v = 0; v < vectors; v++) {
      size_t at = r * to.row + v * lanes;
      vector y = sums[r][v] * alpha;
      if (beta != 0) y += load(to.c + at) * beta;
      if (to.residual) y += load(to.residual + at);
      if (to.bias) y += load(to.bias + v * lanes);
      if (to.sums) store(to.sums + at, y);
      store(to.c + at, activate ? gelu(y) : y);
    }
  }
}

/// One tile, of which `out_rows` by `out_columns` are wanted. `rows`, `vectors` and `left.column` are
/// constants where this is inlined.
INLINE void multiply_panel(size_t rows, size_t vectors, size_t depth, operand left, const float *panel,
                           tile_target to, size_t out_rows, size_t out_columns, float alpha, float beta,
                           int activate) {
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
      for (size_t v = 0; v < vectors; v++) sums[r][v] = multiply_add(sums[r][v], weight, x[v]);
    }
  }
  if (out_rows == rows && out_columns >= vectors * lanes) {
    finish_tile(rows, vectors, sums, to, alpha, beta, activate);
    return;
  }
  // A tile at the edge goes through copies, with the same arithmetic.
  float edge[4][most_rows * 2 * lanes];
  size_t width = vectors * lanes;
  for (size_t i = 0; i < rows * width; i++) {
    size_t r = i / width, column = i % width;
    int inside = r < out_rows && column < out_columns;
    edge[0][i] = inside && beta != 0 ? to.c[r * to.row + column] : 0.0f;
    edge[1][i] = inside && to.residual ? to.residual[r * to.row + column] : 0.0f;
    edge[2][i] = column < out_columns && to.bias ? to.bias[column] : 0.0f;
  }
  tile_target copies = {edge[0], to.sums ? edge[3] : NULL, to.residual ? edge[1] : NULL,
                        to.bias ? edge[2] : NULL, width};
  finish_tile(rows, vectors, sums, copies, alpha, beta, activate);
  for (size_t r = 0; r < out_rows; r++) {
    for (size_t i = 0; i < smaller(out_columns, width); i++) {
      to.c[r * to.row + i] = edge[0][r * width + i];
      if (to.sums) to.sums[r * to.row + i] = edge[3][r * width + i];
    }
  }
}

/// Some rows, over panels of some columns and a block of k: `panels` lie `panel_size` floats apart.
INLINE void multiply_rows(size_t rows, size_t vectors, product p, const float *panels, size_t panel_size,
                          size_t k, size_t depth, size_t row, size_t column, size_t columns) {
  float packed[depth_block * most_rows * row_tiles] __attribute__((aligned(64)));
  size_t width = vectors * lanes, elements = element_count(depth);
  size_t total = smaller(rows * row_tiles, p.rows - row), tiles = (total + rows - 1) / rows;
  operand left[row_tiles], a = {p.a.at + row * p.a.row + k * p.a.column, p.a.row, p.a.column};
  if (values == 1 && a.column == 1 && total % rows == 0) {
    for (size_t t = 0; t < tiles; t++) left[t] = (operand){a.at + t * rows * a.row, a.row, 1};
  } else {
    pack_tiles(a, depth, rows, total, packed, left);
  }
  int first = k == 0, last = k + depth == p.depth;
  float beta = first ? p.beta : 1.0f;
  for (size_t c = 0; c < columns; c += width) {
    const float *panel = panels + c / width * panel_size;
    for (size_t t = 0; t < tiles; t++) {
      size_t at = (row + t * rows) * p.c_row + column + c;
      tile_target to = {p.c + at, last && p.epilogue.sums ? p.epilogue.sums + at : NULL,
                        first && p.epilogue.residual ? p.epilogue.residual + at : NULL,
                        first && p.epilogue.bias ? p.epilogue.bias + column + c : NULL, p.c_row};
      size_t count = smaller(rows, total - t * rows), wanted = columns - c;
      int activate = last && p.epilogue.gelu;
      // The branches differ in what the compiler knows of the strides.
      if (a.column == 1) {
        operand rowwise = {left[t].at, left[t].row, 1};
        multiply_panel(rows, vectors, elements, rowwise, panel, to, count, wanted, p.alpha, beta, activate);
      } else {
        operand turned = {left[t].at, 1, rows};
        multiply_panel(rows, vectors, elements, turned, panel, to, count, wanted, p.alpha, beta, activate);
      }
    }
  }
}

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
