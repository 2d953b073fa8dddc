import Environments
import WireProtocol

/// Environments behind a socket, through the same contract as those of this process.
///
/// A pool is one session at the server with any number of slots, and one request is on its way at a time. It
/// belongs to one thread. When the server does not answer, calls ask again by themselves (``RetryPolicy``),
/// and every step still happens once. After ``Environments/EnvironmentError/disconnected(endpoint:reason:)``
/// or ``Environments/EnvironmentError/timedOut(operation:seconds:)`` the same call again resumes where it
/// was; another call first sees the unanswered one through.
///
/// ```swift
/// let pool = try RemotePool("tcp://127.0.0.1:5555", environment: "Platformer-v1")
/// let slots = try pool.open(OpenOptions(), count: 8)
/// var batch = pool.makeBatch()
/// try pool.reset(slots, slots.map { _ in ResetOptions() }, into: &batch)
/// try pool.send(slots, actions)
/// learn()  // while the server steps
/// try pool.receive(into: &batch)
/// ```
public final class RemotePool: Snapshotting {
  public let specification: EnvironmentSpecification
  /// What the server said of itself.
  public let server: HelloReply
  private let connection: Connection

  private var epoch: UInt64 = 0
  private var session = Identifier.none
  /// The last sequence number that was used up.
  private var sequence: UInt64 = 0
  /// The request that has no answer yet.
  private var pending: Message?
  /// Set when the server has lost the session, which is final.
  private var loss: EnvironmentError?

  /// Open slots, by ascending number: the server's "all".
  private var slots: [Slot] = []
  /// Numbers of slots that are closed here and not yet at the server.
  private var closing: [Int32] = []
  private var auxiliaries: [String] = []
  /// Rows of the step that was sent.
  private var sentCount = 0

  /// Connects and asks what there is.
  /// - Parameters:
  ///   - environment: its name; nil where the server has only one.
  ///   - keys: for a server that asks for CURVE keys.
  /// - Throws: `disconnected` where no server answers, `unknownEnvironment` where it has none of that name,
  ///   `refused` where
  ///   the keys do not fit.
  public init(
    _ endpoint: String, environment: String? = nil, retry: RetryPolicy = RetryPolicy(),
    keys: ClientKeys? = nil
  ) throws(EnvironmentError) {
    let connection = try Connection(endpoint, retry, keys: keys)
    self.connection = connection
    let hello = Envelope(.hello, sequence: connection.nextCorrelation())
    server = try RemotePool.ask(
      connection, Message(hello, json: HelloRequest(client: "genie-swift/1")), HelloReply.self)
    let describe = Envelope(.describe, sequence: connection.nextCorrelation())
    let offered = try RemotePool.ask(connection, Message(describe), Description.self).environments
    let found =
      environment == nil && offered.count == 1 ? offered[0] : offered.first { $0.name == environment }
    guard let found else {
      throw .unknownEnvironment(environment ?? "", offered: offered.map(\.name))
    }
    specification = try found.validated()
  }

  deinit {
    guard session != .none, pending == nil, loss == nil else { return }
    let envelope = Envelope(.close, epoch: epoch, session: session, sequence: sequence + 1)
    connection.farewell(Message(envelope, payloads: SlotsRequest().payloads), milliseconds: 200)
  }

  // MARK: - The contract

