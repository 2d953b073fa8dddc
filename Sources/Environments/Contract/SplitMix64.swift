/// The random numbers of games: a counter, mixed (Steele, Lea and Flood 2014).
///
/// Integer arithmetic only, so that a seed gives the same numbers on every machine and with every version of
/// the standard library, whose own `random(in:using:)` promises no such thing.
public struct SplitMix64: RandomNumberGenerator, Sendable, Hashable {
  private var counter: UInt64

  public init(seed: UInt64) {
    counter = seed
  }

  public mutating func next() -> UInt64 {
    counter &+= 0x9E37_79B9_7F4A_7C15
    return Self.mix(counter)
  }

  /// A number in `0..<bound`.
  public mutating func next(below bound: Int) -> Int {
    precondition(bound > 0, "no number below \(bound)")
    return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A number in `range`, both ends included.
  public mutating func next(in range: ClosedRange<Int>) -> Int {
    range.lowerBound + next(below: range.count)
  }

  /// An index of `weights`, each as often as its weight says.
  mutating func next(weights: [Int]) -> Int {
    var draw = next(below: weights.reduce(0, +))
    var index = 0
    while draw >= weights[index] {
      draw -= weights[index]
      index += 1
    }
    return index
  }

  /// True in `numerator` of `denominator` cases.
  public mutating func chance(_ numerator: Int, in denominator: Int) -> Bool {
    next(below: denominator) < numerator
  }

  /// Spreads every bit of a number over all of them; different numbers stay different.
  public static func mix(_ number: UInt64) -> UInt64 {
    var z = number
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
