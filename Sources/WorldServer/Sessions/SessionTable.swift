import WireProtocol

/// All sessions, by token and by the nonce of the open that started them.
struct SessionTable {
  private var sessions: [Identifier: Session] = [:]
  private var tokens: [Identifier: Identifier] = [:]
  private let limit: Int

  init(limit: Int) { self.limit = limit }

  var count: Int { sessions.count }
  var isFull: Bool { sessions.count >= limit }

  subscript(token: Identifier) -> Session? {
    _read { yield sessions[token] }
    _modify { yield &sessions[token] }
  }

  /// The session that an open of this user with this nonce has started.
  func token(nonce: Identifier, user: String) -> Identifier? {
    tokens[nonce].flatMap { sessions[$0]?.user == user ? $0 : nil }
  }

  /// Whether there is such a session of this user.
  func contains(_ token: Identifier, user: String) -> Bool { sessions[token]?.user == user }

  /// Starts a session with the request that opens it in flight.
  mutating func start(_ envelope: Envelope, peer: Frame, user: String) -> Identifier {
    let token = Identifier.random()
    tokens[envelope.nonce] = token
    sessions[token] = Session(
      token: token, nonce: envelope.nonce, user: user, peer: peer, accepted: envelope.sequence,
      operation: envelope.operationCode, isInFlight: true, lastSeen: .now)
    return token
  }

  /// Makes room for a session of an earlier incarnation, which is in flight until it is taken up.
  mutating func resume(_ token: Identifier, peer: Frame, user: String) {
    sessions[token] = Session(
      token: token, nonce: .none, user: user, peer: peer, accepted: 0,
      operation: WireProtocol.Operation.resume.rawValue, isInFlight: true, isResuming: true, lastSeen: .now)
  }

  mutating func end(_ token: Identifier) {
    guard let session = sessions.removeValue(forKey: token) else { return }
    if session.nonce != .none { tokens[session.nonce] = nil }
  }

  /// Ends and tells the sessions that have been silent for longer than `time`.
  mutating func expire(after time: Duration, now: ContinuousClock.Instant = .now) -> [Identifier] {
    let expired = sessions.values.filter { !$0.isInFlight && now - $0.lastSeen > time }.map(\.token)
    for token in expired { end(token) }
    return expired
  }
}
