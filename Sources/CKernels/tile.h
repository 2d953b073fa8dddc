// The small matrix product under temporal attention, rows of weights times a matrix whose rows are vectors, and what all
// attention and gemm.h share.
#pragma once
#include "vector.h"

enum { tile_rows = 8 };

/// Element (r, k) is at[r * row + k * column]: a row of 1 reads a matrix transposed.
typedef struct {
  const float *at;
  size_t row, column;
} operand;

/// Where a product goes: its rows lie `row` floats apart and are multiplied by `scale`, and by `scales[r]`
/// too unless that is NULL.
typedef struct {
  float *at;
  size_t row;
  float scale;
  const float *scales;
  int accumulate;
} target;

/// sums[r][c] = sum over k of left(r, k) * right[k * stride + c], for `rows` <= `height` rows and
/// `vectors` (1 or 2) times 16 columns. Missing rows repeat the last one, so that every row takes the same
/// arithmetic however many there are.
INLINE void multiply_tile(size_t height, size_t rows, int vectors, size_t depth, operand left, const float *right,
                          size_t stride, vector sums[tile_rows][2]) {
  const float *row[tile_rows];
  for (size_t r = 0; r < height; r++) {
    row[r] = left.at + smaller(r, rows - 1) * left.row;
    for (int c = 0; c < vectors; c++) sums[r][c] = 0.0f;
  }
  for (size_t k = 0; k < depth; k++) {
    vector x[2];
    for (int c = 0; c < vectors; c++) x[c] = load(right + k * stride + c * lanes);
#pragma clang loop unroll(full)
    for (size_t r = 0; r < height; r++) {
      vector weight = row[r][k * left.column];
      for (int c = 0; c < vectors; c++) sums[r][c] += weight * x[c];
    }
  }
}

/// ``multiply`` in tiles of `height` rows by up to `most` vectors, constants that suit the processor's registers.
INLINE void multiply_in_tiles(size_t height, int most, size_t rows, size_t columns, size_t depth, operand left,
                              const float *right, size_t stride, target out) {
  for (size_t first = 0; first < rows; first += height) {
    size_t count = smaller(height, rows - first);
    operand block = {left.at + first * left.row, left.row, left.column};
    for (size_t column = 0; column < columns; column += most * lanes) {
      vector sums[tile_rows][2];
      int vectors = columns - column > lanes ? most : 1;
      if (vectors == 2) {
        multiply_tile(height, count, 2, depth, block, right + column, stride, sums);
      } else {
        multiply_tile(height, count, 1, depth, block, right + column, stride, sums);
      }
#pragma clang loop unroll(full)
      for (size_t r = 0; r < height; r++) {
        float scale = out.scales && r < count ? out.scales[first + r] * out.scale : out.scale;
        for (int c = 0; c < vectors && r < count; c++) {
          size_t remaining = columns - column - c * lanes;
          float *at = out.at + (first + r) * out.row + column + c * lanes;
          vector result = sums[r][c] * scale;
          if (out.accumulate) result += load_first(at, remaining, 0.0f);
          store_first(at, result, remaining);
        }
      }
    }
  }
}

/// out = left [rows, depth] times right [depth, columns]. Rows of `right` lie `stride` floats apart and can
/// be read up to padded(columns).
INLINE void multiply(size_t rows, size_t columns, size_t depth, operand left, const float *right,
                     size_t stride, target out) {
  if (has_wide_registers()) {
    multiply_in_tiles(tile_rows, 2, rows, columns, depth, left, right, stride, out);
  } else {
    multiply_in_tiles(4, 1, rows, columns, depth, left, right, stride, out);
  }
}

/// The transpose of sixteen vectors, in four rounds of interleaving.
INLINE void transpose_vectors(vector x[lanes]) {
  for (int round = 0; round < 4; round++) {
    vector y[lanes];
#pragma clang loop unroll(full)
    for (int i = 0; i < lanes / 2; i++) {
      y[2 * i] =
          __builtin_shufflevector(x[i], x[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      y[2 * i + 1] = __builtin_shufflevector(x[i], x[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14,
                                             30, 15, 31);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < lanes; i++) x[i] = y[i];
  }
}

/// transposed[c * padded(rows) + r] = matrix[r * stride + c]; the padding is zero.
/// `transposed` has room for padded(columns) rows.
INLINE void pack_transposed(const float *matrix, size_t stride, size_t rows, size_t columns,
                            float *transposed) {
  size_t length = padded(rows);
  for (size_t r = 0; r < rows; r += lanes) {
    for (size_t c = 0; c < columns; c += lanes) {
      vector block[lanes];
#pragma clang loop unroll(full)
      for (size_t i = 0; i < lanes; i++) {
        block[i] = r + i < rows ? load_first(matrix + (r + i) * stride + c, columns - c, 0.0f) : (vector)0.0f;
      }
      transpose_vectors(block);
#pragma clang loop unroll(full)
      for (size_t i = 0; i < lanes; i++) store(transposed + (c + i) * length + r, block[i]);
    }
  }
}

/// packed[r * padded(columns) + c] = matrix[r * stride + c]; the padding is zero.
INLINE void pack_rows(const float *matrix, size_t stride, size_t rows, size_t columns, float *packed) {
  size_t width = padded(columns);
  for (size_t r = 0; r < rows; r++) {
    for (size_t c = 0; c < columns; c += lanes) {
      store(packed + r * width + c, load_first(matrix + r * stride + c, columns - c, 0.0f));
    }
  }
}

/// row = e^(row * scale + bias - maximum), over `count` valid places of a padded row; the padding becomes 0.
/// Returns 1 / sum, or 0 when every place is masked with -INFINITY. The bias (or NULL) has `count` places.
INLINE float exponentiate_row(float *row, const float *bias, float scale, size_t count) {
  vector top = -INFINITY;
  for (size_t j = 0; j < count; j += lanes) {
    vector x = load(row + j) * scale;
    if (bias) x += load_first(bias + j, count - j, 0.0f);
    x = keep_first(x, count - j, -INFINITY);
    top = maximum(top, x);
    store(row + j, x);
  }
  float highest = lane_maximum(top);
  if (highest == -INFINITY) highest = 0.0f;
  vector total = 0.0f;
  for (size_t j = 0; j < count; j += lanes) {
    vector x = load(row + j) - highest, e = moderate_exponential(x);
    e = x < -87.0f ? (vector)0.0f : e;
    total += e;
    store(row + j, e);
  }
  float sum = lane_sum(total);
  return sum == 0.0f ? 0.0f : 1.0f / sum;
}
