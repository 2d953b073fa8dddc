import CKernels
import Testing

@Suite struct TemporalAttentionTests {
  struct Size: Sendable {
    var time: Int
    var tokens: Int
    var heads: Int
    var headDim: Int
    var window: Int
    var scale: Float { 1 / Float(headDim).squareRoot() }
    var channels: Int { heads * headDim }
    var row: Int { tokens * 3 * channels }
    var probabilities: Int { tokens * heads * time * window }
  }

  static let sizes = [
    Size(time: 1, tokens: 1, heads: 1, headDim: 8, window: 1),
    Size(time: 5, tokens: 3, heads: 2, headDim: 8, window: 3),
    Size(time: 16, tokens: 4, heads: 2, headDim: 32, window: 16),
    Size(time: 7, tokens: 2, heads: 3, headDim: 16, window: 40),
    Size(time: 50, tokens: 2, heads: 1, headDim: 40, window: 16),
    Size(time: 37, tokens: 1, heads: 2, headDim: 64, window: 9),
    Size(time: 20, tokens: 1, heads: 1, headDim: 128, window: 1),
  ]

  typealias Forward = (
    UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?,
    UnsafeMutablePointer<Float>?, Int, Int, Int, Int, Int, Float
  ) -> Void

  func forward(_ kernel: Forward, _ qkv: [Float], _ bias: [Float]?, _ size: Size) -> (
    out: [Float], probabilities: [Float]
  ) {
    var out = [Float](repeating: .nan, count: size.time * size.tokens * size.channels)
    var probabilities = [Float](repeating: .nan, count: size.probabilities)
    kernel(
      qkv, bias, &out, &probabilities, size.time, size.tokens, size.heads, size.headDim, size.window,
      size.scale)
    return (out, probabilities)
  }

  @Test(arguments: sizes) func forwardAgreesWithReference(size: Size) {
    var samples = Samples(seed: 1)
    let qkv = samples.floats(size.time * size.row)
    for bias in [nil, samples.floats(size.heads * size.window)] {
      let actual = forward(ck_temporal_attention_forward, qkv, bias, size)
      let expected = forward(ck_reference_temporal_attention_forward, qkv, bias, size)
      expectClose(actual.out, expected.out, tolerance: 3e-6, "out")
      expectClose(actual.probabilities, expected.probabilities, tolerance: 3e-6, "probabilities")

      var out = actual.out.map { _ in Float.nan }
      ck_temporal_attention_forward(
        qkv, bias, &out, nil, size.time, size.tokens, size.heads, size.headDim, size.window, size.scale)
      #expect(out == actual.out, "keeping the probabilities changes nothing")
    }
  }

  @Test(arguments: sizes) func backwardAgreesWithReference(size: Size) {
    var samples = Samples(seed: 2)
    let qkv = samples.floats(size.time * size.row)
    let bias = samples.floats(size.heads * size.window)
    let dout = samples.floats(size.time * size.tokens * size.channels)
    let start = samples.floats(qkv.count)
    let p = forward(ck_reference_temporal_attention_forward, qkv, bias, size).probabilities
    var dqkv = [start, start]
    var dbias = [bias, bias]
    ck_temporal_attention_backward(
      qkv, p, dout, &dqkv[0], &dbias[0], size.time, size.tokens, size.heads, size.headDim, size.window,
      size.scale)
    ck_reference_temporal_attention_backward(
      qkv, p, dout, &dqkv[1], &dbias[1], size.time, size.tokens, size.heads, size.headDim, size.window,
      size.scale)
    expectClose(dqkv[0], dqkv[1], tolerance: 1e-5, "dqkv")
    expectClose(dbias[0], dbias[1], tolerance: 1e-5, "dbias")

    var withoutBias = start
    ck_temporal_attention_backward(
      qkv, p, dout, &withoutBias, nil, size.time, size.tokens, size.heads, size.headDim, size.window,
      size.scale)
    #expect(withoutBias == dqkv[0])
  }

