// What both users of AMX's tiles need.
#pragma once
#include <immintrin.h>
#include <stdint.h>

typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} tile_shapes;

/// All eight tiles have 16 rows of 64 bytes: 16 sums, or 32 values in bf16.
static inline tile_shapes all_tiles(void) {
  tile_shapes shapes = {.palette = 1};
  for (int i = 0; i < 8; i++) {
    shapes.row_bytes[i] = 64;
    shapes.rows[i] = 16;
  }
  return shapes;
}
