import Environments
import WireProtocol

extension Stepper {
  /// One session's part of a call: its slots, and what goes with each.
  private struct Part<Value> {
    var work: Work
    var slots: [Slot]
    var values: [Value]
    var auxiliaries: [String]
  }

  private typealias Call<Value> = (
    inout any EnvironmentPool, [Slot], [Value], inout StepBatch
  ) throws(EnvironmentError) -> Void

  /// Does resets and steps of an environment, each in one call, and answers.
  func round(_ host: Host, _ works: [Work]) -> [Completion] {
    var answers: [Completion] = []
    answers.reserveCapacity(works.count)
    var steps: [Part<Int32>] = []
    var resets: [Part<ResetOptions>] = []
    for work in works {
      record(work)
      do throws(EnvironmentError) {
        guard let holding = holdings[work.session] else { throw .sessionLost(reason: "it was closed") }
        switch work.kind {
        case .step(let request):
          steps.append(try part(work, holding, request.slots, request.actions, "actions"))
        case .reset(let request):
          let slots = request.slots.isEmpty ? holding.slots.count : request.slots.count
          let options =
            request.options.isEmpty
            ? Array(repeating: ResetOptions(), count: slots) : request.options
          resets.append(try part(work, holding, request.slots, options, "options"))
        default: throw .unsupported("operation \(work.envelope.operationCode) in a round")
        }
      } catch {
        answers.append(failure(work, error))
      }
    }
    answers += call(resets, host, &host.resetCost) {
      (pool, slots, options, batch) throws(EnvironmentError) in
      try pool.reset(slots, options, into: &batch)
    }
    answers += call(steps, host, &host.stepCost) {
      (pool, slots, actions, batch) throws(EnvironmentError) in
      try pool.step(slots, actions, into: &batch)
    }
    queue.count(
      rounds: (resets.isEmpty ? 0 : 1) + (steps.isEmpty ? 0 : 1),
      steps: steps.reduce(0) { $0 + $1.slots.count }, resets: resets.reduce(0) { $0 + $1.slots.count })
    for answer in answers { keep(answer) }
    return answers
  }

  private func part<Value>(
    _ work: Work, _ holding: Holding, _ numbers: [Int32], _ values: [Value], _ what: String
  ) throws(EnvironmentError) -> Part<Value> {
    let slots = try holding.resolve(numbers)
    guard slots.count == values.count else {
      throw .countMismatch(what: what, expected: slots.count, found: values.count)
    }
    return Part(work: work, slots: slots, values: values, auxiliaries: holding.auxiliaries)
  }

  private func call<Value>(
    _ parts: [Part<Value>], _ host: Host, _ cost: inout Cost, _ body: Call<Value>
  ) -> [Completion] {
    guard !parts.isEmpty else { return [] }
    let start = ContinuousClock.now
    do throws(EnvironmentError) {
      if parts.count == 1 {
        try body(&host.pool, parts[0].slots, parts[0].values, &host.batch)
      } else {
        try body(&host.pool, parts.flatMap(\.slots), parts.flatMap(\.values), &host.batch)
      }
    } catch {
      // A call that throws has changed nothing. So each session is tried by itself: only whose fault it is,
      // is told.
      if parts.count == 1 { return [failure(parts[0].work, error)] }
      var answers: [Completion] = []
      for part in parts { answers += call([part], host, &cost, body) }
      return answers
    }
    cost.add(ContinuousClock.now - start, rows: host.batch.count)
    return answers(parts, host)
  }

  /// Many rows are lent to the message as they lie; a few, and those of a session among many, are copied, so
  /// that the reply that is kept for one session never holds what was for the others.
  private func answers<Value>(_ parts: [Part<Value>], _ host: Host) -> [Completion] {
    let isLent = parts.count == 1 && host.batch.observations.count >= 64 << 10
    let lent = isLent ? LentBytes(host.batch.observations, from: host.shelf) : nil
    var row = 0
    let answers = parts.map { part in
      defer { row += part.slots.count }
      let envelope = part.work.envelope.reply(.ok, epoch: epoch)
      let message = BatchReply.message(
        envelope, host.batch, rows: row..<row + part.slots.count, auxiliaries: part.auxiliaries, lent: lent)
      return Completion(session: part.work.session, frames: message.frames)
    }
    if isLent { host.batch.observations = host.shelf.take() }
    return answers
  }
}
