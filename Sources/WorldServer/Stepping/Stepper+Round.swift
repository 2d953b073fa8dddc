import Environments
import WireProtocol

extension Stepper {
  /// One session's part of a round.
  private struct Part {
    var work: Work
    var slots: [Slot]
    var actions: [Int32]
    var auxiliaries: [String]
  }

  /// Steps all that waits for an environment in one call, and answers.
  func round(_ host: Host) {
    let works = host.waiting
    host.waiting.removeAll(keepingCapacity: true)
    host.missing = Set(works.lazy.map(\.session))
    var answers: [Completion] = []
    answers.reserveCapacity(works.count)
    var parts: [Part] = []
    parts.reserveCapacity(works.count)
    for work in works {
      do throws(EnvironmentError) {
        parts.append(try part(work))
      } catch {
        answers.append(failure(work, error))
      }
    }
    queue.begin()
    answers += step(parts, host)
    queue.finish(
      answers, finished: works.count, rounds: 1, steps: parts.reduce(0) { $0 + $1.slots.count })
  }

  private func part(_ work: Work) throws(EnvironmentError) -> Part {
    guard case .step(let request) = work.kind, let holding = holdings[work.session] else {
      throw .sessionLost(reason: "it was closed")
    }
    let slots = try holding.resolve(request.slots)
    guard slots.count == request.actions.count else {
      throw .countMismatch(what: "actions", expected: slots.count, found: request.actions.count)
    }
    return Part(work: work, slots: slots, actions: request.actions, auxiliaries: holding.auxiliaries)
  }

  private func step(_ parts: [Part], _ host: Host) -> [Completion] {
    guard !parts.isEmpty else { return [] }
    do throws(EnvironmentError) {
      if parts.count == 1 {
        try host.pool.step(parts[0].slots, parts[0].actions, into: &host.batch)
      } else {
        try host.pool.step(parts.flatMap(\.slots), parts.flatMap(\.actions), into: &host.batch)
      }
    } catch {
      // A call that throws has changed nothing. So each session is tried by itself: only whose fault it is, is told.
      return parts.count == 1 ? [failure(parts[0].work, error)] : parts.flatMap { step([$0], host) }
    }
    var row = 0
    return parts.map { part in
      defer { row += part.slots.count }
      let envelope = part.work.envelope.reply(.ok, epoch: epoch)
      let message = BatchReply.message(
        envelope, host.batch, rows: row..<row + part.slots.count, auxiliaries: part.auxiliaries)
      return Completion(session: part.work.session, frames: message.frames)
    }
  }
}
