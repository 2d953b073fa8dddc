// What the processor could do at most: the measure of everything else.
#pragma once
#include <stddef.h>

/// Runs `rounds` of fused multiply-adds in Float32 whose operands never leave the registers.
/// Returns how many floating-point operations that were (a multiply-add is two).
double ck_peak_float32(size_t rounds);
/// The same with products in bfloat16 and sums in Float32. Returns 0, having done nothing, where the processor
/// has no such instruction.
double ck_peak_bfloat16(size_t rounds);
