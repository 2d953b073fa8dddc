import CKernels

extension Tape {
  /// Biases for attention among all tokens of all frames of a clip at once: by place within the grid and by distance in
  /// frames; out of reach are later frames, and those before the window.
  /// - Parameters:
  ///   - spatial: `[heads, tokens, tokens]` (query, key).
  ///   - temporal: `[heads, window]`, by distance in frames.
  /// - Returns: `[heads, time * tokens, time * tokens]` (query, key): quadratic in the number of frames.
  public func spaceTimeBias(spatial: Variable, temporal: Variable, time: Int) -> Variable {
    let (heads, tokens, window) = (spatial.shape[0], spatial.shape[1], temporal.shape[1])
    precondition(
      spatial.shape[2] == tokens && temporal.shape[0] == heads, "biases \(spatial.shape), \(temporal.shape)")
    let all = time * tokens
    let bias = arena.tensor([heads, all, all])
    bias.fill(-1e9)
    /// Every row of keys of one frame that one query reaches.
    func forEachReached(_ body: (_ place: Int, _ spatial: Int, _ temporal: Int) -> Void) {
      for head in 0..<heads {
        for query in 0..<time {
          for key in max(0, query - window + 1)...query {
            for token in 0..<tokens {
              body(
                (head * all + query * tokens + token) * all + key * tokens, (head * tokens + token) * tokens,
                head * window + query - key)
            }
          }
        }
      }
    }
    forEachReached { place, near, distance in
      for i in 0..<tokens { bias[place + i] = spatial.value[near + i] + temporal.value[distance] }
    }
    return record(bias, from: [spatial, temporal]) { tape, dbias in
      let (dspatial, dtemporal) = (tape.gradient(of: spatial), tape.gradient(of: temporal))
      forEachReached { place, near, distance in
        if let dspatial { ck_add_scaled(dbias.pointer + place, 1, dspatial.pointer + near, tokens) }
        if let dtemporal { for i in 0..<tokens { dtemporal[distance] += dbias[place + i] } }
      }
    }
  }
}
