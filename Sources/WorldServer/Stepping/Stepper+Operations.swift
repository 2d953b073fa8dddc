import Environments
import WireProtocol

extension Stepper {
  /// Does anything but a step.
  /// - Returns: the answer; nil where nobody waits for one.
  func perform(_ work: Work) -> Completion? {
    do throws(EnvironmentError) {
      switch work.kind {
      case .open(let request): return try open(work, request)
      case .reset(let request): return try reset(work, request)
      case .close(let request): return try close(work, request)
      case .step: throw .sessionLost(reason: "it holds nothing")
      case .release:
        release(work.session)
        return nil
      }
    } catch {
      // A session that could not be started is none: a retry starts afresh.
      return failure(work, error, endsSession: holdings[work.session] == nil)
    }
  }

  func failure(_ work: Work, _ error: EnvironmentError, endsSession: Bool = false) -> Completion {
    let envelope = work.envelope.reply(Status(error), epoch: epoch)
    return Completion(
      session: work.session, frames: Message(envelope, json: ErrorDetail(error)).frames,
      endsSession: endsSession)
  }

  private func answer(_ work: Work) -> Envelope { work.envelope.reply(.ok, epoch: epoch) }

  private func open(_ work: Work, _ request: OpenRequest) throws(EnvironmentError) -> Completion {
    guard let index = hosts.firstIndex(where: { $0.name == request.environment }) else {
      throw .unknownEnvironment(request.environment, offered: hosts.map(\.name))
    }
    let host = hosts[index]
    var holding = holdings[work.session] ?? Holding(environment: index)
    guard holding.environment == index else {
      throw .invalidOption(name: "environment", reason: "the session's is \(hosts[holding.environment].name)")
    }
    guard request.count > 0 else { throw .invalidOption(name: "count", reason: "\(request.count) slots") }
    let limit = min(limits.slotsPerSession, limits.replyBytes / host.pool.observationSpace.byteCount)
    guard request.count <= limit - holding.slots.count, holding.hasNumbers(for: request.count) else {
      throw .tooManySlots(limit: limit)
    }
    let options = request.openOptions
    var opened: [Slot] = []
    do throws(EnvironmentError) {
      for _ in 0..<request.count { opened.append(try host.pool.open(options)) }
    } catch {
      for slot in opened { host.pool.close(slot) }
      throw error
    }
    for name in options.auxiliaries where !holding.auxiliaries.contains(name) {
      holding.auxiliaries.append(name)
    }
    let numbers = opened.map { holding.add($0) }
    holdings[work.session] = holding
    let reply = OpenReply(slots: numbers, auxiliaries: holding.auxiliaries)
    return Completion(session: work.session, frames: Message(answer(work), json: reply).frames)
  }

  private func reset(_ work: Work, _ request: ResetRequest) throws(EnvironmentError) -> Completion {
    guard let holding = holdings[work.session] else { throw .sessionLost(reason: "it holds nothing") }
    let slots = try holding.resolve(request.slots)
    let options = request.options.isEmpty ? slots.map { _ in ResetOptions() } : request.options
    guard options.count == slots.count else {
      throw .countMismatch(what: "options", expected: slots.count, found: options.count)
    }
    let host = hosts[holding.environment]
    try host.pool.reset(slots, options, into: &host.batch)
    let message = BatchReply.message(
      answer(work), host.batch, rows: 0..<slots.count, auxiliaries: holding.auxiliaries)
    return Completion(session: work.session, frames: message.frames)
  }

  private func close(_ work: Work, _ request: CloseRequest) throws(EnvironmentError) -> Completion {
    let frames = Message(answer(work)).frames
    guard !request.slots.isEmpty, var holding = holdings[work.session] else {
      release(work.session)
      return Completion(session: work.session, frames: frames, endsSession: true)
    }
    for number in request.slots {
      if let slot = holding.remove(number) { hosts[holding.environment].pool.close(slot) }
    }
    holdings[work.session] = holding
    return Completion(session: work.session, frames: frames)
  }
}
