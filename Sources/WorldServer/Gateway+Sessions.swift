import WireProtocol

extension Gateway {
  func lost(_ envelope: Envelope, _ peer: Frame) {
    statistics.lost += 1
    let reason =
      envelope.epoch == epoch || envelope.epoch == 0 ? "no such session" : "the server has restarted"
    refuse(envelope, .sessionLost, reason, to: peer)
  }

  /// Lets a session's request through to the environments, once (PROTOCOL.md section 2).
  func admit(_ message: Message, from peer: Frame) {
    let envelope = message.envelope
    if envelope.session == .none { return start(message, from: peer) }
    guard envelope.epoch == epoch, sessions[envelope.session] != nil else { return lost(envelope, peer) }
    proceed(message, in: envelope.session, from: peer)
  }

  /// An open that starts a session, or finds the one it has started.
  private func start(_ message: Message, from peer: Frame) {
    let envelope = message.envelope
    guard envelope.operation == .open else { return lost(envelope, peer) }
    guard envelope.nonce != .none, envelope.sequence == 1 else {
      return refuse(
        envelope, .malformed("an open that starts a session has a nonce and sequence 1"), to: peer)
    }
    guard envelope.epoch == 0 || envelope.epoch == epoch else { return lost(envelope, peer) }
    if let token = sessions.token(nonce: envelope.nonce) { return proceed(message, in: token, from: peer) }
    guard !sessions.isFull else { return refuse(envelope, .busy, "all sessions are taken", to: peer) }
    guard let kind = work(message, from: peer) else { return }
    let token = sessions.start(envelope, peer: peer)
    if submit(kind, message, token, to: peer) {
      statistics.sessionsStarted += 1
    } else {
      sessions.end(token)
    }
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
      guard let kind = work(message, from: peer), submit(kind, message, token, to: peer) else { return }
      sessions[token]?.peer = peer
      sessions[token]?.accepted = envelope.sequence
      sessions[token]?.operation = envelope.operationCode
      sessions[token]?.isInFlight = true
      sessions[token]?.reply = []
    }
  }

  /// What a request asks of the environments; a malformed one is answered here.
  private func work(_ message: Message, from peer: Frame) -> Work.Kind? {
    do throws(WireError) {
      switch message.envelope.operation {
      case .open: return .open(try message.json(as: OpenRequest.self))
      case .reset: return .reset(try ResetRequest(reading: message))
      case .step: return .step(try StepRequest(reading: message))
      default: return .close(try CloseRequest(reading: message))
      }
    } catch {
      refuse(message.envelope, error, to: peer)
      return nil
    }
  }

  private func submit(_ kind: Work.Kind, _ message: Message, _ token: Identifier, to peer: Frame) -> Bool {
    var envelope = message.envelope
    envelope.session = token
    if queue.submit(Work(session: token, envelope: envelope, kind: kind)) { return true }
    refuse(message.envelope, .busy, "too many requests are waiting", to: peer)
    return false
  }

  /// Sends an answer and keeps it for whoever asks again.
  func finish(_ completion: Completion) {
    guard let peer = sessions[completion.session]?.peer else { return }
    if completion.endsSession {
      sessions.end(completion.session)
    } else {
      sessions[completion.session]?.isInFlight = false
      sessions[completion.session]?.reply = completion.frames
      sessions[completion.session]?.lastSeen = .now
    }
    send(completion.frames, to: peer)
  }
}
