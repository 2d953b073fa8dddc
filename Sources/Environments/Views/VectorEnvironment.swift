/// A fixed number of slots of a pool that are stepped together and start new episodes by themselves.
///
/// ```swift
/// var environments = try VectorEnvironment(GamePool(Platformer()), count: 8)
/// var batch = environments.makeBatch()
/// try environments.reset(seed: 1, into: &batch)
/// try environments.step(actions, into: &batch)  // row i belongs to environment i
/// ```
public struct VectorEnvironment {
  public private(set) var pool: any EnvironmentPool
  public let slots: [Slot]
  public let autoreset: AutoresetMode
  /// Rows whose next step is a reset: their episode has ended (next-step mode), or a start of theirs failed.
  private var isDue: [Bool]
  /// For the calls that concern only some of the rows.
  private var partial: StepBatch
  /// Starts of the rows that were due, where the step of the others threw: the call that repeats it does only what is left.
  private var starts: StepBatch
  private var started: [Int]?
  /// What the step came to, where the starts of the rows that it ended threw.
  private var unfinished: StepBatch?

  /// Opens `count` slots.
  /// - Throws: what the pool throws when it is asked for the slots.
  public init(
    _ pool: any EnvironmentPool, count: Int, autoreset: AutoresetMode = .nextStep,
    options: OpenOptions = OpenOptions()
  ) throws(EnvironmentError) {
    precondition(count > 0, "a vector of \(count) environments")
    var pool = pool
    var slots: [Slot] = []
    for _ in 0..<count { slots.append(try pool.open(options)) }
    self.pool = pool
    self.slots = slots
    self.autoreset = autoreset
    isDue = Array(repeating: false, count: count)
    partial = pool.makeBatch()
    starts = pool.makeBatch()
  }

  public var count: Int { slots.count }
  public var specification: EnvironmentSpecification { pool.specification }
  public var observationSpace: Box { pool.observationSpace }
  public var actionSpace: Discrete { pool.actionSpace }

  public func makeBatch() -> StepBatch { pool.makeBatch() }

  /// Starts an episode in every slot; slot `i` with the seed `seed + i`, without one each continues its own.
  public mutating func reset(seed: UInt64? = nil, into batch: inout StepBatch) throws(EnvironmentError) {
    try reset((0..<count).map { row in ResetOptions(seed: seed.map { $0 &+ UInt64(row) }) }, into: &batch)
  }

  /// - Parameter options: one for each slot.
  public mutating func reset(_ options: [ResetOptions], into batch: inout StepBatch) throws(EnvironmentError)
  {
    try pool.reset(slots, options, into: &batch)
    for row in 0..<count { isDue[row] = false }
    (started, unfinished) = (nil, nil)
  }

  /// Starts an episode in some of the slots and replaces their rows of the batch, leaving the others.
  /// - Parameter rows: each at most once, in `0..<count`.
  public mutating func reset(
    rows: [Int], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    precondition(batch.count == count, "a batch of \(batch.count) rows for \(count) environments")
    (started, unfinished) = (nil, nil)
    try pool.reset(rows.map { slots[$0] }, options, into: &partial)
    for (source, row) in rows.enumerated() {
      batch.setRow(row, from: partial, row: source)
      isDue[row] = false
    }
  }

  /// Where it throws, the same call may be repeated: what was done of it is not done again.
  /// - Parameter actions: one for each slot; that of a slot which is reset by this step is ignored.
  public mutating func step(_ actions: [Int32], into batch: inout StepBatch) throws(EnvironmentError) {
    guard actions.count == count else {
      throw .countMismatch(what: "actions", expected: count, found: actions.count)
    }
    if let stepped = unfinished {
      batch = stepped
    } else if isDue.contains(true) {
      try stepAndResetDue(actions, into: &batch)
    } else {
      try pool.step(slots, actions, into: &batch)
    }
    switch autoreset {
    case .nextStep:
      for row in 0..<count where batch.terminated[row] || batch.truncated[row] { isDue[row] = true }
    case .sameStep:
      do throws(EnvironmentError) { try replaceEnded(in: &batch) } catch {
        unfinished = batch
        throw error
      }
      unfinished = nil
    case .disabled: break
    }
  }

  private mutating func stepAndResetDue(_ actions: [Int32], into batch: inout StepBatch)
    throws(EnvironmentError)
  {
    let due = (0..<count).filter { isDue[$0] }
    let running = (0..<count).filter { !isDue[$0] }
    if started != due {
      try pool.reset(due.map { slots[$0] }, due.map { _ in ResetOptions() }, into: &starts)
      started = due
    }
    if !running.isEmpty {
      try pool.step(running.map { slots[$0] }, running.map { actions[$0] }, into: &partial)
    }
    started = nil
    batch.prepare(count: count)
    for (source, row) in due.enumerated() {
      batch.setRow(row, from: starts, row: source)
      // A start that failed is tried again by the next step.
      isDue[row] = starts.faults[source] != nil
    }
    for (source, row) in running.enumerated() { batch.setRow(row, from: partial, row: source) }
  }

  private mutating func replaceEnded(in batch: inout StepBatch) throws(EnvironmentError) {
    let ended = (0..<count).filter { batch.terminated[$0] || batch.truncated[$0] }
    guard !ended.isEmpty else { return }
    try pool.reset(ended.map { slots[$0] }, ended.map { _ in ResetOptions() }, into: &partial)
    for (source, row) in ended.enumerated() {
      batch.finalObservations[row] = Array(batch.observation(row))
      batch.setObservation(row, from: partial, row: source)
      if let fault = partial.faults[source] {
        batch.faults[row] = fault
        // A start that failed is tried again by the next step.
        isDue[row] = true
      }
    }
  }

  /// Closes the slots.
  public mutating func close() {
    for slot in slots { pool.close(slot) }
  }
}
