/// What a reward model may remember of an episode: how often it saw what. Emptied at each start.
public struct EpisodeMemory: Sendable, Equatable {
  private var visits: [UInt64: Int] = [:]

  public init() {}

  /// Counts one more visit.
  /// - Returns: visits so far, this one included.
  public mutating func visit(_ place: UInt64) -> Int {
    visits[place, default: 0] += 1
    return visits[place]!
  }

  /// All of it as bytes, for snapshots: pairs of place and visits.
  public func encoded() -> [UInt8] {
    var bytes: [UInt8] = []
    for (place, count) in visits.sorted(by: { $0.key < $1.key }) {
      for value in [place, UInt64(count)] { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
    }
    return bytes
  }

  /// Takes back what ``encoded()`` gave; nil where the bytes are nothing of the kind.
  public init?(encoded bytes: [UInt8]) {
    guard bytes.count % 16 == 0 else { return nil }
    func value(at offset: Int) -> UInt64 {
      (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }
    for start in stride(from: 0, to: bytes.count, by: 16) {
      let count = value(at: start + 8)
      guard count > 0, count <= UInt64(Int32.max) else { return nil }
      visits[value(at: start)] = Int(count)
    }
  }
}
