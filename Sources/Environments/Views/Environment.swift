/// One environment: the simplest view of a pool.
///
/// ```swift
/// var environment = try Environment(GamePool(Platformer()))
/// try environment.reset(ResetOptions(seed: 7))
/// while true {
///   let step = try environment.step(2)
///   if step.terminated || step.truncated { break }
/// }
/// ```
public struct Environment {
  /// What a step brought, apart from the observation.
  public struct Step: Sendable, Hashable {
    public let reward: Float
    public let terminated: Bool
    public let truncated: Bool
    /// What was asked for when the environment was made, by name.
    public let auxiliaries: [String: Float]
  }

  public private(set) var pool: any EnvironmentPool
  public let slot: Slot
  private var batch: StepBatch

  /// Opens one slot.
  public init(
    _ pool: any EnvironmentPool, options: OpenOptions = OpenOptions()
  ) throws(EnvironmentError) {
    var pool = pool
    slot = try pool.open(options)
    batch = pool.makeBatch()
    batch.prepare(count: 1)
    self.pool = pool
  }

  public var specification: EnvironmentSpecification { pool.specification }

  /// The last observation, `[height, width, channels]`; black before the first reset.
  public var observation: ArraySlice<UInt8> { batch.observation(0) }

  /// Starts an episode.
  /// - Throws: also what the pool reports as the slot's own fault.
  public mutating func reset(_ options: ResetOptions = ResetOptions()) throws(EnvironmentError) {
    try pool.reset([slot], [options], into: &batch)
    if let fault = batch.faults[0] { throw fault }
  }

  /// - Throws: also what the pool reports as the slot's own fault, such as ``EnvironmentError/needsReset``.
  public mutating func step(_ action: Int32) throws(EnvironmentError) -> Step {
    try pool.step([slot], [action], into: &batch)
    if let fault = batch.faults[0] { throw fault }
    return Step(
      reward: batch.rewards[0], terminated: batch.terminated[0], truncated: batch.truncated[0],
      auxiliaries: batch.auxiliaries.mapValues { $0[0] })
  }

  /// Closes the slot.
  public mutating func close() {
    pool.close(slot)
  }
}
