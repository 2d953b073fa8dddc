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
    precondition(
      residual == nil || residual!.value.count == rows * outputs, "linear: residual \(residual!.shape)")
    let y = arena.tensor(x.shape.with(last: outputs))
    // The backward passes of the others need what they gave, not what they got.
    let sums = activation == .gelu && isRecording ? arena.tensor(y.shape) : y
    let epilogue = ck_epilogue(
      residual: residual.map { UnsafePointer($0.value.pointer) },
      bias: bias.map { UnsafePointer($0.value.pointer) },
      sums: activation == .gelu && isRecording ? sums.pointer : nil, gelu: activation == .gelu ? 1 : 0)
    if let panels = weights?.panels(of: weight.value) {
      ck_gemm_packed(
        precision.kernel, rows, outputs, inputs, x.value.pointer, inputs, panels, y.pointer, outputs, epilogue
      )
    } else {
      MatrixProduct.multiply(
        x.value.pointer, weight.value.pointer, into: y.pointer, m: rows, n: outputs, k: inputs,
        precision: precision, epilogue: epilogue)
    }
    if activation != .gelu { activate(y, into: y, activation) }
    let flops = 2 * Double(rows * inputs * outputs)
    guard isRecording else {
      profile?.mark("linear \(inputs) x \(outputs)", flops: flops)
      return constant(y)
    }
    return record(
      y, from: [x, weight] + [bias, residual].compactMap { $0 }, flops: flops,
      operation: profile == nil ? #function : "linear \(inputs) x \(outputs)"
    ) { tape, dy in
      tape.differentiate(activation, sums: sums, output: y, gradient: dy)
      if let bias, let gradient = tape.gradient(of: bias) {
        ck_sum_rows(dy.pointer, gradient.pointer, rows, outputs)
      }
      if let gradient = tape.gradient(of: weight) {
        MatrixProduct.multiply(
          x.value.pointer, transposedA: true, dy.pointer, into: gradient.pointer, m: inputs, n: outputs,
          k: rows, beta: 1, precision: tape.precision)
      }
      if let (gradient, isNew) = tape.target(of: x) {
        MatrixProduct.multiply(
          dy.pointer, weight.value.pointer, transposedB: true, into: gradient.pointer, m: rows, n: inputs,
          k: outputs, beta: isNew ? 0 : 1, precision: tape.precision)
      }
      if let residual { tape.pass(dy, to: residual) }
    }
  }

  /// Writes activation(sums), in place where both are the same memory.
  func activate(_ sums: Tensor, into y: Tensor, _ activation: Activation) {
    switch activation {
    case .none: break
    case .gelu: ck_gelu_forward(sums.pointer, y.pointer, sums.count)
    case .relu: ck_relu_forward(sums.pointer, y.pointer, sums.count)
    case .tanh: ck_tanh_forward(sums.pointer, y.pointer, sums.count)
    }
  }

  /// Turns the gradient of the activated sums into that of the sums, in place.
  func differentiate(_ activation: Activation, sums: Tensor, output: Tensor, gradient dy: Tensor) {
    switch activation {
    case .none: break
    case .gelu: ck_gelu_backward(sums.pointer, dy.pointer, dy.pointer, dy.count)
    case .relu: ck_relu_backward(output.pointer, dy.pointer, dy.pointer, dy.count)
    case .tanh: ck_tanh_backward(output.pointer, dy.pointer, dy.pointer, dy.count)
    }
  }
}