  @Test func aFrameSeesNeitherTheFutureNorBeyondTheWindow() {
    let size = Size(time: 24, tokens: 2, heads: 1, headDim: 16, window: 4)
    var samples = Samples(seed: 3)
    let qkv = samples.floats(size.time * size.row)
    let before = forward(ck_temporal_attention_forward, qkv, nil, size).out
    var changed = qkv
    for i in 10 * size.row..<11 * size.row { changed[i] += 1 }
    let after = forward(ck_temporal_attention_forward, changed, nil, size).out
    for t in 0..<size.time {
      let frame = t * size.tokens * size.channels..<(t + 1) * size.tokens * size.channels
      #expect((before[frame] == after[frame]) == !(10..<14).contains(t), "frame \(t)")
    }
  }

  @Test func largeScoresDoNotOverflow() {
    let size = Size(time: 9, tokens: 1, heads: 1, headDim: 16, window: 5)
    var samples = Samples(seed: 4)
    let qkv = samples.floats(size.time * size.row, scale: 1000)
    #expect(forward(ck_temporal_attention_forward, qkv, nil, size).out.allSatisfy { $0.isFinite })
  }

  // MARK: - The ring of cached frames

  /// Frames one by one through the ring give what the whole clip gives at once, over more than three windows.
  @Test(
    arguments: [(3, 8), (8, 16), (8, 32), (16, 32), (20, 40), (16, 64), (1, 8)], [ck_float32, ck_bfloat16])
  func ringAgreesWithTheWholeClip(shape: (window: Int, headDim: Int), precision: ck_precision) {
    let (window, headDim) = shape
    let size = Size(time: 3 * window + 2, tokens: 3, heads: 2, headDim: headDim, window: window)
    var samples = Samples(seed: 5)
    let qkv = samples.floats(size.time * size.row)
    let bias = samples.floats(size.heads * window)
    let whole = forward(ck_reference_temporal_attention_forward, qkv, bias, size).out

    let ring = [Float](repeating: .nan, count: size.tokens * size.channels * window)
    var keys = [ring, ring]
    var values = [ring, ring]
    // bf16 have half a place each, where floats lie in the reference.
    let (exact, close): (Float, Float) = precision == ck_float32 ? (3e-6, 3e-6) : (3e-6, 2e-2)
    let frame = size.tokens * size.channels
    var out = [Float](repeating: .nan, count: frame)
    var expected = out
    for t in 0..<size.time {
      let place = t % window
      var ringBias = [Float](repeating: -.infinity, count: bias.count)
      for distance in 0...min(t, window - 1) {
        for head in 0..<size.heads {
          ringBias[head * window + (t - distance) % window] = bias[head * window + distance]
        }
      }
      let new = Array(qkv[t * size.row..<(t + 1) * size.row])
      ck_temporal_attention_cached(
        precision, new, &keys[0], &values[0], ringBias, &out, place, size.tokens, size.heads, headDim, window,
        size.scale
      )
      ck_reference_temporal_attention_cached(
        precision, new, &keys[1], &values[1], ringBias, &expected, place, size.tokens, size.heads, headDim,
        window,
        size.scale)
      expectClose(out, expected, tolerance: exact, "frame \(t)")
      expectClose(out, Array(whole[t * frame..<(t + 1) * frame]), tolerance: close, "frame \(t)")
    }
    if precision == ck_float32 { #expect(keys[0] == keys[1] && values[0] == values[1]) }
  }

  /// A token's result is the same bit for bit however many tokens are in the call.
  @Test(arguments: [8, 16, 19]) func cachedTokensAreIndependent(window: Int) {
    let (tokens, heads, headDim) = (5, 2, 32)
    let channels = heads * headDim
    var samples = Samples(seed: 6)
    let qkv = samples.floats(tokens * 3 * channels)
    let ring = samples.floats(tokens * channels * window)
    let bias = samples.floats(heads * window)
    var keys = ring
    var values = ring
    var whole = [Float](repeating: 0, count: tokens * channels)
    ck_temporal_attention_cached(
      ck_float32, qkv, &keys, &values, bias, &whole, 2, tokens, heads, headDim, window, 0.2)
    for n in 0..<tokens {
      let part = n * channels * window..<(n + 1) * channels * window
      var keys = Array(ring[part])
      var values = Array(ring[part])
      var one = [Float](repeating: 0, count: channels)
      let row = Array(qkv[n * 3 * channels..<(n + 1) * 3 * channels])
      ck_temporal_attention_cached(
        ck_float32, row, &keys, &values, bias, &one, 2, 1, heads, headDim, window, 0.2)
      #expect(one == Array(whole[n * channels..<(n + 1) * channels]))
    }
  }
}
