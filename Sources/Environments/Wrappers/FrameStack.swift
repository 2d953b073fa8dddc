/// Shows the last few frames at once, because one frame hides what moves.
///
/// Observations are `[height, width, frames * channels]`, the oldest frame's channels first. At the start of an
/// episode the first frame fills them all.
public struct FrameStack: Wrapper {
  public var base: any EnvironmentPool
  private let frames: Int
  private var inner: StepBatch
  /// `[frames, height, width, channels]` of each slot, the oldest first.
  private var histories: [Slot: [UInt8]] = [:]

  /// - Parameter frames: at least 1.
  public init(_ base: any EnvironmentPool, frames: Int) {
    precondition(frames > 0, "a stack of \(frames) frames")
    self.base = base
    self.frames = frames
    inner = base.makeBatch()
  }

  public var specification: EnvironmentSpecification {
    var specification = base.specification
    specification.observationSpace.channels *= frames
    return specification
  }

  public mutating func close(_ slot: Slot) {
    base.close(slot)
    histories[slot] = nil
  }

  public mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.reset(slots, options, into: &inner)
    batch.prepare(count: slots.count, for: observationSpace)
    for (row, slot) in slots.enumerated() {
      batch.setOutcome(row, from: inner, row: row)
      guard inner.faults[row] == nil else { continue }
      var history: [UInt8] = []
      for _ in 0..<frames { history += inner.observation(row) }
      write(history, into: &batch, row: row)
      histories[slot] = history
    }
  }

  public mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.step(slots, actions, into: &inner)
    batch.prepare(count: slots.count, for: observationSpace)
    for (row, slot) in slots.enumerated() {
      batch.setOutcome(row, from: inner, row: row)
      guard inner.faults[row] == nil, var history = histories.removeValue(forKey: slot) else { continue }
      history.removeFirst(inner.observationSpace.byteCount)
      history += inner.observation(row)
      write(history, into: &batch, row: row)
      histories[slot] = history
    }
  }

  public func write(_ slot: Slot, to snapshot: inout SnapshotWriter) { snapshot.write(histories[slot] ?? []) }

  public mutating func read(_ slot: Slot, from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    let history = try snapshot.readBytes()
    // None before the first reset.
    guard history.isEmpty || history.count == frames * inner.observationSpace.byteCount else {
      throw .invalidSnapshot("it is of another number of frames")
    }
    histories[slot] = history.isEmpty ? nil : history
  }

  /// Interleaves the channels of the frames, pixel by pixel.
  private func write(_ history: [UInt8], into batch: inout StepBatch, row: Int) {
    let space = inner.observationSpace
    let pixels = space.height * space.width
    history.withUnsafeBufferPointer { source in
      batch.withObservation(row) { target in
        for frame in 0..<frames {
          for pixel in 0..<pixels {
            for channel in 0..<space.channels {
              target[(pixel * frames + frame) * space.channels + channel] =
                source[(frame * pixels + pixel) * space.channels + channel]
            }
          }
        }
      }
    }
  }
}
