import CKernels

extension Tape {
  /// Mean and maximum over the tokens of each frame, side by side.
  /// - Parameter x: `[batch, time, tokens, channels]`.
  /// - Returns: `[batch, time, 2 * channels]`.
  public func meanAndMaximum(_ x: Variable) -> Variable {
    let (batch, time, tokens, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let y = arena.zeros([batch, time, 2 * channels])
    var largest = [Int32](repeating: 0, count: batch * time * channels)
    for frame in 0..<batch * time {
      let (mean, maximum) = (y.pointer + frame * 2 * channels, y.pointer + (frame * 2 + 1) * channels)
      let source = x.value.pointer + frame * tokens * channels
      for c in 0..<channels { maximum[c] = source[c] }
      for token in 0..<tokens {
        for c in 0..<channels {
          let value = source[token * channels + c]
          mean[c] += value / Float(tokens)
          if value > maximum[c] {
            maximum[c] = value
            largest[frame * channels + c] = Int32(token)
          }
        }
      }
    }
    return record(y, from: [x]) { [largest] tape, dy in
      guard let dx = tape.gradient(of: x) else { return }
      for frame in 0..<batch * time {
        let (dmean, dmaximum) = (dy.pointer + frame * 2 * channels, dy.pointer + (frame * 2 + 1) * channels)
        let target = dx.pointer + frame * tokens * channels
        for token in 0..<tokens {
          ck_add_scaled(dmean, 1 / Float(tokens), target + token * channels, channels)
        }
        for c in 0..<channels { target[Int(largest[frame * channels + c]) * channels + c] += dmaximum[c] }
      }
    }
  }

  /// Each row divided by its length.
  /// - Parameter x: `[..., channels]`.
  public func normalize(_ x: Variable) -> Variable {
    let (rows, channels) = (x.shape.rows, x.shape[-1])
    let y = arena.tensor(x.shape)
    let inverse = arena.tensor([rows])
    for row in 0..<rows {
      let source = x.value.pointer + row * channels
      let length = Float(ck_sum_squares(source, channels)).squareRoot()
      inverse.pointer[row] = 1 / max(length, 1e-12)
      for c in 0..<channels { y.pointer[row * channels + c] = source[c] * inverse.pointer[row] }
    }
    return record(y, from: [x]) { tape, dy in
      guard let dx = tape.gradient(of: x) else { return }
      for row in 0..<rows {
        let (g, unit) = (dy.pointer + row * channels, y.pointer + row * channels)
        var along: Float = 0
        for c in 0..<channels { along += g[c] * unit[c] }
        let target = dx.pointer + row * channels
        for c in 0..<channels { target[c] += (g[c] - along * unit[c]) * inverse.pointer[row] }
      }
    }
  }

  /// Straight-through quantisation: the value is `quantized`, the gradient passes to `x` as it is.
  public func straightThrough(_ x: Variable, quantized: Tensor) -> Variable {
    precondition(x.value.count == quantized.count, "straight-through: \(x.shape) and \(quantized.shape)")
    return record(quantized.reshaped(x.shape), from: [x]) { tape, dy in tape.pass(dy, to: x) }
  }

  /// scale * sum of weight * (x - target)^2, a scalar.
  /// - Parameters:
  ///   - target: as many values as `x`.
  ///   - weights: as many values as `x`, or nil for 1.
  public func squaredError(_ x: Variable, _ target: Tensor, weights: Tensor? = nil, scale: Float) -> Variable
  {
    precondition(target.count == x.value.count, "squaredError: \(x.shape) and \(target.shape)")
    precondition(weights == nil || weights!.count == x.value.count, "squaredError: weights \(weights!.shape)")
    let difference = arena.tensor(x.shape)
    difference.copy(from: x.value)
    ck_add_scaled(target.pointer, -1, difference.pointer, difference.count)
    let loss = arena.tensor([1])
    if let weights {
      let weighted = arena.tensor(x.shape)
      var sum = 0.0
      for i in 0..<difference.count {
        weighted.pointer[i] = weights.pointer[i] * difference.pointer[i]
        sum += Double(weighted.pointer[i] * difference.pointer[i])
      }
      loss.pointer[0] = scale * Float(sum)
      return record(loss, from: [x]) { tape, dloss in
        guard let dx = tape.gradient(of: x) else { return }
        ck_add_scaled(weighted.pointer, 2 * scale * dloss.pointer[0], dx.pointer, dx.count)
      }
    }
    loss.pointer[0] = scale * Float(ck_sum_squares(difference.pointer, difference.count))
    return record(loss, from: [x]) { tape, dloss in
      guard let dx = tape.gradient(of: x) else { return }
      ck_add_scaled(difference.pointer, 2 * scale * dloss.pointer[0], dx.pointer, dx.count)
    }
  }

  /// A scalar of one's own making: its value, and its gradient with respect to `x`, already known.
  ///
  /// For losses whose gradient is simplest written by hand (a policy's objective).
  public func scalar(_ value: Float, of x: Variable, gradient: Tensor) -> Variable {
    precondition(gradient.count == x.value.count, "scalar: gradient \(gradient.shape) of \(x.shape)")
    let loss = arena.tensor([value], [1])
    return record(loss, from: [x]) { tape, dloss in
      guard let dx = tape.gradient(of: x) else { return }
      ck_add_scaled(gradient.pointer, dloss.pointer[0], dx.pointer, dx.count)
    }
  }
}
