import CKernels

extension Tape {
  /// Some channels of each row.
  /// - Returns: `[..., range.count]`.
  public func channels(_ x: Variable, _ range: Range<Int>) -> Variable {
    let (rows, width) = (x.shape.rows, x.shape[-1])
    precondition(range.lowerBound >= 0 && range.upperBound <= width, "channels \(range) of \(x.shape)")
    let y = arena.tensor(x.shape.with(last: range.count))
    for row in 0..<rows {
      (y.pointer + row * range.count).update(
        from: x.value.pointer + row * width + range.lowerBound, count: range.count)
    }
    guard isRecording else { return computed(y) }
    return record(y, from: [x]) { tape, dy in
      guard let dx = tape.gradient(of: x) else { return }
      for row in 0..<rows {
        ck_add_scaled(
          dy.pointer + row * range.count, 1, dx.pointer + row * width + range.lowerBound, range.count)
      }
    }
  }

  /// Repeats each frame's vector for every token of the frame.
  /// - Parameter x: `[batch, time, channels]`.
  /// - Returns: `[batch, time, tokens, channels]`.
  public func spread(_ x: Variable, tokens: Int) -> Variable {
    let (batch, time, width) = (x.shape[0], x.shape[1], x.shape[2])
    let y = arena.tensor([batch, time, tokens, width])
    for row in 0..<batch * time * tokens {
      (y.pointer + row * width).update(from: x.value.pointer + row / tokens * width, count: width)
    }
    guard isRecording else { return computed(y) }
    return record(y, from: [x]) { tape, dy in
      guard let dx = tape.gradient(of: x) else { return }
      for row in 0..<batch * time * tokens {
        ck_add_scaled(dy.pointer + row * width, 1, dx.pointer + row / tokens * width, width)
      }
    }
  }
}
