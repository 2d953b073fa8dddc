/// Everything that can go wrong between an agent and an environment.
///
/// A case carries data; its text is made in `description`, for the edge that shows it.
public enum EnvironmentError: Error, Hashable, Sendable {
  /// The slot was never opened here, or was closed.
  case unknownSlot(Slot)
  /// The same slot twice in one call.
  case repeatedSlot(Slot)
  /// No more slots than `limit` can be open.
  case tooManySlots(limit: Int)
  /// The numbers of slots and of what goes with them differ.
  case countMismatch(what: String, expected: Int, found: Int)
  case invalidAction(Int32, count: Int)
  /// A step in an episode that has ended, or that never began.
  case needsReset
  case unknownLevel(Int, count: Int)
  case unknownAuxiliary(String, offered: [String])
  case invalidOption(name: String, reason: String)
  case invalidPrompt(reason: String)
  /// Not a snapshot of this environment: of another model, precision or machine, or damaged.
  case invalidSnapshot(String)
  case unknownEnvironment(String, offered: [String])
  /// The provider does not do this (a snapshot of a game that has none, say).
  case unsupported(String)
  /// The other end cannot be reached, or went away: what was tried, and for how long.
  case disconnected(endpoint: String, reason: String)
  case timedOut(operation: String, seconds: Double)
  /// The session is gone at the server, and its episodes with it.
  case sessionLost(reason: String)
  /// The server has more to do than it takes on.
  case busy(retryAfterSeconds: Double)
  case refused(reason: String)
  /// A fault inside the provider; the slot is lost, the others are not.
  case fault(String)
}

extension EnvironmentError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownSlot(let slot):
      "slot \(slot.index) (generation \(slot.generation)) is not open: open one first"
    case .repeatedSlot(let slot): "slot \(slot.index) appears twice in one call"
    case .tooManySlots(let limit): "all \(limit) slots are open: close one first"
    case .countMismatch(let what, let expected, let found): "\(expected) slots, but \(found) \(what)"
    case .invalidAction(let action, let count): "action \(action) is outside 0..<\(count)"
    case .needsReset: "the episode has ended or never began: reset the slot first"
    case .unknownLevel(let level, let count): "level \(level) is outside 0..<\(count)"
    case .unknownAuxiliary(let name, let offered):
      "no auxiliary '\(name)'; offered: \(offered.joined(separator: ", "))"
    case .invalidOption(let name, let reason): "option '\(name)': \(reason)"
    case .invalidPrompt(let reason): "the prompt cannot be used: \(reason)"
    case .invalidSnapshot(let reason): "the snapshot cannot be restored: \(reason)"
    case .unknownEnvironment(let name, let offered):
      "no environment '\(name)'; offered: \(offered.joined(separator: ", "))"
    case .unsupported(let what): "not supported here: \(what)"
    case .disconnected(let endpoint, let reason): "\(endpoint): \(reason)"
    case .timedOut(let operation, let seconds): "no answer to '\(operation)' within \(seconds) s"
    case .sessionLost(let reason): "the session is lost: \(reason)"
    case .busy(let seconds): "the server is busy; try again in \(seconds) s"
    case .refused(let reason): "refused: \(reason)"
    case .fault(let reason): "the environment failed: \(reason)"
    }
  }
}
