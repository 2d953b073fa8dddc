/// Checks that a pool keeps the contract of ``EnvironmentPool``: any pool, a game as well as a dream or a server.
///
/// ```swift
/// let findings = EnvironmentChecker { () throws(EnvironmentError) in GamePool(Platformer()) }.run()
/// print(findings.isEmpty ? "passes" : findings.map(\.description).joined(separator: "\n"))
/// ```
public struct EnvironmentChecker {
  /// What is checked.
  public enum Check: String, CaseIterable, Sendable {
    /// Spaces, names, horizon and limits make sense.
    case specification
    /// A reset gives observations of the space, no reward, no end.
    case reset
    /// The same seed and actions give the same episode, in a fresh pool and in a used slot.
    case determinism
    /// Without any seed a run repeats as well.
    case unseededRuns
    /// Stepping any subset of the slots in any order changes no episode.
    case anySubsetAnyOrder
    case invalidAction
    case needsReset
    /// A horizon truncates; the episode is then over until a reset.
    case stepAfterEnd
    /// Faults of some rows leave the other rows, and their own slots, as they were.
    case faultsStayInTheirSlot
    case countMismatch
    case repeatedSlot
    case unknownSlot
    case closedSlot
    /// Options that nobody offered are refused; those that are offered work.
    case options
    /// A batch that was used for another call is as good as a new one.
    case batchReuse
    /// Snapshot, restore and fork continue an episode exactly (``Snapshotting`` pools only).
    case snapshots
  }

  /// A rule that is broken, and how it showed.
  public struct Finding: Hashable, Sendable, CustomStringConvertible {
    public let check: Check
    public let reason: String

    public var description: String { "\(check.rawValue): \(reason)" }
  }

  typealias Factory = () throws(EnvironmentError) -> any EnvironmentPool

  let makePool: Factory
  let steps: Int

  /// - Parameters:
  ///   - steps: how far episodes are followed; fewer are quicker where a step is dear.
  ///   - makePool: makes a fresh pool for every check; its slots must allow five at once.
  public init(steps: Int = 24, _ makePool: @escaping () throws(EnvironmentError) -> any EnvironmentPool) {
    precondition(steps >= 4, "an episode of \(steps) steps shows too little")
    self.steps = steps
    self.makePool = makePool
  }

  /// Runs every check.
  /// - Returns: what is wrong; nothing, if the pool keeps the contract.
  public func run(_ checks: [Check] = Check.allCases) -> [Finding] {
    checks.compactMap { check in
      do throws(EnvironmentError) {
        return try perform(check).map { Finding(check: check, reason: $0) }
      } catch {
        return Finding(check: check, reason: "it threw: \(error)")
      }
    }
  }

  /// The reason why a check fails, or nil.
  private func perform(_ check: Check) throws(EnvironmentError) -> String? {
    switch check {
    case .specification: try checkSpecification()
    case .reset: try checkReset()
    case .determinism: try checkDeterminism()
    case .unseededRuns: try checkUnseededRuns()
    case .anySubsetAnyOrder: try checkAnySubsetAnyOrder()
    case .invalidAction: try checkInvalidAction()
    case .needsReset: try checkNeedsReset()
    case .stepAfterEnd: try checkStepAfterEnd()
    case .faultsStayInTheirSlot: try checkFaultsStayInTheirSlot()
    case .countMismatch: try checkCountMismatch()
    case .repeatedSlot: try checkRepeatedSlot()
    case .unknownSlot: try checkUnknownSlot()
    case .closedSlot: try checkClosedSlot()
    case .options: try checkOptions()
    case .batchReuse: try checkBatchReuse()
    case .snapshots: try checkSnapshots()
    }
  }
}
