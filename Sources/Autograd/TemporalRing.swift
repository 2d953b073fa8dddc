/// Keys and values of the last `window` frames of one layer of one world.
///
/// keys: `[tokens, heads, size, window]`, transposed, so that one row of scores is one vector; values:
/// `[tokens, heads, window, size]`; both as bf16 or Float32.
public struct TemporalRing: Sendable {
  public let tokens: Int
  /// Of all heads.
  public let channels: Int
  public let window: Int
  public let precision: Precision
  /// Keys, then values; bf16 take half a place.
  private let storage: Tensor

  public init(tokens: Int, channels: Int, window: Int, precision: Precision) {
    (self.tokens, self.channels, self.window, self.precision) = (tokens, channels, window, precision)
    let bytes = 2 * tokens * channels * window * Self.size(precision)
    storage = Tensor(shape: [(bytes + 3) / 4])
  }

  private static func size(_ precision: Precision) -> Int { precision == .bfloat16 ? 2 : 4 }

  public var byteCount: Int { 2 * tokens * channels * window * Self.size(precision) }

  /// All of it, to be read or overwritten: for snapshots and copies.
  public func withBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) throws -> Result) rethrows -> Result {
    try body(UnsafeMutableRawBufferPointer(start: storage.pointer, count: byteCount))
  }

  /// Takes over what another ring of the same shape holds.
  public func copy(from other: TemporalRing) {
    precondition(byteCount == other.byteCount && precision == other.precision, "rings of two shapes")
    storage.copy(from: other.storage)
  }

  /// Where keys and values begin, of the tokens from `first` on.
  func withRows(from first: Int, _ body: (UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Void) {
    let start = UnsafeMutableRawPointer(storage.pointer)
    let offset = first * channels * window * Self.size(precision)
    body(start + offset, start + byteCount / 2 + offset)
  }
}
