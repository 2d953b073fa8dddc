import CKernels

extension Tape {
  /// Causal attention along time at each position: a frame sees itself and the `window - 1` frames before it.
  /// - Parameters:
  ///   - qkv: `[batch, time, tokens, 3 * channels]`, read in place.
  ///   - bias: `[heads, window]`, by distance in frames.
  /// - Returns: `[batch, time, tokens, channels]`.
  public func temporalAttention(_ qkv: Variable, heads: Int, bias: Variable) -> Variable {
    let (batch, time, tokens) = (qkv.shape[0], qkv.shape[1], qkv.shape[2])
    let (channels, window) = (qkv.shape[3] / 3, bias.shape[1])
    let size = channels / heads
    precondition(channels * 3 == qkv.shape[3] && size * heads == channels, "\(heads) heads in \(qkv.shape)")
    precondition(bias.shape[0] == heads, "bias \(bias.shape) for \(heads) heads")
    let scale = 1 / Float(size).squareRoot()
    let out = arena.tensor([batch, time, tokens, channels])
    let probabilities = isRecording ? arena.tensor([batch, tokens, heads, time, window]) : nil
    let (input, output) = (time * tokens * 3 * channels, time * tokens * channels)
    let kept = tokens * heads * time * window
    for sequence in 0..<batch {
      ck_temporal_attention_forward(
        qkv.value.pointer + sequence * input, bias.value.pointer, out.pointer + sequence * output,
        probabilities.map { $0.pointer + sequence * kept }, time, tokens, heads, size, window, scale)
    }
    let flops = 4 * Double(batch * time * tokens * min(time, window) * channels)
    guard isRecording else { return computed(out, flops: flops) }
    return record(out, from: [qkv, bias], flops: flops) { tape, dout in
      let dqkv = tape.gradient(of: qkv) ?? tape.arena.zeros(qkv.shape)
      let dbias = tape.gradient(of: bias)
      for sequence in 0..<batch {
        ck_temporal_attention_backward(
          qkv.value.pointer + sequence * input, probabilities!.pointer + sequence * kept,
          dout.pointer + sequence * output, dqkv.pointer + sequence * input, dbias?.pointer, time, tokens,
          heads,
          size, window, scale)
      }
    }
  }

  /// One new frame against the cached keys and values of the frames before it; writes its own into the ring.
  /// - Parameters:
  ///   - qkv: `[1, 1, tokens, 3 * channels]`; of a team's member its own tokens.
  ///   - ring: the cache of this layer, of all tokens.
  ///   - place: where the new frame goes, `0..<window`.
  ///   - ringBias: `[heads, window]` by place, -infinity where no frame is.
  /// - Returns: `[1, 1, tokens, channels]`.
  public func temporalAttention(
    _ qkv: Variable, heads: Int, ring: TemporalRing, place: Int, ringBias: Tensor
  ) -> Variable {
    let (tokens, channels) = (qkv.shape[2], qkv.shape[3] / 3)
    precondition(!isRecording, "a cache is for sampling, not for training")
    let first = member?.rows.lowerBound ?? 0
    precondition(
      ring.channels == channels && first + tokens <= ring.tokens && qkv.shape.rows == tokens,
      "a ring of \(ring.tokens) x \(ring.channels) for \(qkv.shape)")
    precondition(place >= 0 && place < ring.window, "place \(place) of a ring of \(ring.window)")
    let size = channels / heads
    let out = arena.tensor([1, 1, tokens, channels])
    ring.withRows(from: first) { keys, values in
      ck_temporal_attention_cached(
        ring.precision.kernel, qkv.value.pointer, keys, values, ringBias.pointer, out.pointer, place, tokens,
        heads, size, ring.window, 1 / Float(size).squareRoot())
    }
    return computed(
      out, flops: 4 * Double(tokens * ring.window * channels), operation: "temporalAttention cached")
  }
}
