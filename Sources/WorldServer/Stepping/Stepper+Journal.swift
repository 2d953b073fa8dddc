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
    guard !isReplaying, let journals, journals.answered(answer.session, answer.frames),
      let holding = holdings[answer.session]
    else { return }
    keep(answer.session, holding)
  }

  /// Writes a session's state in place of its requests so far, where its environments can be kept.
  func keep(_ session: Identifier, _ holding: Holding) {
    guard journals != nil, hosts[holding.environment].isSnapshotting else { return }
    let blobs = try? hosts[holding.environment].snapshotting { pool throws(EnvironmentError) in
      try holding.slots.map { slot throws(EnvironmentError) in try pool.snapshot(slot) }
    }
    guard let blobs else { return }
    write(session) { journals throws(JournalError) in
      try journals.replace(session, holding, environment: hosts[holding.environment].name, blobs)
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
      journals.resumed(work.session, journal, resumed.reply)
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
    if !base.numbers.isEmpty { try rebuild(journal, session) }
    var resumed = ResumedSession(accepted: base.accepted, operation: base.operation, reply: [])
    if !journal.reply.isEmpty {
      guard var last = try? Message(frames: journal.reply, limits: .unlimited) else {
        throw .fault("the journal holds no reply")
      }
      last.envelope.epoch = epoch
      resumed.reply = last.frames
    }
    for request in journal.requests {
      guard let again = try? Work(session: session, reading: request) else {
        throw .fault("the journal holds what is no request")
      }
      let answer: Completion?
      if again.isOfRounds, let holding = holdings[session] {
        answer = round(hosts[holding.environment], [again]).first
      } else {
        answer = perform(again)
      }
      guard let answer, holdings[session] != nil else { throw .fault("it had ended") }
      resumed = ResumedSession(
        accepted: request.envelope.sequence, operation: request.envelope.operationCode, reply: answer.frames)
    }
    guard holdings[session] != nil else { throw .fault("it holds nothing") }
    return resumed
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
