// The tiles of gemm.h in the tiles of AMX: 16 x 16 sums, from 16 rows of 32 values (sixteen elements) each. Only for
// processors that have them.
#define BFLOAT16_TARGET "arch=x86-64-v4,avx512bf16,amx-tile,amx-bf16"
#include "bfloat16.h"

#ifdef HAS_BFLOAT16
#include "amx.h"

#pragma clang attribute push(__attribute__((target(BFLOAT16_TARGET))), apply_to = function)

enum { tile = 16, strip = 2 * tile };  // rows of one tile of A, and of the two that go over a panel together

/// The rows of `a` in tiles that lie in one piece: those of its first 16 rows, along k, then those of the next. Missing rows hold
/// anything, missing elements are zero.
INLINE void pack_amx_tiles(operand a, size_t depth, size_t total, float *packed) {
  size_t elements = element_count(depth);
  for (size_t r = 0; r < total && a.column == 1; r++) {
    float *to = packed + r / tile * tile * depth_block + r % tile * tile;
    for (size_t e = 0; e < elements; e += tile) store(to + e * tile, along(a.at + r * a.row, e, depth));
  }
  for (size_t r = 0; r < total && a.column != 1; r += tile) {
    for (size_t e = 0; e < elements; e += tile) {
      vector block[lanes];
#pragma clang loop unroll(full)
      for (size_t i = 0; i < lanes; i++) {
        block[i] = e + i < elements ? across(a.at + r, a.column, e + i, depth, total - r) : (vector)0.0f;
      }
      transpose_vectors(block);
#pragma clang loop unroll(full)
      for (size_t i = 0; i < lanes; i++) store(packed + r * depth_block + (e + i) * tile, block[i]);
    }
  }
}

/// sums [32, 32] = two rows of tiles times a panel of 32 columns, whose elements from `whole` on are in `rest`.
INLINE void multiply_tiles(const float *left, const float *panel, const float *rest, size_t whole, size_t elements,
                           float sums[strip * strip]) {
  const size_t left_row = tile * sizeof(float), right_row = strip * sizeof(float), lower = tile * depth_block;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (size_t e = 0; e < elements; e += tile) {
    const float *right = e < whole ? panel + e * strip : rest;
    _tile_loadd(4, left + e * tile, left_row);
    _tile_loadd(6, right, right_row);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, right + tile, right_row);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, left + lower + e * tile, left_row);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, sums, right_row);
  _tile_stored(1, sums + tile, right_row);
  _tile_stored(2, sums + tile * strip, right_row);
  _tile_stored(3, sums + tile * strip + tile, right_row);
}

INLINE void multiply_rows(size_t rows, size_t vectors, product p, const float *panels, size_t panel_size,
                          size_t k, size_t depth, size_t row, size_t column, size_t columns) {
  float packed[most_rows * row_tiles * depth_block] __attribute__((aligned(64)));
  float sums[strip * strip] __attribute__((aligned(64))), rest[tile * strip] __attribute__((aligned(64)));
  size_t elements = element_count(depth), whole = elements / tile * tile;
  size_t total = smaller(rows * row_tiles, p.rows - row);
  operand a = {p.a.at + row * p.a.row + k * p.a.column, p.a.row, p.a.column};
  pack_amx_tiles(a, depth, total, packed);
  int first = k == 0, last = k + depth == p.depth;
  for (size_t c = 0; c < columns; c += strip) {
    const float *panel = panels + c / strip * panel_size;
    for (size_t i = 0; i < tile * strip && whole < elements; i++) {
      rest[i] = i < (elements - whole) * strip ? panel[whole * strip + i] : 0.0f;
    }
    for (size_t r = 0; r < total; r += strip) {
      multiply_tiles(packed + r * depth_block, panel, rest, whole, elements, sums);
      for (size_t s = 0; s < smaller(strip, total - r); s += most_rows) {
        vector block[most_rows][2];
#pragma clang loop unroll(full)
        for (size_t i = 0; i < most_rows; i++) {
          block[i][0] = load(sums + (s + i) * strip);
          block[i][1] = load(sums + (s + i) * strip + lanes);
        }
        write_tile(most_rows, vectors, block, target_in(p, row + r + s, column + c, first, last),
                   smaller(most_rows, total - r - s), columns - c, p.alpha, first ? p.beta : 1.0f,
                   last && p.epilogue.gelu);
      }
    }
  }
}

void ck_multiply_amx(product p) {
  tile_shapes shapes = all_tiles();
  _tile_loadconfig(&shapes);
  multiply_blocks(most_rows, 2, p);
  _tile_release();
}
#pragma clang attribute pop
#endif
