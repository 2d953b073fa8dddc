import Environments
import WireProtocol

/// One environment behind a socket, for asynchronous code.
///
/// It is an actor on a thread of its own: waiting for the server never blocks Swift's cooperative threads.
///
/// ```swift
/// let environment = try await RemoteEnvironment.connect("ipc:///run/genie.sock", environment: "Platformer-v1")
/// var observation = try await environment.reset(ResetOptions(seed: 7))
/// let transition = try await environment.step(2)
/// ```
public actor RemoteEnvironment {
  private let executor: ThreadExecutor
  private var pool: RemotePool?
  private var slot: Slot?

  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private init() { executor = ThreadExecutor(name: "genie environment") }

  // The goodbye waits for the server too, and so belongs on this actor's thread.
  isolated deinit { pool = nil }

  /// Connects and opens one slot.
  /// - Throws: what ``RemotePool`` throws.
  public static func connect(
    _ endpoint: String, environment: String? = nil, options: OpenOptions = OpenOptions(),
    retry: RetryPolicy = RetryPolicy(), keys: ClientKeys? = nil
  ) async throws(EnvironmentError) -> RemoteEnvironment {
    let remote = RemoteEnvironment()
    try await remote.open(endpoint, environment, options, retry, keys)
    return remote
  }

  private func open(
    _ endpoint: String, _ environment: String?, _ options: OpenOptions, _ retry: RetryPolicy,
    _ keys: ClientKeys?
  ) throws(EnvironmentError) {
    let pool = try RemotePool(endpoint, environment: environment, retry: retry, keys: keys)
    slot = try pool.open(options)
    self.pool = pool
  }

  /// What the environment is.
  public var specification: EnvironmentSpecification {
    get throws(EnvironmentError) { try opened().pool.specification }
  }

  /// Starts an episode.
  /// - Returns: the first observation, `[height, width, channels]`, UInt8.
  public func reset(_ options: ResetOptions = ResetOptions()) throws(EnvironmentError) -> [UInt8] {
    let (pool, slot) = try opened()
    var batch = pool.makeBatch()
    try pool.reset([slot], [options], into: &batch)
    if let fault = batch.faults[0] { throw fault }
    return batch.observations
  }

  /// - Parameter action: in `0..<actionSpace.count`.
  public func step(_ action: Int32) throws(EnvironmentError) -> Transition {
    let (pool, slot) = try opened()
    var batch = pool.makeBatch()
    try pool.step([slot], [action], into: &batch)
    if let fault = batch.faults[0] { throw fault }
    return Transition(
      observation: batch.observations, reward: batch.rewards[0], terminated: batch.terminated[0],
      truncated: batch.truncated[0], auxiliaries: batch.auxiliaries.mapValues { $0[0] })
  }

  /// The whole state of the world, as bytes that name what they can be restored into.
  public func snapshot() throws(EnvironmentError) -> [UInt8] {
    let (pool, slot) = try opened()
    return try pool.snapshot(slot)
  }

  /// Puts the world into a state that was kept.
  public func restore(_ snapshot: [UInt8]) throws(EnvironmentError) {
    let (pool, slot) = try opened()
    try pool.restore(slot, from: snapshot)
  }

  /// Ends the session. The environment is of no more use.
  public func close() {
    if let slot { pool?.close(slot) }
    (pool, slot) = (nil, nil)
  }

  private func opened() throws(EnvironmentError) -> (pool: RemotePool, slot: Slot) {
    guard let pool, let slot else { throw .sessionLost(reason: "the environment was closed") }
    return (pool, slot)
  }
}

/// What a step brought.
public struct Transition: Sendable, Hashable {
  /// `[height, width, channels]`, UInt8.
  public var observation: [UInt8]
  public var reward: Float
  public var terminated: Bool
  public var truncated: Bool
  /// The auxiliaries that were asked for, by name.
  public var auxiliaries: [String: Float]

  /// Whether the episode is over, one way or the other.
  public var isLast: Bool { terminated || truncated }
}
