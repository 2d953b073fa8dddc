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
  ///   - qkv: `[1, 1, tokens, 3 * channels]`.
  ///   - ring: the cache of this layer.
  ///   - place: where the new frame goes, `0..<window`.
  ///   - ringBias: `[heads, window]` by place, -infinity where no frame is.
  /// - Returns: `[1, 1, tokens, channels]`.
  public func temporalAttention(
    _ qkv: Variable, heads: Int, ring: TemporalRing, place: Int, ringBias: Tensor
  ) -> Variable {
    let (tokens, channels) = (qkv.shape[2], qkv.shape[3] / 3)
    precondition(!isRecording, "a cache is for sampling, not for training")
    precondition(
      ring.keys.count == tokens * channels * ring.window && qkv.shape.rows == tokens,
      "a ring of \(ring.keys.shape) for \(qkv.shape)")
    precondition(place >= 0 && place < ring.window, "place \(place) of a ring of \(ring.window)")
    let size = channels / heads
    let out = arena.tensor([1, 1, tokens, channels])
    ck_temporal_attention_cached(
      qkv.value.pointer, ring.keys.pointer, ring.values.pointer, ringBias.pointer, out.pointer, place, tokens,
      heads,
      size, ring.window, 1 / Float(size).squareRoot())
    profile?.mark("temporalAttention cached", flops: 4 * Double(tokens * ring.window * channels))
    return constant(out)
  }
}

/// Keys and values of the last `window` frames of one layer of one world.
public struct TemporalRing: Sendable {
  public let window: Int
  /// `[tokens, heads, size, window]`: transposed, so that one row of scores is one vector.
  public let keys: Tensor
  /// `[tokens, heads, window, size]`.
  public let values: Tensor

  public init(tokens: Int, heads: Int, size: Int, window: Int) {
    self.window = window
    keys = Tensor(shape: [tokens, heads, size, window])
    values = Tensor(shape: [tokens, heads, window, size])
  }
}
