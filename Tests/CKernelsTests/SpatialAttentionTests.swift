import CKernels
import Testing

@Suite struct SpatialAttentionTests {
  struct Size: Sendable {
    var time: Int
    var tokens: Int
    var heads: Int
    var headDim: Int
    var scale: Float { 1 / Float(headDim).squareRoot() }
    var channels: Int { heads * headDim }
    var qkv: Int { time * tokens * 3 * channels }
    var out: Int { time * tokens * channels }
    var probabilities: Int { time * heads * tokens * tokens }
  }

  static let sizes = [
    Size(time: 1, tokens: 1, heads: 1, headDim: 8), Size(time: 2, tokens: 5, heads: 3, headDim: 8),
    Size(time: 1, tokens: 16, heads: 2, headDim: 16), Size(time: 2, tokens: 64, heads: 2, headDim: 32),
    Size(time: 1, tokens: 33, heads: 1, headDim: 40), Size(time: 1, tokens: 17, heads: 2, headDim: 64),
    Size(time: 1, tokens: 90, heads: 1, headDim: 128),
  ]

  typealias Forward = (
    ck_precision, UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?,
    UnsafeMutablePointer<Float>?, UnsafeMutablePointer<Float>?, Int, Int, Int, Int, Int, Int, Float
  ) -> Void

  func forward(_ kernel: Forward, _ qkv: [Float], _ bias: [Float]?, _ size: Size) -> (
    out: [Float], probabilities: [Float]
  ) {
    var out = [Float](repeating: .nan, count: size.out)
    var probabilities = [Float](repeating: .nan, count: size.probabilities)
    var scratch = [Float](repeating: .nan, count: ck_spatial_attention_scratch(size.tokens))
    kernel(
      ck_float32, qkv, bias, &out, &probabilities, &scratch, size.time, size.tokens, 0, size.tokens,
      size.heads,
      size.headDim, size.scale)
    return (out, probabilities)
  }

