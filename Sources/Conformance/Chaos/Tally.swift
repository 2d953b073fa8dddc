import Environments

/// A game whose picture tells how often it was stepped, and with which actions: what is lost or doubled shows
/// at once.
public struct Tally: Game {
  public let specification = EnvironmentSpecification(
    name: "Tally-v1", observationSpace: Box(height: 1, width: 4, channels: 3), actionSpace: Discrete(8))

  public private(set) var steps: UInt32 = 0
  public private(set) var hash: UInt64 = 0

  public init() {}

  public mutating func reset(seed: UInt64, level: Int?) { (steps, hash) = (0, SplitMix64.mix(seed)) }

  public mutating func step(_ action: Int32) -> GameOutcome {
    steps += 1
    hash = SplitMix64.mix(hash ^ UInt64(UInt32(bitPattern: action)))
    return GameOutcome(reward: Float(action))
  }

  /// The bytes of ``steps`` and ``hash``.
  public func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) {
    for index in 0..<4 { pixels[index] = UInt8(truncatingIfNeeded: steps >> UInt32(8 * index)) }
    for index in 0..<8 { pixels[4 + index] = UInt8(truncatingIfNeeded: hash >> UInt64(8 * index)) }
  }

  public func auxiliary(_ name: String) -> Float { .nan }

  public func save(to snapshot: inout SnapshotWriter) {
    snapshot.write(steps)
    snapshot.write(hash)
  }

  public mutating func load(from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    steps = try snapshot.read(UInt32.self)
    hash = try snapshot.read(UInt64.self)
  }
}
