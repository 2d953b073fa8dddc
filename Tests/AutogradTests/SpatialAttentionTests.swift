import Autograd
import Foundation
import Testing

@Suite struct SpatialAttentionTests {
  private let heads = 2
  private let size = 8
  private let tokens = 6
  private var qkv: Tensor { .random([2, 2, tokens, 3 * heads * size], seed: 1) }
  private var bias: Tensor { .random([heads, tokens, tokens], seed: 2) }

  @Test func gradients() {
    GradientCheck()([qkv]) { $0.spatialAttention($1[0], heads: 2, bias: nil) }
    GradientCheck()([qkv, bias]) { $0.spatialAttention($1[0], heads: 2, bias: $1[1]) }
  }

  @Test func valuesAreThoseOfTheFormula() {
    let tape = dirtyTape(recording: false)
    let (qkv, bias) = (qkv, bias)
    let out = tape.spatialAttention(tape.constant(qkv), heads: heads, bias: tape.constant(bias)).value
    let channels = heads * size
    func at(_ frame: Int, _ token: Int, _ part: Int, _ head: Int, _ c: Int) -> Double {
      Double(qkv[(frame * tokens + token) * 3 * channels + part * channels + head * size + c])
    }
    var expected: [Float] = []
    for frame in 0..<4 {
      for query in 0..<tokens {
        for head in 0..<heads {
          let scores = (0..<tokens).map { key in
            (0..<size).reduce(0.0) { $0 + at(frame, query, 0, head, $1) * at(frame, key, 1, head, $1) }
              / Double(size).squareRoot() + Double(bias[(head * tokens + query) * tokens + key])
          }
          let exponentials = scores.map(exp)
          let total = exponentials.reduce(0, +)
          for c in 0..<size {
            let sum = (0..<tokens).reduce(0.0) { $0 + exponentials[$1] * at(frame, $1, 2, head, c) }
            expected.append(Float(sum / total))
          }
        }
      }
    }
    expectClose(out.values, expected)
  }

  @Test func relativeBiasSpreadsByDisplacement() {
    let tape = dirtyTape(recording: false)
    // The table's value names its place: 10 * (dy + 1) + (dx + 2) on a grid of 2 x 3.
    let table = Tensor((0..<15).map { Float($0 / 5 * 10 + $0 % 5) }, shape: [1, 15])
    let bias = tape.relativeBias(tape.constant(table), rows: 2, columns: 3).value
    #expect(bias.shape == [1, 6, 6])
    for query in 0..<6 {
      for key in 0..<6 {
        let (dy, dx) = (key / 3 - query / 3, key % 3 - query % 3)
        #expect(bias[query * 6 + key] == Float(10 * (dy + 1) + dx + 2))
      }
    }
  }

  @Test func gradientsOfRelativeBias() {
    GradientCheck()([.random([2, 15], seed: 3)]) { $0.relativeBias($1[0], rows: 2, columns: 3) }
    GradientCheck()([qkv, .random([2, 15], seed: 3)]) { tape, inputs in
      tape.spatialAttention(inputs[0], heads: 2, bias: tape.relativeBias(inputs[1], rows: 2, columns: 3))
    }
  }
}
