import Environments
import Logging
import WireProtocol

/// Sessions that outlive the server (PROTOCOL.md, `resume`).
extension Stepper {
  /// Writes down a request, before anything is done for it.
  func record(_ work: Work) {
    guard !isReplaying else { return }
    write(work.session) { journals throws(JournalError) in try journals.append(work) }
  }

  /// Notes an answer, and writes a fresh snapshot where many requests have come since the last.
  func keep(_ answer: Completion) {
    guard !isReplaying else { return }
    var isDue = false
    write(answer.session) { journals throws(JournalError) in
      isDue = try journals.answered(answer.session, answer.frames)
    }
    if isDue, let holding = holdings[answer.session] { keep(answer.session, holding) }
  }

  /// Writes a session's state in place of its requests so far, where its environments can be kept.
  func keep(_ session: Identifier, _ holding: Holding) {
    let host = hosts[holding.environment]
    guard host.isSnapshotting else { return }
    write(session) { journals throws(JournalError) in
      try journals.replace(session, holding, environment: host.name) { slot throws(EnvironmentError) in
        try host.snapshotting { pool throws(EnvironmentError) in try pool.snapshot(slot) }
      }
    }
  }

  /// A journal that cannot be written is given up, so that nothing is ever resumed from half of one.
  private func write(_ session: Identifier, _ body: (Journals) throws(JournalError) -> Void) {
    guard let journals else { return }
    do throws(JournalError) { try body(journals) } catch {
      logger.error("a session can no longer be kept", metadata: ["error": "\(error)"])
      journals.remove(session)
    }
  }

  /// Takes up a session of an earlier incarnation: its last snapshot, then every request since, once more.
  func resume(_ work: Work) throws(EnvironmentError) -> Completion {
    guard let journals else { throw .sessionLost(reason: "this server keeps no sessions") }
    let journal: Journal
    do throws(JournalError) {
      journal = try journals.read(work.session)
    } catch { throw .sessionLost(reason: error.description) }
    guard journal.base.user == work.user else { throw .sessionLost(reason: "no such session") }
    isReplaying = true
    defer { isReplaying = false }
    do throws(EnvironmentError) {
      let resumed = try replay(journal, work.session)
      write(work.session) { journals throws(JournalError) in
        try journals.resumed(work.session, journal, resumed.reply)
      }
      let envelope = work.envelope.reply(.ok, epoch: epoch)
      let reply = ResumeReply(accepted: resumed.accepted)
      return Completion(
        session: work.session, frames: Message(envelope, json: reply).frames, resumed: resumed)
    } catch {
      closeSlots(work.session)
      throw .sessionLost(reason: "it could not be taken up: \(error)")
    }
  }

  private func replay(_ journal: Journal, _ session: Identifier) throws(EnvironmentError) -> ResumedSession {
    let base = journal.base
    // Only the state that a session begins with has no environment; one without slots still has its numbers.
    if !base.environment.isEmpty { try rebuild(journal, session) }
    var resumed = ResumedSession(accepted: base.accepted, operation: base.operation, reply: [])
    if !journal.reply.isEmpty {
      guard let last = try? Message(frames: journal.reply, limits: .unlimited) else {
        throw .fault("the journal holds no reply")
      }
      resumed.reply = renewed(last)
    }
    for request in journal.requests {
      let envelope = request.message.envelope
      resumed = ResumedSession(
        accepted: envelope.sequence, operation: envelope.operationCode, reply: try redo(request, session))
    }
    guard holdings[session] != nil else { throw .fault("it holds nothing") }
    return resumed
  }

  /// Does a request once more.
  /// - Returns: the reply to it.
  private func redo(_ request: Journal.Request, _ session: Identifier) throws(EnvironmentError) -> [Frame] {
    let outcome = request.answer?.envelope.status
    // What failed then might succeed now that others hold less, and what came after it would mean something else.
    if let answer = request.answer, outcome != .ok { return renewed(answer) }
    guard let work = try? Work(session: session, reading: request.message, within: .unlimited),
      work.envelope.operation != .resume
    else { throw .fault("the journal holds what is no request") }
    let answer: Completion?
    if work.isOfRounds, let holding = holdings[session] {
      answer = round(hosts[holding.environment], [work]).first
    } else {
      answer = perform(work)
    }
    guard let answer, holdings[session] != nil else { throw .fault("it had ended") }
    if outcome == .ok, (try? Message(frames: answer.frames, limits: .unlimited))?.envelope.status != .ok {
      throw .fault("what it opened then cannot be opened now")
    }
    return answer.frames
  }

  /// A reply of an earlier incarnation, as this one's.
  private func renewed(_ reply: Message) -> [Frame] {
    var reply = reply
    reply.envelope.epoch = epoch
    return reply.frames
  }

  private func rebuild(_ journal: Journal, _ session: Identifier) throws(EnvironmentError) {
    let base = journal.base
    guard let index = hosts.firstIndex(where: { $0.name == base.environment }) else {
      throw .unknownEnvironment(base.environment, offered: hosts.map(\.name))
    }
    let host = hosts[index]
    var holding = Holding(environment: index)
    holding.auxiliaries = base.auxiliaries
    for (row, number) in base.numbers.enumerated() {
      let slot = try host.pool.open(base.options[row])
      holding.add(slot, base.options[row], number: number)
      holdings[session] = holding
      try host.snapshotting { pool throws(EnvironmentError) in
        try pool.restore(slot, from: journal.blobs[row])
      }
    }
    holding.continueNumbers(at: base.next)
    holdings[session] = holding
  }
}
