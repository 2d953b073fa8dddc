import Environments
import WireProtocol

extension Stepper {
  /// Does anything but a reset or a step.
  /// - Returns: the answer; nil where nobody waits for one.
  func perform(_ work: Work) -> Completion? {
    do throws(EnvironmentError) {
      let answer: Completion
      switch work.kind {
      case .release:
        release(work.session)
        return nil
      case .resume: return try resume(work)
      default: record(work)
      }
      switch work.kind {
      case .release, .resume: return nil
      case .reset, .step: throw .sessionLost(reason: "it holds nothing")
      case .open(let request): answer = try open(work, request)
      case .close(let request): answer = try close(work, request)
      case .snapshot(let request): answer = try snapshot(work, request)
      case .restore(let request): answer = try restore(work, request)
      case .fork(let request): answer = try fork(work, request)
      }
      keep(answer)
      return answer
    } catch {
      // A session that could not be started is none: a retry starts afresh.
      guard holdings[work.session] == nil else {
        let answer = failure(work, error)
        keep(answer)
        return answer
      }
      // What cannot be taken up now may be at another start: its file stays.
      if case .resume = work.kind {} else if !isReplaying { journals?.remove(work.session) }
      return failure(work, error, endsSession: true)
    }
  }

  func failure(_ work: Work, _ error: EnvironmentError, endsSession: Bool = false) -> Completion {
    var status = Status(error)
    // Here it is this server that has lost it, none behind it.
    if case .resume = work.kind, status == .upstreamLost { status = .sessionLost }
    let envelope = work.envelope.reply(status, epoch: epoch)
    return Completion(
      session: work.session, frames: Message(envelope, json: ErrorDetail(error)).frames,
      endsSession: endsSession)
  }

  private func answer(_ work: Work) -> Envelope { work.envelope.reply(.ok, epoch: epoch) }

  private func holding(_ work: Work) throws(EnvironmentError) -> Holding {
    guard let holding = holdings[work.session] else { throw .sessionLost(reason: "it holds nothing") }
    return holding
  }

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
    try requireRoom(for: request.count, in: holding)
    let options = request.openOptions
    let opened = try open(request.count, in: host) { pool throws(EnvironmentError) in try pool.open(options) }
    for name in options.auxiliaries where !holding.auxiliaries.contains(name) {
      holding.auxiliaries.append(name)
    }
    let numbers = opened.map { holding.add($0, options) }
    holdings[work.session] = holding
    let reply = OpenReply(slots: numbers, auxiliaries: holding.auxiliaries)
    return Completion(session: work.session, frames: Message(answer(work), json: reply).frames)
  }

  private func requireRoom(for count: Int, in holding: Holding) throws(EnvironmentError) {
    let size = hosts[holding.environment].pool.observationSpace.byteCount
    let limit = min(limits.slotsPerSession, limits.replyBytes / size)
    guard count <= limit - holding.slots.count, holding.hasNumbers(for: count) else {
      throw .tooManySlots(limit: limit)
    }
  }

  /// Opens all or none.
  private func open(
    _ count: Int, in host: Host, _ body: (inout any EnvironmentPool) throws(EnvironmentError) -> Slot
  ) throws(EnvironmentError) -> [Slot] {
    var opened: [Slot] = []
    do throws(EnvironmentError) {
      for _ in 0..<count { opened.append(try body(&host.pool)) }
    } catch {
      for slot in opened { host.pool.close(slot) }
      throw error
    }
    return opened
  }

  private func close(_ work: Work, _ request: SlotsRequest) throws(EnvironmentError) -> Completion {
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

  // MARK: - Snapshots

  private func snapshot(_ work: Work, _ request: SlotsRequest) throws(EnvironmentError) -> Completion {
    let holding = try holding(work)
    let slots = try holding.resolve(request.slots)
    let blobs = try hosts[holding.environment].snapshotting { pool throws(EnvironmentError) in
      var blobs: [[UInt8]] = []
      var rest = limits.replyBytes
      for slot in slots {
        let blob = try pool.snapshot(slot)
        rest -= blob.count
        guard rest >= 0 else {
          throw EnvironmentError.invalidOption(
            name: "slots", reason: "their snapshots exceed \(limits.replyBytes) bytes: name fewer")
        }
        blobs.append(blob)
      }
      return blobs
    }
    return Completion(
      session: work.session, frames: Message(answer(work), payloads: Blobs(blobs).payloads).frames)
  }

  /// All or nothing: where one slot cannot take its snapshot, those before it get their own state back.
  private func restore(_ work: Work, _ request: RestoreRequest) throws(EnvironmentError) -> Completion {
    let holding = try holding(work)
    let slots = try holding.resolve(request.slots)
    guard slots.count == request.blobs.count else {
      throw .countMismatch(what: "snapshots", expected: slots.count, found: request.blobs.count)
    }
    try hosts[holding.environment].snapshotting { pool throws(EnvironmentError) in
      var before: [[UInt8]] = []
      do throws(EnvironmentError) {
        for (slot, blob) in zip(slots, request.blobs) {
          let own = try pool.snapshot(slot)
          try pool.restore(slot, from: blob)
          before.append(own)
        }
      } catch {
        for (slot, own) in zip(slots, before) { try pool.restore(slot, from: own) }
        throw error
      }
    }
    return Completion(session: work.session, frames: Message(answer(work)).frames)
  }

  private func fork(_ work: Work, _ request: SlotsRequest) throws(EnvironmentError) -> Completion {
    var holding = try holding(work)
    let origins = try holding.resolve(request.slots, repeating: true)
    try requireRoom(for: origins.count, in: holding)
    let forks = try hosts[holding.environment].snapshotting { pool throws(EnvironmentError) in
      var forks: [Slot] = []
      do throws(EnvironmentError) {
        for origin in origins { forks.append(try pool.fork(origin)) }
      } catch {
        for slot in forks { pool.close(slot) }
        throw error
      }
      return forks
    }
    let numbers = zip(origins, forks).map { origin, fork in holding.add(fork, holding.options(of: origin)) }
    holdings[work.session] = holding
    let reply = OpenReply(slots: numbers, auxiliaries: holding.auxiliaries)
    return Completion(session: work.session, frames: Message(answer(work), json: reply).frames)
  }
}
