import WireProtocol

/// A session as the I/O thread knows it: who asks, how far it is, and its last reply.
struct Session {
  let token: Identifier
  let nonce: Identifier
  /// The public key of the client whose session it is; empty without CURVE. For anybody else there is no such
  /// session.
  let user: String
  /// The connection of the latest request, where the reply goes.
  var peer: Frame
  /// The last sequence number that was used up, or is being.
  var accepted: UInt64
  /// The operation of that number.
  var operation: UInt8
  var isInFlight: Bool
  /// Whether it is being taken up from an earlier incarnation.
  var isResuming = false
  /// The reply to `accepted`, where nothing is in flight.
  var reply: [Frame] = []
  var lastSeen: ContinuousClock.Instant
  /// When the file of a session that is kept was last told that it lives.
  var lastTouched = ContinuousClock.now

  /// What is to be done with a request (PROTOCOL.md section 2).
  enum Verdict: Equatable {
    case execute
    /// Send the cached reply again.
    case repeatReply
    /// It is being executed: its reply will come.
    case wait
    case stale
    case gap
  }

  func verdict(_ envelope: Envelope) -> Verdict {
    if envelope.sequence == accepted {
      guard envelope.operationCode == operation else { return .stale }
      return isInFlight ? .wait : .repeatReply
    }
    if envelope.sequence < accepted { return .stale }
    return envelope.sequence - 1 == accepted && !isInFlight ? .execute : .gap
  }

  /// Notes a request that is being done.
  mutating func accept(_ envelope: Envelope, from peer: Frame) {
    self.peer = peer
    accepted = envelope.sequence
    operation = envelope.operationCode
    isInFlight = true
    reply = []
  }

  /// Notes the answer to what was in flight.
  mutating func answer(_ completion: Completion) {
    isInFlight = false
    lastSeen = .now
    if let resumed = completion.resumed {
      isResuming = false
      (accepted, operation, reply) = (resumed.accepted, resumed.operation, resumed.reply)
    } else {
      reply = completion.frames
    }
  }
}
