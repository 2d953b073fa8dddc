/// What a reset or a step gives back, one row for each slot of the call, in the call's order.
///
/// The caller owns the batch and passes it in again and again: the arrays grow to the largest call
/// and are then reused. Row `i` belongs to `slots[i]`.
public struct StepBatch: Sendable {
  public private(set) var count: Int = 0
  public let observationSpace: Box
  /// `[count, height, width, channels]`, UInt8.
  public var observations: [UInt8] = []
  /// `[count]`: what the step earned; 0 after a reset.
  public var rewards: [Float] = []
  /// `[count]`: the episode ended by itself; its future is worth nothing.
  public var terminated: [Bool] = []
  /// `[count]`: the episode was cut; its future still has a value.
  public var truncated: [Bool] = []
  /// `[count]`: what went wrong in this slot alone. Where it is set, the row's other values mean nothing.
  public var faults: [EnvironmentError?] = []
  /// `[count]` each, by name: the auxiliaries that were negotiated; NaN for slots that did not ask.
  public var auxiliaries: [String: [Float]] = [:]
  /// The last observation of an episode that the same call already replaced with a new start
  /// (same-step autoreset), by row. Empty for pools, which never reset by themselves.
  public var finalObservations: [Int: [UInt8]] = [:]

  public init(observationSpace: Box) {
    self.observationSpace = observationSpace
  }

  /// Makes room for `count` rows and clears flags, rewards, faults and auxiliaries.
  public mutating func prepare(count: Int) {
    self.count = count
    let bytes = count * observationSpace.byteCount
    if observations.count != bytes {
      if observations.count > bytes {
        observations.removeLast(observations.count - bytes)
      } else {
        observations.append(contentsOf: repeatElement(0, count: bytes - observations.count))
      }
    }
    fill(&rewards, 0)
    fill(&terminated, false)
    fill(&truncated, false)
    fill(&faults, nil)
    for name in auxiliaries.keys { fill(&auxiliaries[name]!, .nan) }
    if !finalObservations.isEmpty { finalObservations.removeAll(keepingCapacity: true) }
  }

  private func fill<Value>(_ values: inout [Value], _ value: Value) {
    if values.count == count {
      for i in 0..<count { values[i] = value }
    } else {
      values = Array(repeating: value, count: count)
    }
  }

  /// Sets one auxiliary of one row.
  public mutating func setAuxiliary(_ name: String, row: Int, _ value: Float) {
    if auxiliaries[name] == nil { auxiliaries[name] = Array(repeating: .nan, count: count) }
    auxiliaries[name]![row] = value
  }

  /// The bytes of one row's observation, `[height, width, channels]`.
  public func observation(_ row: Int) -> ArraySlice<UInt8> {
    observations[row * observationSpace.byteCount..<(row + 1) * observationSpace.byteCount]
  }

  /// Calls `body` with the bytes of one row's observation, for writing.
  public mutating func withObservation<Result>(
    _ row: Int, _ body: (UnsafeMutableBufferPointer<UInt8>) throws -> Result
  ) rethrows -> Result {
    let size = observationSpace.byteCount
    return try observations.withUnsafeMutableBufferPointer {
      try body(UnsafeMutableBufferPointer(rebasing: $0[row * size..<(row + 1) * size]))
    }
  }
}
