// The tiles of gemm.h in the registers of vectors: a few rows by one or two vectors. The rows of A are read where
// they are, where they are elements already.
#pragma once
#include "gemm.h"

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
  write_tile(rows, vectors, sums, to, out_rows, out_columns, alpha, beta, activate);
}

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
      tile_target to = target_in(p, row + t * rows, column + c, first, last);
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
