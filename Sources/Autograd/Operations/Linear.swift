import CKernels

/// What a linear layer applies to its sums.
public enum Activation: String, Sendable, Codable { case none, gelu, relu, tanh }

extension Tape {
  /// activation(x W + b) + residual.
  /// - Parameters:
  ///   - x: `[..., inputs]`.
  ///   - weight: `[inputs, outputs]`.
  ///   - bias: `[outputs]`.
  ///   - residual: `[..., outputs]`, added last; not together with an activation.
  /// - Returns: `[..., outputs]`.
  public func linear(
    _ x: Variable, weight: Variable, bias: Variable? = nil, activation: Activation = .none,
    residual: Variable? = nil
  ) -> Variable {
    let (rows, inputs, outputs) = (x.shape.rows, x.shape[-1], weight.shape[1])
    precondition(weight.shape[0] == inputs, "linear: input \(x.shape), weight \(weight.shape)")
    precondition(residual == nil || activation == .none, "a residual is added to plain sums only")
    let sums = arena.tensor(x.shape.with(last: outputs))
    if let residual {
      precondition(residual.value.count == sums.count, "linear: residual \(residual.shape) for \(sums.shape)")
      sums.copy(from: residual.value)
    }
    BLAS.multiply(
      x.value.pointer, weight.value.pointer, into: sums.pointer, m: rows, n: outputs, k: inputs,
      beta: residual == nil ? 0 : 1)
    if let bias { ck_add_bias(sums.pointer, bias.value.pointer, rows, outputs) }
    let y = activation == .none ? sums : isRecording ? arena.tensor(sums.shape) : sums
    activate(sums, into: y, activation)
    let flops = 2 * Double(rows * inputs * outputs)
    return record(
      y, from: [x, weight] + [bias, residual].compactMap { $0 }, flops: flops,
      operation: profile == nil ? #function : "linear \(inputs) x \(outputs)"
    ) { tape, dy in
      if let residual, let gradient = tape.gradient(of: residual) {
        ck_add_scaled(dy.pointer, 1, gradient.pointer, dy.count)
      }
      let dsums = tape.differentiate(activation, sums: sums, output: y, gradient: dy)
      if let bias, let gradient = tape.gradient(of: bias) {
        ck_sum_rows(dsums.pointer, gradient.pointer, rows, outputs)
      }
      if let gradient = tape.gradient(of: weight) {
        BLAS.multiply(
          x.value.pointer, transposedA: true, dsums.pointer, into: gradient.pointer, m: inputs, n: outputs,
          k: rows, beta: 1)
      }
      if let gradient = tape.gradient(of: x) {
        BLAS.multiply(
          dsums.pointer, weight.value.pointer, transposedB: true, into: gradient.pointer, m: rows, n: inputs,
          k: outputs, beta: 1)
      }
    }
  }

  /// Writes activation(sums); nothing to do without one, since then both are the same memory.
  func activate(_ sums: Tensor, into y: Tensor, _ activation: Activation) {
    switch activation {
    case .none: break
    case .gelu: ck_gelu_forward(sums.pointer, y.pointer, sums.count)
    case .relu: ck_relu_forward(sums.pointer, y.pointer, sums.count)
    case .tanh: ck_tanh_forward(sums.pointer, y.pointer, sums.count)
    }
  }

  /// The gradient of the sums from that of the activated sums.
  func differentiate(_ activation: Activation, sums: Tensor, output: Tensor, gradient dy: Tensor) -> Tensor {
    if activation == .none { return dy }
    let dsums = arena.zeros(dy.shape)
    switch activation {
    case .none: break
    case .gelu: ck_gelu_backward(sums.pointer, dy.pointer, dsums.pointer, dy.count)
    case .relu: ck_relu_backward(output.pointer, dy.pointer, dsums.pointer, dy.count)
    case .tanh: ck_tanh_backward(output.pointer, dy.pointer, dsums.pointer, dy.count)
    }
    return dsums
  }
}
