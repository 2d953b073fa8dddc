import Autograd
import Foundation
import Testing

@Suite struct TemporalAttentionTests {
  private let heads = 2
  private let size = 8
  private let tokens = 3
  private var channels: Int { heads * size }

  /// `time` frames of 2 clips.
  private func qkv(time: Int) -> Tensor { .random([2, time, tokens, 3 * channels], seed: 1) }

  @Test(arguments: [(time: 7, window: 3), (time: 4, window: 4), (time: 3, window: 5), (time: 1, window: 2)])
  func gradients(time: Int, window: Int) {
    GradientCheck()([qkv(time: time), .random([heads, window], seed: 2)]) {
      $0.temporalAttention($1[0], heads: 2, bias: $1[1])
    }
  }

  @Test func valuesAreThoseOfTheFormula() {
    let tape = dirtyTape(recording: false)
    let (time, window) = (7, 3)
    let (x, bias) = (qkv(time: time), Tensor.random([heads, window], seed: 2))
    let out = tape.temporalAttention(tape.constant(x), heads: heads, bias: tape.constant(bias)).value
    func at(_ clip: Int, _ t: Int, _ token: Int, _ part: Int, _ head: Int, _ c: Int) -> Double {
      Double(x[((clip * time + t) * tokens + token) * 3 * channels + part * channels + head * size + c])
    }
    var expected: [Float] = []
    for place in 0..<2 * time * tokens * heads {
      let (head, token) = (place % heads, place / heads % tokens)
      let (t, clip) = (place / heads / tokens % time, place / heads / tokens / time)
      let seen = max(0, t - window + 1)...t
      let weights = seen.map { s in
        let dot = (0..<size).reduce(0.0) {
          $0 + at(clip, t, token, 0, head, $1) * at(clip, s, token, 1, head, $1)
        }
        return exp(dot / Double(size).squareRoot() + Double(bias[head * window + t - s]))
      }
      for c in 0..<size {
        let sum = zip(seen, weights).reduce(0.0) { $0 + $1.1 * at(clip, $1.0, token, 2, head, c) }
        expected.append(Float(sum / weights.reduce(0, +)))
      }
    }
    expectClose(out.values, expected)
  }

  /// A ring gives for each frame what the whole clip gives, over more than three windows.
  @Test func aRingEqualsTheWholeClip() {
    let tape = dirtyTape(recording: false)
    let (time, window) = (11, 3)
    let whole = Tensor.random([1, time, tokens, 3 * channels], seed: 4)
    let bias = Tensor.random([heads, window], seed: 5)
    let expected = tape.temporalAttention(tape.constant(whole), heads: heads, bias: tape.constant(bias)).value
    let ring = TemporalRing(tokens: tokens, channels: channels, window: window, precision: .float32)
    for t in 0..<time {
      let ringBias = Tensor(shape: [heads, window])
      ringBias.fill(-.infinity)
      for head in 0..<heads {
        for distance in 0...min(t, window - 1) {
          ringBias[head * window + (t - distance) % window] = bias[head * window + distance]
        }
      }
      let frame = whole.reshaped([time, tokens, 3 * channels]).slice(t..<t + 1)
        .reshaped([1, 1, tokens, 3 * channels])
      let out = tape.temporalAttention(
        tape.constant(frame), heads: heads, ring: ring, place: t % window, ringBias: ringBias)
      let size = tokens * channels
      expectClose(out.value.values, Array(expected.values[t * size..<(t + 1) * size]))
    }
  }
}
