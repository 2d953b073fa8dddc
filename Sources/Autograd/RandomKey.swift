import Foundation

/// Counter-based random numbers: a number is a pure function of (key, counter), so that what is drawn does
/// not depend on the order of drawing, on threads or on what else was drawn.
///
/// The function is the finaliser of SplitMix64 applied twice, keyed between: fast, and good enough for
/// sampling and initial values (it is not a cipher).
public struct RandomKey: Hashable, Sendable, Codable {
  public let state: UInt64

  public init(seed: UInt64) { state = Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15) }
  private init(state: UInt64) { self.state = state }

  /// A key of its own for each number.
  public func folded(in number: UInt64) -> RandomKey {
    RandomKey(state: Self.mix(state ^ Self.mix(number &+ 0xD1B5_4A32_D192_ED03)))
  }

  /// A key of its own for each name.
  public func folded(in name: String) -> RandomKey {
    var key = self
    for byte in name.utf8 { key = key.folded(in: UInt64(byte)) }
    return key
  }

  public func bits(_ counter: UInt64) -> UInt64 {
    Self.mix(Self.mix(counter &* 0x9E37_79B9_7F4A_7C15 &+ state) ^ state)
  }

  /// Uniform in 0..<1, 24 bits.
  public func uniform(_ counter: UInt64) -> Float { Float(bits(counter) >> 40) * 0x1p-24 }

  /// Uniform in 0..<bound.
  public func integer(_ counter: UInt64, below bound: Int) -> Int {
    precondition(bound > 0, "no integer below \(bound)")
    return Int(bits(counter).multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// Normal with mean 0 and deviation 1 (Box-Muller).
  public func normal(_ counter: UInt64) -> Float {
    let word = bits(counter)
    let radius = (-2 * log((Double(word >> 32) + 0.5) * 0x1p-32)).squareRoot()
    return Float(radius * cos(2 * .pi * Double(word & 0xFFFF_FFFF) * 0x1p-32))
  }

  /// A permutation of 0..<count.
  public func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) { order.swapAt(i, integer(UInt64(i), below: i + 1)) }
    return order
  }

  @inline(__always)
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
