/// What every provider of environments implements: dreams, games, remote worlds and wrappers alike.
///
/// A pool holds slots; a slot holds one environment. Any subset of the open slots is stepped in one call, in any
/// order, so that a provider can batch its work and a server can serve whoever is waiting. A pool is
/// synchronous and belongs to one thread at a time; it writes into the caller's buffers.
///
/// The contract, checked by ``EnvironmentChecker``:
/// - Calls are all or nothing in what they check beforehand: an unknown or repeated slot, or a count
///   that differs, throws and changes nothing.
/// - What fails in one slot alone (an action out of range, a step after the end) is that row's fault in
///   the batch; the slot's state stays as it was (but for ``EnvironmentError/fault(_:)``,
///   after which it is lost), and the other rows are as if it had not been there.
/// - A pool never resets a slot by itself. After `terminated` or `truncated` the slot waits for a reset.
/// - The same seed and the same actions give the same episode, bit for bit, whatever else is stepped.
public protocol EnvironmentPool {
  var specification: EnvironmentSpecification { get }

  /// Opens a slot. Nothing can be observed before its first reset.
  mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot

  /// Starts an episode in each of the slots and writes the first observations.
  mutating func reset(_ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch)
    throws(EnvironmentError)

  /// Steps any subset of the open slots, in any order, once.
  /// - Parameter actions: one code in `0..<actionSpace.count` for each slot.
  mutating func step(_ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch)
    throws(EnvironmentError)

  /// Closes a slot; closing one that is not open does nothing.
  mutating func close(_ slot: Slot)
}

extension EnvironmentPool {
  public var observationSpace: Box { specification.observationSpace }
  public var actionSpace: Discrete { specification.actionSpace }

  /// An empty batch of this pool's shape.
  public func makeBatch() -> StepBatch { StepBatch(observationSpace: observationSpace) }
}
