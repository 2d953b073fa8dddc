/// `Noop-v1`: the same picture for ever, whatever one does. It measures the way to an environment, not the
/// environment.
public struct Noop: Game {
  public let specification = EnvironmentSpecification(
    name: "Noop-v1", observationSpace: Box(height: 64, width: 64), actionSpace: Discrete(8), horizon: nil,
    auxiliaries: [])

  public init() {}

  public mutating func reset(seed: UInt64, level: Int?) {}

  public mutating func step(_ action: Int32) -> GameOutcome { GameOutcome() }

  /// A flat grey.
  public func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) {
    pixels.update(repeating: 128)
  }

  public func auxiliary(_ name: String) -> Float { .nan }

  public func save(to snapshot: inout SnapshotWriter) {}

  public mutating func load(from snapshot: inout SnapshotReader) {}
}
