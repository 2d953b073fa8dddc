/// A place in a pool where one environment lives, from `open` to `close`.
///
/// A slot is never reused: an index may be, but then with another generation, so that a slot
/// kept after its close is a typed error and never somebody else's environment.
public struct Slot: Hashable, Sendable, Codable {
  public let index: Int32
  public let generation: UInt32

  public init(index: Int32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}