  public func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    try open(options, count: 1)[0]
  }

  /// Opens several slots at once, or none.
  public func open(_ options: OpenOptions, count: Int) throws(EnvironmentError) -> [Slot] {
    let request = OpenRequest(environment: specification.name, count: count, options: options)
    let reply = try call(.open) { Message($0, json: request) }
    let opened = try register(reply)
    guard opened.count == count else {
      throw .refused(reason: "the server opened \(opened.count) slots, not \(count)")
    }
    return opened
  }

  public func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    let numbers = try numbers(of: slots, options.count, "reset options")
    guard !slots.isEmpty else { return batch.prepare(count: 0) }
    let payloads = ResetRequest(slots: numbers, options: options).payloads
    let reply = try call(.reset) { Message($0, payloads: payloads) }
    try read(reply, count: slots.count, into: &batch)
  }

  public func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try send(slots, actions)
    try receive(into: &batch)
  }

  public func close(_ slot: Slot) {
    guard let index = slots.firstIndex(of: slot) else { return }
    slots.remove(at: index)
    closing.append(slot.index)
    // While something is unanswered, the server may be gone; then it is told with the next call.
    if pending == nil { try? flushClosing() }
  }

  // MARK: - The halves of a step

  /// Sends a step and does not wait; ``receive(into:)`` brings its answer.
  public func send(_ slots: [Slot], _ actions: [Int32]) throws(EnvironmentError) {
    let numbers = try numbers(of: slots, actions.count, "actions")
    sentCount = slots.count
    guard !slots.isEmpty else { return }
    let payloads = StepRequest(slots: numbers, actions: actions).payloads
    try post(.step) { Message($0, payloads: payloads) }
  }

  /// Waits for the answer to the step that was sent.
  public func receive(into batch: inout StepBatch) throws(EnvironmentError) {
    guard let reply = try answer(into: &batch) else { return }
    try read(reply, count: sentCount, into: &batch)
  }

  /// Waits for the answer to the step that was sent, and shows its observations where ZeroMQ has put them: a large
  /// batch is not copied. Those of `batch` are left as they were; all else is in it.
  /// - Parameter body: gets `[count, height, width, channels]`, UInt8, which are gone when it returns.
  public func receive<Result>(
    into batch: inout StepBatch, observing body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard let reply = try answer(into: &batch) else {
      return try body(UnsafeRawBufferPointer(start: nil, count: 0))
    }
    try read(reply, count: sentCount, into: &batch, withObservations: false)
    return try BatchReply.observations(of: reply, body)
  }

  /// - Returns: nil where the step was one of no slots.
  private func answer(into batch: inout StepBatch) throws(EnvironmentError) -> Message? {
    guard sentCount > 0 else {
      batch.prepare(count: 0)
      return nil
    }
    guard pending?.envelope.operation == .step else {
      throw loss ?? .refused(reason: "no step was sent")
    }
    return try finish()
  }

  /// Keeps the session alive through a long pause.
  public func ping() throws(EnvironmentError) -> PingReply {
    while true {
      let request = Message(
        Envelope(.ping, epoch: epoch, session: session, sequence: connection.nextCorrelation()))
      try connection.post(request)
      let reply = try connection.collect(request)
      if reply.envelope.status == .sessionLost, try resume(at: reply.envelope.epoch) { continue }
      return try RemotePool.read(reply, PingReply.self)
    }
  }

  // MARK: - Requests

  /// One request outside the session's sequence.
  private static func ask<Value: Decodable>(
    _ connection: Connection, _ request: Message, _ type: Value.Type
  ) throws(EnvironmentError) -> Value {
    try connection.post(request)
    return try read(try connection.collect(request), type)
  }

  private static func read<Value: Decodable>(
    _ reply: Message, _ type: Value.Type
  ) throws(EnvironmentError) -> Value {
    if let error = reply.error { throw error }
    do { return try reply.json(as: type) } catch { throw .refused(reason: error.description) }
  }

  /// Puts a request on its way, or finds it there already.
  func post(
    _ operation: WireProtocol.Operation, _ make: (Envelope) -> Message
  ) throws(EnvironmentError) {
    if let loss { throw loss }
    if let waiting = pending {
      // With slots closed since, the same bytes would not mean the same slots.
      let meansTheSame = closing.isEmpty || operation == .close
      if meansTheSame && waiting.asks(the: make(waiting.envelope), operation) { return }
      try finishAbandoned()
    }
    if operation != .close { try flushClosing() }
    var envelope = Envelope(operation, epoch: epoch, session: session, sequence: sequence + 1)
    if session == .none {
      guard operation == .open else { throw .sessionLost(reason: "nothing was opened") }
      envelope.nonce = .random()
    }
    let message = make(envelope)
    for payload in message.payloads { try requireRoom(for: payload.byteCount) }
    pending = message
    try connection.post(message)
  }

  /// - Throws: `refused` for a frame of more bytes than the server takes: it would hang up on it without a word,
  ///   as often as it came.
  func requireRoom(for bytes: Int) throws(EnvironmentError) {
    let limit = server.limits.frameBytes
    guard bytes <= limit else {
      throw .refused(reason: "\(bytes) bytes in one message, the server takes \(limit): name fewer slots")
    }
  }

  func call(
    _ operation: WireProtocol.Operation, _ make: (Envelope) -> Message
  ) throws(EnvironmentError) -> Message {
    try post(operation, make)
    return try finish()
  }

  /// Waits for the answer to the pending request. Where none comes it stays pending.
  private func finish() throws(EnvironmentError) -> Message {
    guard var request = pending else { throw .refused(reason: "nothing was asked") }
    var reply = try connection.collect(request)
    while reply.envelope.status == .sessionLost, try resume(at: reply.envelope.epoch), let again = pending {
      request = again
      reply = try connection.collect(request)
    }
    pending = nil
    if reply.envelope.usesUpSequence {
      sequence = request.envelope.sequence
      if session == .none && reply.envelope.status == .ok {
        session = reply.envelope.session
        epoch = reply.envelope.epoch
      } else if session == .none {
        sequence = 0
      }
    }
    guard let error = reply.error else { return reply }
    if case .sessionLost = error, !reply.envelope.usesUpSequence { loss = error }
    throw error
  }

  /// Takes the session up at a server that was started anew and keeps sessions, and asks there again for what is pending.
  /// - Returns: false where the session is lost.
  private func resume(at newEpoch: UInt64) throws(EnvironmentError) -> Bool {
    guard session != .none, newEpoch != epoch, server.capabilities.contains("resume") else { return false }
    let resume = Message(
      Envelope(.resume, epoch: newEpoch, session: session, sequence: connection.nextCorrelation()))
    try connection.post(resume)
    let answer = try connection.collect(resume).envelope
    guard answer.status == .ok else { return false }
    // Of the server that answered: it may have been started anew once more.
    epoch = answer.epoch
    if var again = pending {
      again.envelope.epoch = epoch
      pending = again
      try connection.post(again)
    }
    return true
  }

  /// Sees a request through that nobody waits for any more. What it opened is closed again.
  private func finishAbandoned() throws(EnvironmentError) {
    let wasOpen = [.open, .fork].contains(pending?.envelope.operation)
    do throws(EnvironmentError) {
      let reply = try finish()
      guard wasOpen else { return }
      let opened = try register(reply)
      slots.removeAll(where: opened.contains)
      closing += opened.map(\.index)
    } catch {
      // Only what keeps the session from going on concerns the next call.
      if pending != nil || loss != nil { throw error }
    }
  }

  private func flushClosing() throws(EnvironmentError) {
    guard !closing.isEmpty else { return }
    let payloads = SlotsRequest(slots: closing).payloads
    _ = try call(.close) { Message($0, payloads: payloads) }
    closing.removeAll()
  }

  // MARK: - Slots and batches

  func register(_ reply: Message) throws(EnvironmentError) -> [Slot] {
    do throws(WireError) {
      let opened = try reply.json(as: OpenReply.self)
      let new = opened.slots.map { Slot(index: $0, generation: 0) }
      slots += new
      auxiliaries = opened.auxiliaries
      return new
    } catch {
      throw .refused(reason: error.description)
    }
  }

  /// The numbers of some slots as a request names them: none, where they are all that are open.
  func numbers(
    of requested: [Slot], _ count: Int, _ what: String
  ) throws(EnvironmentError) -> [Int32] {
    if let loss { throw loss }
    if requested != slots {
      let known = Set(slots)
      var seen: Set<Slot> = []
      for slot in requested {
        guard known.contains(slot) else { throw .unknownSlot(slot) }
        guard seen.insert(slot).inserted else { throw .repeatedSlot(slot) }
      }
    }
    guard requested.count == count else {
      throw .countMismatch(what: what, expected: requested.count, found: count)
    }
    return requested == slots ? [] : requested.map(\.index)
  }

  private func read(
    _ reply: Message, count: Int, into batch: inout StepBatch, withObservations: Bool = true
  ) throws(EnvironmentError) {
    precondition(
      batch.observationSpace == observationSpace,
      "a batch of \(batch.observationSpace) for observations of \(observationSpace)")
    do {
      if withObservations {
        try BatchReply.read(reply, count: count, auxiliaries: auxiliaries, into: &batch)
      } else {
        try BatchReply.readOutcomes(reply, count: count, auxiliaries: auxiliaries, into: &batch)
      }
    } catch {
      throw .refused(reason: error.description)
    }
  }
}

extension Message {
  /// The error that a reply tells.
  fileprivate var error: EnvironmentError? {
    guard envelope.statusCode != 0 else { return nil }
    let detail = (try? json(as: ErrorDetail.self)) ?? ErrorDetail(message: "no explanation")
    return detail.error(
      statusCode: envelope.statusCode, retryAfterSeconds: Double(envelope.retryAfterMilliseconds) / 1_000)
  }

  /// Whether another request, made with this one's envelope, asks for the very same.
  fileprivate func asks(the other: Message, _ operation: WireProtocol.Operation) -> Bool {
    envelope.operation == operation && metadata.bytes == other.metadata.bytes
      && payloads.map(\.bytes) == other.payloads.map(\.bytes)
  }
}

extension Envelope {
  /// Whether the request of this reply reached the environments (PROTOCOL.md section 2).
  fileprivate var usesUpSequence: Bool { statusCode == 0 || statusCode >= 32 }
}