  @Test(arguments: sizes) func forwardAgreesWithReference(size: Size) {
    var samples = Samples(seed: 1)
    let qkv = samples.floats(size.qkv)
    for bias in [nil, samples.floats(size.heads * size.tokens * size.tokens)] {
      let actual = forward(ck_spatial_attention_forward, qkv, bias, size)
      let expected = forward(ck_reference_spatial_attention_forward, qkv, bias, size)
      expectClose(actual.out, expected.out, tolerance: 3e-6, "out")
      expectClose(actual.probabilities, expected.probabilities, tolerance: 3e-6, "probabilities")

      var out = [Float](repeating: .nan, count: size.out)
      var scratch = [Float](repeating: 0, count: ck_spatial_attention_scratch(size.tokens))
      ck_spatial_attention_forward(
        ck_float32, qkv, bias, &out, nil, &scratch, size.time, size.tokens, 0, size.tokens, size.heads,
        size.headDim,
        size.scale)
      #expect(out == actual.out, "keeping the probabilities changes nothing")

      // 8 bits of mantissa are close.
      var (rounded, kept, probabilities) = (out, out, actual.probabilities)
      ck_spatial_attention_forward(
        ck_bfloat16, qkv, bias, &rounded, nil, &scratch, size.time, size.tokens, 0, size.tokens, size.heads,
        size.headDim, size.scale)
      expectClose(rounded, expected.out, tolerance: 2e-2, "bf16")
      ck_spatial_attention_forward(
        ck_bfloat16, qkv, bias, &kept, &probabilities, &scratch, size.time, size.tokens, 0, size.tokens,
        size.heads, size.headDim, size.scale)
      expectClose(probabilities, expected.probabilities, tolerance: 2e-2, "probabilities in bf16")
      #expect(kept == rounded, "keeping the probabilities changes nothing")
      #expect(size.tokens == 1 || (rounded == out) == (ck_has_bfloat16() == 0))

      // Some of the queries give the same bits as all of them.
      let (first, count) = (size.tokens / 3, (size.tokens + 1) / 2)
      for (precision, all) in [(ck_float32, out), (ck_bfloat16, rounded)] {
        var some = [Float](repeating: .nan, count: size.time * count * size.channels)
        ck_spatial_attention_forward(
          precision, qkv, bias, &some, nil, &scratch, size.time, size.tokens, first, count, size.heads,
          size.headDim, size.scale)
        for t in 0..<size.time {
          let whole = (t * size.tokens + first) * size.channels
          #expect(
            Array(some[t * count * size.channels..<(t + 1) * count * size.channels])
              == Array(all[whole..<whole + count * size.channels]))
        }
      }
    }
  }

  @Test(arguments: sizes) func backwardAgreesWithReference(size: Size) {
    var samples = Samples(seed: 2)
    let qkv = samples.floats(size.qkv)
    let bias = samples.floats(size.heads * size.tokens * size.tokens)
    let dout = samples.floats(size.out)
    let start = samples.floats(size.qkv)
    let p = forward(ck_reference_spatial_attention_forward, qkv, bias, size).probabilities
    var scratch = [Float](repeating: .nan, count: ck_spatial_attention_scratch(size.tokens))
    var dqkv = [start, start]
    var dbias = [bias, bias]
    ck_spatial_attention_backward(
      ck_float32, qkv, p, dout, &dqkv[0], &dbias[0], &scratch, size.time, size.tokens, size.heads,
      size.headDim,
      size.scale)
    ck_reference_spatial_attention_backward(
      qkv, p, dout, &dqkv[1], &dbias[1], nil, size.time, size.tokens, size.heads, size.headDim, size.scale)
    expectClose(dqkv[0], dqkv[1], tolerance: 1e-5, "dqkv")
    expectClose(dbias[0], dbias[1], tolerance: 1e-5, "dbias")

    var withoutBias = start
    ck_spatial_attention_backward(
      ck_float32, qkv, p, dout, &withoutBias, nil, &scratch, size.time, size.tokens, size.heads, size.headDim,
      size.scale)
    #expect(withoutBias == dqkv[0])

    // 8 bits of mantissa are close.
    var rounded = (start, bias)
    ck_spatial_attention_backward(
      ck_bfloat16, qkv, p, dout, &rounded.0, &rounded.1, &scratch, size.time, size.tokens, size.heads,
      size.headDim, size.scale)
    expectClose(rounded.0, dqkv[1], tolerance: 3e-2, "dqkv in bf16")
    expectClose(rounded.1, dbias[1], tolerance: 3e-2, "dbias in bf16")
    #expect((rounded.0 == dqkv[0]) == (ck_has_bfloat16() == 0))
  }

  @Test func largeScoresDoNotOverflow() {
    let size = Size(time: 1, tokens: 20, heads: 1, headDim: 16)
    var samples = Samples(seed: 3)
    let qkv = samples.floats(size.qkv, scale: 1000)
    let actual = forward(ck_spatial_attention_forward, qkv, nil, size)
    #expect(actual.out.allSatisfy { $0.isFinite })
    for row in 0..<20 {
      let sum = actual.probabilities[row * 20..<(row + 1) * 20].reduce(0, +)
      #expect(abs(sum - 1) < 1e-5)
    }
  }

  @Test func maskedKeysGetNothing() {
    let size = Size(time: 1, tokens: 18, heads: 1, headDim: 8)
    var samples = Samples(seed: 4)
    let qkv = samples.floats(size.qkv)
    var bias = samples.floats(18 * 18)
    for query in 0..<18 { for key in 0..<18 where key > query { bias[query * 18 + key] = -.infinity } }
    let actual = forward(ck_spatial_attention_forward, qkv, bias, size)
    let expected = forward(ck_reference_spatial_attention_forward, qkv, bias, size)
    expectClose(actual.out, expected.out, tolerance: 3e-6)
    for query in 0..<18 {
      for key in 0..<18 where key > query { #expect(actual.probabilities[query * 18 + key] == 0) }
    }
  }

  /// A frame gives the same bits alone and among others.
  @Test func framesAreIndependent() {
    let size = Size(time: 3, tokens: 12, heads: 2, headDim: 24)
    var samples = Samples(seed: 5)
    let qkv = samples.floats(size.qkv)
    let whole = forward(ck_spatial_attention_forward, qkv, nil, size).out
    var one = size
    one.time = 1
    for t in 0..<3 {
      let part = forward(ck_spatial_attention_forward, Array(qkv[t * one.qkv..<(t + 1) * one.qkv]), nil, one)
        .out
      #expect(part == Array(whole[t * one.out..<(t + 1) * one.out]))
    }
  }
}
