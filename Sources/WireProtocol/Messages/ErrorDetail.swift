import Environments

/// The metadata of an error: words for people, and the data of the case (PROTOCOL.md section 5).
public struct ErrorDetail: Codable, Hashable, Sendable {
  public var message: String
  public var slot: Int32?
  public var limit: Int?
  public var what: String?
  public var expected: Int?
  public var found: Int?
  public var action: Int32?
  public var count: Int?
  public var level: Int?
  public var name: String?
  public var reason: String?
  public var offered: [String]?
  public var endpoint: String?
  public var operation: String?
  public var seconds: Double?
  /// Only with UNSUPPORTED_VERSION: those that the server speaks.
  public var versions: [UInt16]?

  public init(message: String) { self.message = message }

  /// What a server tells of an environment's error.
  public init(_ error: EnvironmentError) {
    self.init(message: error.description)
    switch error {
    case .unknownSlot(let slot), .repeatedSlot(let slot): self.slot = slot.index
    case .tooManySlots(let limit): self.limit = limit
    case .countMismatch(let what, let expected, let found):
      (self.what, self.expected, self.found) = (what, expected, found)
    case .invalidAction(let action, let count): (self.action, self.count) = (action, count)
    case .needsReset: break
    case .unknownLevel(let level, let count): (self.level, self.count) = (level, count)
    case .unknownAuxiliary(let name, let offered), .unknownEnvironment(let name, let offered):
      (self.name, self.offered) = (name, offered)
    case .invalidOption(let name, let reason): (self.name, self.reason) = (name, reason)
    case .unsupported(let what): self.what = what
    case .disconnected(let endpoint, let reason): (self.endpoint, self.reason) = (endpoint, reason)
    case .timedOut(let operation, let seconds): (self.operation, self.seconds) = (operation, seconds)
    case .busy(let seconds): self.seconds = seconds
    case .invalidPrompt(let reason), .invalidSnapshot(let reason), .sessionLost(let reason),
      .refused(let reason), .fault(let reason):
      self.reason = reason
    }
  }

  /// What an agent is told: the error that was at the server, or, of the protocol's own errors, the nearest.
  /// Data that is absent is 0 or empty.
  public func error(statusCode: UInt8, retryAfterSeconds: Double = 0) -> EnvironmentError {
    let slot = Slot(index: self.slot ?? -1, generation: 0)
    switch Status(rawValue: statusCode) {
    case .unknownSlot: return .unknownSlot(slot)
    case .repeatedSlot: return .repeatedSlot(slot)
    case .tooManySlots: return .tooManySlots(limit: limit ?? 0)
    case .countMismatch: return .countMismatch(what: what ?? "", expected: expected ?? 0, found: found ?? 0)
    case .invalidAction: return .invalidAction(action ?? 0, count: count ?? 0)
    case .needsReset: return .needsReset
    case .unknownLevel: return .unknownLevel(level ?? 0, count: count ?? 0)
    case .unknownAuxiliary: return .unknownAuxiliary(name ?? "", offered: offered ?? [])
    case .invalidOption: return .invalidOption(name: name ?? "", reason: reason ?? "")
    case .invalidPrompt: return .invalidPrompt(reason: reason ?? "")
    case .invalidSnapshot: return .invalidSnapshot(reason ?? message)
    case .unknownEnvironment: return .unknownEnvironment(name ?? "", offered: offered ?? [])
    case .unsupported: return .unsupported(what ?? message)
    case .disconnected: return .disconnected(endpoint: endpoint ?? "", reason: reason ?? "")
    case .timedOut: return .timedOut(operation: operation ?? "", seconds: seconds ?? 0)
    case .fault: return .fault(reason ?? message)
    case .upstreamBusy: return .busy(retryAfterSeconds: seconds ?? 0)
    case .upstreamRefused: return .refused(reason: reason ?? message)
    case .upstreamLost: return .sessionLost(reason: reason ?? message)
    case .busy: return .busy(retryAfterSeconds: retryAfterSeconds)
    case .stale, .gap, .sessionLost: return .sessionLost(reason: message)
    case .malformed, .unsupportedVersion, .unknownOperation, .corrupt, .tooLarge, .refused:
      return .refused(reason: message)
    case .internal: return .fault(message)
    case .ok, nil: return .fault("status \(statusCode): \(message)")
    }
  }
}

extension Status {
  /// The code of an environment's error.
  public init(_ error: EnvironmentError) {
    self =
      switch error {
      case .unknownSlot: .unknownSlot
      case .repeatedSlot: .repeatedSlot
      case .tooManySlots: .tooManySlots
      case .countMismatch: .countMismatch
      case .invalidAction: .invalidAction
      case .needsReset: .needsReset
      case .unknownLevel: .unknownLevel
      case .unknownAuxiliary: .unknownAuxiliary
      case .invalidOption: .invalidOption
      case .invalidPrompt: .invalidPrompt
      case .invalidSnapshot: .invalidSnapshot
      case .unknownEnvironment: .unknownEnvironment
      case .unsupported: .unsupported
      case .disconnected: .disconnected
      case .timedOut: .timedOut
      case .sessionLost: .upstreamLost
      case .busy: .upstreamBusy
      case .refused: .upstreamRefused
      case .fault: .fault
      }
  }
}
