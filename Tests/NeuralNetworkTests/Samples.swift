import Autograd
import Testing

extension Tensor {
  /// Normal numbers, the same for the same seed.
  static func random(_ shape: Shape, seed: UInt64, scale: Float = 1) -> Tensor {
    let key = RandomKey(seed: seed)
    return Tensor((0..<shape.count).map { scale * key.normal(UInt64($0)) }, shape: shape)
  }
}

extension Parameters {
  /// Moves every parameter away from where it starts, so that no branch is nearly zero.
  func shake(seed: UInt64, scale: Float = 0.3) {
    let key = RandomKey(seed: seed)
    for parameter in all {
      let own = key.folded(in: parameter.name)
      for i in 0..<parameter.value.count { parameter.value[i] += scale * own.normal(UInt64(i)) }
    }
  }
}

/// All within `tolerance * (1 + |expected|)`; NaN never is.
func expectClose(
  _ actual: [Float], _ expected: [Float], tolerance: Float = 1e-5, _ what: String = "element",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.count == expected.count, sourceLocation: sourceLocation)
  for (index, (a, b)) in zip(actual, expected).enumerated() where !(abs(a - b) <= tolerance * (1 + abs(b))) {
    Issue.record("\(what) \(index) is \(a), not \(b)", sourceLocation: sourceLocation)
    return
  }
}
