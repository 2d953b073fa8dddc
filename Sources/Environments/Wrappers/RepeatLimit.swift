/// Ends an episode that has shown nothing new for a number of steps.
///
/// Where a dream misses a death, or closes a way that the game leaves open, it goes on and shows the same few frames again, whatever is
/// done; who practises there spends many steps in such places, and learns that they are safe. Nothing is earned after the end, as
/// after a death.
public struct RepeatLimit: Wrapper {
  public var base: any EnvironmentPool
  private let limit: Int
  private var ended = EarlyEnds()
  private var histories: [Slot: History] = [:]

  /// What a slot has shown.
  private struct History {
    /// The last ``memory`` frames that were new, the oldest first.
    var frames: [Thumbnail] = []
    /// Steps since the last of them.
    var repeats = 0
  }

  /// So many frames are remembered.
  private static let memory = 64

  /// - Parameter steps: without a new frame, after which an episode ends; at least 1. An agent that has reason to wait, or to go to and fro,
  ///   needs more than it does so.
  public init(_ base: any EnvironmentPool, steps limit: Int) {
    precondition(limit > 0, "a limit of \(limit) steps")
    self.base = base
    self.limit = limit
  }

  public var specification: EnvironmentSpecification { base.specification }

  public mutating func close(_ slot: Slot) {
    base.close(slot)
    ended.remove(slot)
    histories[slot] = nil
  }

  public mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.reset(slots, options, into: &batch)
    for (row, slot) in slots.enumerated() where batch.faults[row] == nil {
      ended.remove(slot)
      histories[slot] = History(frames: [Thumbnail(batch.observation(row), batch.observationSpace)])
    }
  }

  public mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try ended.step(&base, slots, actions, into: &batch)
    for (row, slot) in slots.enumerated() where batch.faults[row] == nil {
      let shown = Thumbnail(batch.observation(row), batch.observationSpace)
      var history = histories.removeValue(forKey: slot) ?? History()
      if history.frames.contains(where: { $0.resembles(shown) }) {
        history.repeats += 1
      } else {
        history.repeats = 0
        history.frames.append(shown)
        if history.frames.count > Self.memory { history.frames.removeFirst() }
      }
      if history.repeats >= limit {
        batch.terminated[row] = true
        batch.truncated[row] = false
        ended.insert(slot)
      }
      histories[slot] = history
    }
  }

  public func write(_ slot: Slot, to snapshot: inout SnapshotWriter) {
    ended.write(slot, to: &snapshot)
    let history = histories[slot] ?? History()
    snapshot.write(UInt32(history.repeats))
    snapshot.write(history.frames.flatMap(\.cells))
  }

  public mutating func read(_ slot: Slot, from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    var kept = ended
    try kept.read(slot, from: &snapshot)
    let (repeats, cells) = (Int(try snapshot.read(UInt32.self)), try snapshot.readBytes())
    let size = Thumbnail.size(specification.observationSpace)
    guard cells.count % size == 0, cells.count / size <= Self.memory, repeats <= limit else {
      throw .invalidSnapshot("what it remembers of its episode is of another size")
    }
    ended = kept
    histories[slot] = History(
      frames: stride(from: 0, to: cells.count, by: size).map {
        Thumbnail(cells: Array(cells[$0..<$0 + size]))
      },
      repeats: repeats)
  }
}

/// A frame's means over a coarse grid: what a decoder draws of the same tokens twice can differ by a grey level or two.
private struct Thumbnail {
  /// `[grid, grid, channels]`
  let cells: [UInt8]

  private static let grid = 16
  private static let tolerance = 6

  init(cells: [UInt8]) { self.cells = cells }

  init(_ frame: ArraySlice<UInt8>, _ space: Box) {
    let (grid, channels) = (Self.grid, space.channels)
    var sums = [UInt32](repeating: 0, count: Self.size(space))
    var counts = [UInt32](repeating: 0, count: grid * grid)
    let columns = (0..<space.width).map { $0 * grid / space.width }
    frame.withUnsafeBufferPointer { pixels in
      var byte = 0
      for y in 0..<space.height {
        let row = y * grid / space.height * grid
        for column in columns {
          counts[row + column] += 1
          for channel in 0..<channels {
            sums[(row + column) * channels + channel] += UInt32(pixels[byte])
            byte += 1
          }
        }
      }
    }
    cells = sums.indices.map { UInt8(sums[$0] / max(1, counts[$0 / channels])) }
  }

  static func size(_ space: Box) -> Int { grid * grid * space.channels }

  func resembles(_ other: Thumbnail) -> Bool {
    cells.withUnsafeBufferPointer { mine in
      other.cells.withUnsafeBufferPointer { others in
        // Most of two frames of a world is alike, so that looking on costs less than looking whether to.
        var farthest: UInt8 = 0
        for cell in mine.indices {
          farthest = max(farthest, max(mine[cell], others[cell]) - min(mine[cell], others[cell]))
        }
        return farthest <= Self.tolerance
      }
    }
  }
}
