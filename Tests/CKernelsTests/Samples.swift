import Testing

/// Random numbers for the tests: the same on every run (SplitMix64).
struct Samples {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in `-scale..<scale`.
  mutating func floats(_ count: Int, scale: Float = 2) -> [Float] {
    (0..<count).map { _ in (Float(next() >> 40) / 8_388_608 - 1) * scale }
  }

  /// Uniform in `0..<1`.
  mutating func uniforms(_ count: Int) -> [Float] {
    (0..<count).map { _ in Float(next() >> 40) / 16_777_216 }
  }

  mutating func codes(_ count: Int, below bound: Int) -> [Int32] {
    (0..<count).map { _ in Int32(next() % UInt64(bound)) }
  }
}

/// Every element within `tolerance * (1 + |expected|)`; NaN never is.
func expectClose(
  _ actual: [Float], _ expected: [Float], tolerance: Float = 2e-6, _ what: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.count == expected.count, sourceLocation: sourceLocation)
  let wrong = zip(actual, expected).enumerated().first { _, pair in
    pair.0 != pair.1 && !(abs(pair.0 - pair.1) <= tolerance * (1 + abs(pair.1)))
  }
  if let (index, pair) = wrong {
    Issue.record(
      "\(what)[\(index)] is \(pair.0), not \(pair.1)", sourceLocation: sourceLocation)
  }
}
