import CKernels

extension Tape {
  /// x + scale * y, of one shape.
  public func add(_ x: Variable, _ y: Variable, scale: Float = 1) -> Variable {
    precondition(x.value.count == y.value.count, "\(x.shape) + \(y.shape)")
    let sum = arena.tensor(x.shape)
    sum.copy(from: x.value)
    ck_add_scaled(y.value.pointer, scale, sum.pointer, sum.count)
    return record(sum, from: [x, y]) { tape, gradient in
      if let dy = tape.gradient(of: y) { ck_add_scaled(gradient.pointer, scale, dy.pointer, dy.count) }
      tape.pass(gradient, to: x)
    }
  }

  /// factor * x.
  public func scale(_ x: Variable, by factor: Float) -> Variable {
    let y = arena.zeros(x.shape)
    ck_add_scaled(x.value.pointer, factor, y.pointer, y.count)
    return record(y, from: [x]) { tape, dy in
      if let dx = tape.gradient(of: x) { ck_add_scaled(dy.pointer, factor, dx.pointer, dx.count) }
    }
  }

  /// The same values under another shape.
  public func reshape(_ x: Variable, _ shape: Shape) -> Variable {
    guard isRecording else { return computed(x.value.reshaped(shape)) }
    return record(x.value.reshaped(shape), from: [x]) { tape, dy in tape.pass(dy, to: x) }
  }

  /// Feature-wise modulation (FiLM): x * (1 + scale) + shift, one scale and shift per frame.
  /// - Parameters:
  ///   - x: `[batch, time, tokens, channels]`.
  ///   - scale: `[batch, time, channels]`, or nil for 0.
  ///   - shift: `[batch, time, channels]`.
  public func modulate(_ x: Variable, scale: Variable?, shift: Variable) -> Variable {
    let channels = x.shape[-1]
    let frames = shift.shape.rows
    let tokens = x.shape.rows / frames
    precondition(
      shift.shape[-1] == channels && x.shape.rows == frames * tokens
        && scale.map { $0.shape == shift.shape } ?? true,
      "modulate: \(x.shape) by \(shift.shape)")
    let y = arena.tensor(x.shape)
    for frame in 0..<frames {
      let b = shift.value.pointer + frame * channels
      let a = scale.map { $0.value.pointer + frame * channels }
      for token in frame * tokens..<(frame + 1) * tokens {
        let (source, target) = (x.value.pointer + token * channels, y.pointer + token * channels)
        if let a {
          for c in 0..<channels { target[c] = source[c] * (1 + a[c]) + b[c] }
        } else {
          for c in 0..<channels { target[c] = source[c] + b[c] }
        }
      }
    }
    guard isRecording else { return computed(y) }
    return record(y, from: [x, shift] + (scale.map { [$0] } ?? [])) { tape, dy in
      let dx = tape.gradient(of: x)?.pointer
      let dshift = tape.gradient(of: shift)?.pointer
      let dscale = scale.flatMap { tape.gradient(of: $0) }?.pointer
      for frame in 0..<frames {
        let a = scale.map { $0.value.pointer + frame * channels }
        for token in frame * tokens..<(frame + 1) * tokens {
          let (g, source) = (dy.pointer + token * channels, x.value.pointer + token * channels)
          if let dx {
            let target = dx + token * channels
            if let a {
              for c in 0..<channels { target[c] += g[c] * (1 + a[c]) }
            } else {
              for c in 0..<channels { target[c] += g[c] }
            }
          }
          if let dshift {
            let target = dshift + frame * channels
            for c in 0..<channels { target[c] += g[c] }
          }
          if let dscale {
            let target = dscale + frame * channels
            for c in 0..<channels { target[c] += g[c] * source[c] }
          }
        }
      }
    }
  }

  /// Channels of both, one after the other.
  /// - Returns: `[..., channels of x + channels of y]`.
  public func concatenate(_ x: Variable, _ y: Variable) -> Variable {
    let (rows, m, n) = (x.shape.rows, x.shape[-1], y.shape[-1])
    precondition(y.shape.rows == rows, "concatenate \(x.shape) and \(y.shape)")
    let z = arena.tensor(x.shape.with(last: m + n))
    for row in 0..<rows {
      (z.pointer + row * (m + n)).update(from: x.value.pointer + row * m, count: m)
      (z.pointer + row * (m + n) + m).update(from: y.value.pointer + row * n, count: n)
    }
    return record(z, from: [x, y]) { tape, dz in
      let (dx, dy) = (tape.gradient(of: x), tape.gradient(of: y))
      for row in 0..<rows {
        if let dx { ck_add_scaled(dz.pointer + row * (m + n), 1, dx.pointer + row * m, m) }
        if let dy { ck_add_scaled(dz.pointer + row * (m + n) + m, 1, dy.pointer + row * n, n) }
      }
    }
  }

  /// The outer product of every token's features with its frame's code, beside the features themselves:
  /// `[x, x * z_1, ..., x * z_n]`, so that a linear layer after it has a map of its own for every code.
  /// - Parameters:
  ///   - x: `[batch, time, tokens, channels]`.
  ///   - z: `[batch, time, codes]`.
  /// - Returns: `[batch, time, tokens, channels * (1 + codes)]`.
  public func bilinear(_ x: Variable, _ z: Variable) -> Variable {
    let (channels, codes, frames) = (x.shape[-1], z.shape[-1], z.shape.rows)
    let tokens = x.shape.rows / frames
    precondition(x.shape.rows == tokens * frames, "bilinear: \(x.shape) with \(z.shape)")
    let width = channels * (1 + codes)
    let y = arena.tensor(x.shape.with(last: width))
    for row in 0..<x.shape.rows {
      let (source, target) = (x.value.pointer + row * channels, y.pointer + row * width)
      let code = z.value.pointer + row / tokens * codes
      target.update(from: source, count: channels)
      for k in 0..<codes {
        let part = target + (k + 1) * channels
        for c in 0..<channels { part[c] = source[c] * code[k] }
      }
    }
    return record(y, from: [x, z]) { tape, dy in
      let (dx, dz) = (tape.gradient(of: x)?.pointer, tape.gradient(of: z)?.pointer)
      for row in 0..<x.shape.rows {
        let (source, g) = (x.value.pointer + row * channels, dy.pointer + row * width)
        let code = z.value.pointer + row / tokens * codes
        if let dx {
          let target = dx + row * channels
          for c in 0..<channels { target[c] += g[c] }
          for k in 0..<codes { ck_add_scaled(g + (k + 1) * channels, code[k], target, channels) }
        }
        if let dz {
          for k in 0..<codes {
            var sum: Float = 0
            for c in 0..<channels { sum += g[(k + 1) * channels + c] * source[c] }
            dz[row / tokens * codes + k] += sum
          }
        }
      }
    }
  }
}
