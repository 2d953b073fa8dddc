import CKernels

extension Tape {
  /// (x - mean) / sqrt(variance + epsilon) * gain + bias, over the channels of each row.
  /// - Parameters:
  ///   - x: `[..., channels]`.
  ///   - gain: `[channels]`.
  ///   - bias: `[channels]`.
  public func layerNorm(_ x: Variable, gain: Variable, bias: Variable, epsilon: Float = 1e-5) -> Variable {
    let (rows, channels) = (x.shape.rows, x.shape[-1])
    precondition(
      gain.value.count == channels && bias.value.count == channels, "layerNorm: \(x.shape), \(gain.shape)")
    let y = arena.tensor(x.shape)
    let mean = arena.tensor([rows])
    let rstd = arena.tensor([rows])
    ck_layer_norm_forward(
      x.value.pointer, gain.value.pointer, bias.value.pointer, y.pointer, mean.pointer, rstd.pointer, rows,
      channels,
      epsilon)
    guard isRecording else { return computed(y) }
    return record(y, from: [x, gain, bias]) { tape, dy in
      let unwanted = tape.arena.zeros
      let dx = tape.gradient(of: x) ?? unwanted(x.shape)
      let dgain = tape.gradient(of: gain) ?? unwanted(gain.shape)
      let dbias = tape.gradient(of: bias) ?? unwanted(bias.shape)
      ck_layer_norm_backward(
        dy.pointer, x.value.pointer, gain.value.pointer, mean.pointer, rstd.pointer, dx.pointer,
        dgain.pointer,
        dbias.pointer, rows, channels)
    }
  }
}
