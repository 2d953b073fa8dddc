extension StepBatch {
  /// Makes room for `count` rows of a pool's observations, which must be of this batch's shape.
  public mutating func prepare(count: Int, for space: Box) {
    precondition(observationSpace == space, "a batch of \(observationSpace) for observations of \(space)")
    prepare(count: count)
  }

  /// Copies one row of another batch of the same shape into one of this batch: how a view or a wrapper puts
  /// together what it got from several calls.
  public mutating func setRow(_ row: Int, from other: StepBatch, row source: Int) {
    setObservation(row, from: other, row: source)
    setOutcome(row, from: other, row: source)
  }

  /// Copies the observation of a row, from a batch of the same shape.
  public mutating func setObservation(_ row: Int, from other: StepBatch, row source: Int) {
    precondition(
      observationSpace == other.observationSpace,
      "rows of \(other.observationSpace) do not fit \(observationSpace)")
    let size = observationSpace.byteCount
    other.observations.withUnsafeBufferPointer { from in
      observations.withUnsafeMutableBufferPointer { to in
        (to.baseAddress! + row * size).update(from: from.baseAddress! + source * size, count: size)
      }
    }
  }

  /// Copies all of a row but its observation, from a batch of any shape.
  public mutating func setOutcome(_ row: Int, from other: StepBatch, row source: Int) {
    rewards[row] = other.rewards[source]
    terminated[row] = other.terminated[source]
    truncated[row] = other.truncated[source]
    faults[row] = other.faults[source]
    for (name, values) in other.auxiliaries { setAuxiliary(name, row: row, values[source]) }
  }
}
