#include "CKernels.h"
#include <string.h>

// The part of one kernel row that falls inside the image is contiguous in both layouts.
typedef struct {
  size_t image;  // first element in the image
  size_t start;  // first element in the kernel row
  size_t count;  // number of elements, 0 when the row is all padding
} run;

static run kernel_row(ptrdiff_t y, ptrdiff_t x, size_t height, size_t width, size_t channels, size_t kernel) {
  if (y < 0 || y >= (ptrdiff_t)height) return (run){0, 0, 0};
  ptrdiff_t from = x < 0 ? -x : 0, to = (ptrdiff_t)kernel;
  if (x + to > (ptrdiff_t)width) to = (ptrdiff_t)width - x;
  if (to <= from) return (run){0, 0, 0};
  size_t image = ((size_t)y * width + (size_t)(x + from)) * channels;
  return (run){image, (size_t)from * channels, (size_t)(to - from) * channels};
}

void ck_im2col(const float *image, float *columns, size_t height, size_t width, size_t channels,
               size_t kernel, size_t stride, size_t padding) {
  size_t out_height = (height + 2 * padding - kernel) / stride + 1;
  size_t out_width = (width + 2 * padding - kernel) / stride + 1, length = kernel * channels;
  for (size_t oy = 0; oy < out_height; oy++) {
    for (size_t ox = 0; ox < out_width; ox++) {
      for (size_t ky = 0; ky < kernel; ky++, columns += length) {
        ptrdiff_t y = (ptrdiff_t)(oy * stride + ky) - (ptrdiff_t)padding;
        ptrdiff_t x = (ptrdiff_t)(ox * stride) - (ptrdiff_t)padding;
        run inside = kernel_row(y, x, height, width, channels, kernel);
        if (inside.count < length) memset(columns, 0, length * sizeof(float));
        memcpy(columns + inside.start, image + inside.image, inside.count * sizeof(float));
      }
    }
  }
}

void ck_col2im(const float *columns, float *image, size_t height, size_t width, size_t channels,
               size_t kernel, size_t stride, size_t padding) {
  size_t out_height = (height + 2 * padding - kernel) / stride + 1;
  size_t out_width = (width + 2 * padding - kernel) / stride + 1, length = kernel * channels;
  for (size_t oy = 0; oy < out_height; oy++) {
    for (size_t ox = 0; ox < out_width; ox++) {
      for (size_t ky = 0; ky < kernel; ky++, columns += length) {
        ptrdiff_t y = (ptrdiff_t)(oy * stride + ky) - (ptrdiff_t)padding;
        ptrdiff_t x = (ptrdiff_t)(ox * stride) - (ptrdiff_t)padding;
        run inside = kernel_row(y, x, height, width, channels, kernel);
        for (size_t i = 0; i < inside.count; i++) image[inside.image + i] += columns[inside.start + i];
      }
    }
  }
}
