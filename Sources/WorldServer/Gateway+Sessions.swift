import WireProtocol

extension Gateway {
  func lost(_ envelope: Envelope, _ peer: Frame) {
    statistics.lost += 1
    let reason =
      envelope.epoch == epoch || envelope.epoch == 0 ? "no such session" : "the server has restarted"
    refuse(envelope, .sessionLost, reason, to: peer)
  }

  /// Notes that a session lives that asks for nothing. Where it is kept its file is told, too, now and then: one
  /// that is too old is deleted at the next start.
  func touch(_ token: Identifier) {
    guard let session = sessions[token] else { return }
    sessions[token]?.lastSeen = .now
    let silence = ContinuousClock.now - session.lastTouched
    guard silence > .seconds(configuration.sessionSeconds / 4) else { return }
    sessions[token]?.lastTouched = .now
    stepper.journals?.touch(token)
  }

  /// Lets a session's request through to the environments, once (PROTOCOL.md section 2).
  func admit(_ message: Message, from peer: Frame, _ user: String) {
    let envelope = message.envelope
    if envelope.operation == .resume { return resume(message, from: peer, user) }
    if envelope.session == .none { return start(message, from: peer, user) }
    guard envelope.epoch == epoch, sessions.contains(envelope.session, user: user) else {
      return lost(envelope, peer)
    }
    proceed(message, in: envelope.session, from: peer)
  }

  /// An open that starts a session, or finds the one it has started.
  private func start(_ message: Message, from peer: Frame, _ user: String) {
    let envelope = message.envelope
    guard envelope.operation == .open else { return lost(envelope, peer) }
    guard envelope.nonce != .none, envelope.sequence == 1 else {
      return refuse(
        envelope, .malformed("an open that starts a session has a nonce and sequence 1"), to: peer)
    }
    guard envelope.epoch == 0 || envelope.epoch == epoch else { return lost(envelope, peer) }
    if let token = sessions.token(nonce: envelope.nonce, user: user) {
      return proceed(message, in: token, from: peer)
    }
    guard hasRoom(for: envelope, peer) else { return }
    let token = sessions.start(envelope, peer: peer, user: user)
    if submit(message, token, user, to: peer) {
      statistics.sessionsStarted += 1
    } else {
      sessions.end(token)
    }
  }

  /// A session of an earlier incarnation; one of this one is there already.
  private func resume(_ message: Message, from peer: Frame, _ user: String) {
    let envelope = message.envelope
    if let session = sessions[envelope.session] {
      guard session.user == user else { return lost(envelope, peer) }
      sessions[envelope.session]?.peer = peer
      sessions[envelope.session]?.lastSeen = .now
      if !session.isResuming { reply(envelope, json: ResumeReply(accepted: session.accepted), to: peer) }
      return
    }
    guard configuration.persistence != nil, envelope.session != .none else { return lost(envelope, peer) }
    guard hasRoom(for: envelope, peer) else { return }
    sessions.resume(envelope.session, peer: peer, user: user)
    if !submit(message, envelope.session, user, to: peer) { sessions.end(envelope.session) }
  }

  private func hasRoom(for envelope: Envelope, _ peer: Frame) -> Bool {
    guard sessions.isFull else { return true }
    refuse(envelope, .busy, "all sessions are taken", to: peer)
    return false
  }

  private func proceed(_ message: Message, in token: Identifier, from peer: Frame) {
    guard let session = sessions[token] else { return }
    let envelope = message.envelope
    sessions[token]?.lastSeen = .now
    switch session.verdict(envelope) {
    case .repeatReply:
      statistics.repeated += 1
      sessions[token]?.peer = peer
      send(session.reply, to: peer)
    case .wait: sessions[token]?.peer = peer
    case .stale:
      statistics.stale += 1
      refuse(envelope, .stale, "sequence \(envelope.sequence); the last was \(session.accepted)", to: peer)
    case .gap:
      statistics.gaps += 1
      let state = session.isInFlight ? ", which is not answered yet" : ""
      refuse(
        envelope, .gap, "sequence \(envelope.sequence); the last was \(session.accepted)\(state)", to: peer)
    case .execute:
      guard submit(message, token, session.user, to: peer) else { return }
      sessions[token]?.accept(envelope, from: peer)
    }
  }

  /// Puts a request where it will be done; one that is malformed, or too much, is answered here.
  private func submit(_ message: Message, _ token: Identifier, _ user: String, to peer: Frame) -> Bool {
    guard queue.hasRoom else {
      refuse(message.envelope, .busy, "too many requests are waiting", to: peer)
      return false
    }
    do throws(WireError) {
      arrived = try Work(session: token, user: user, reading: message, within: configuration.limits)
      return true
    } catch {
      refuse(message.envelope, error, to: peer)
      return false
    }
  }

  /// Does what has arrived, or sees that it will be done.
  func dispatch() {
    guard let work = arrived else { return }
    arrived = nil
    if let answers = stepper.attempt(work) {
      for answer in answers { finish(answer) }
    } else {
      queue.submit(work)
    }
  }

  /// Sends an answer and keeps it for whoever asks again.
  func finish(_ completion: Completion) {
    let token = completion.session
    guard let peer = sessions[token]?.peer else { return }
    if completion.endsSession {
      sessions.end(token)
    } else {
      sessions[token]?.answer(completion)
      if completion.resumed != nil { statistics.sessionsResumed += 1 }
    }
    send(completion.frames, to: peer)
  }
}
