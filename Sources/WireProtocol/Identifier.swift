/// 128 random bits: a session's token, or the nonce of the open that starts one.
public struct Identifier: Hashable, Sendable {
  /// The first eight bytes, as a little-endian number.
  public var first: UInt64
  /// The last eight.
  public var second: UInt64

  public init(first: UInt64, second: UInt64) {
    self.first = first
    self.second = second
  }

  /// The identifier of nothing.
  public static let none = Identifier(first: 0, second: 0)

  /// A fresh one, from the system's random numbers; never ``none``.
  public static func random() -> Identifier {
    var generator = SystemRandomNumberGenerator()
    return Identifier(first: .random(in: 1 ... .max, using: &generator), second: generator.next())
  }
}

extension Identifier: CustomStringConvertible {
  /// Its 16 bytes in the order of the wire, as hexadecimal digits.
  public var description: String {
    [first, second].map { half in
      withUnsafeBytes(of: half.littleEndian) {
        $0.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      }
    }.joined()
  }
}
