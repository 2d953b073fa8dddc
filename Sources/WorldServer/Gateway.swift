import Environments
import Logging
import WireProtocol

/// The I/O thread: it receives, checks and replies, and never waits for an environment.
final class Gateway {
  let configuration: ServerConfiguration
  let epoch: UInt64
  let queue: WorkQueue
  let logger: Logger
  let specifications: [EnvironmentSpecification]
  private let socket: Socket
  private let wake: WakeUp
  var sessions: SessionTable
  var statistics = ServerStatistics()
  private var nextSweep = ContinuousClock.now + .seconds(1)

  /// How long a client waits that found the server busy.
  static let retryAfterMilliseconds: UInt32 = 50

  init(
    _ socket: consuming Socket, _ configuration: ServerConfiguration, epoch: UInt64, queue: WorkQueue,
    wake: WakeUp,
    specifications: [EnvironmentSpecification], logger: Logger
  ) {
    self.socket = socket
    self.configuration = configuration
    self.epoch = epoch
    self.queue = queue
    self.wake = wake
    self.specifications = specifications
    self.logger = logger
    sessions = SessionTable(limit: configuration.limits.sessions)
  }

  /// Works until the stepping thread has ended and its last replies are sent.
  /// - Parameter isStopping: whether new requests are left unread.
  func run(isStopping: () -> Bool) {
    do throws(WireError) {
      while true {
        let readable = try socket.wait(milliseconds: 1_000, or: wake)
        let (completions, ended) = queue.takeCompletions()
        for completion in completions { finish(completion) }
        if ended { break }
        if readable && !isStopping() { try receive() }
        if ContinuousClock.now >= nextSweep { sweep() }
      }
    } catch {
      logger.critical("the server's socket failed", metadata: ["error": "\(error)"])
      queue.close()
    }
    socket.linger(milliseconds: 500)
  }

  /// Takes what has come, but not so much that replies wait for long.
  private func receive() throws(WireError) {
    for _ in 0..<64 {
      // Identity, envelope and metadata come before the payloads.
      guard let frames = try socket.receive(limit: configuration.limits.payloads + 3) else { return }
      statistics.requests += 1
      handle(Array(frames.dropFirst()), from: frames[0])
    }
  }

  private func handle(_ frames: [Frame], from peer: Frame) {
    let message: Message
    do throws(WireError) {
      message = try Message(frames: frames, limits: configuration.limits)
      guard !message.envelope.isReply else { throw .malformed("a reply, sent to a server") }
    } catch {
      let envelope = frames.first.flatMap { try? $0.withUnsafeBytes { try Envelope(reading: $0) } }
      return refuse(envelope ?? Envelope(.unknown), error, to: peer)
    }
    let envelope = message.envelope
    switch envelope.operation {
    case .hello: reply(envelope, json: hello, to: peer)
    case .describe: reply(envelope, json: Description(environments: specifications), to: peer)
    case .stats: reply(envelope, json: currentStatistics, to: peer)
    case .ping: ping(envelope, peer)
    case .open, .reset, .step, .close: admit(message, from: peer)
    case .snapshot, .restore, .fork, .resume, .unknown, nil:
      refuse(envelope, .unknownOperation, "operation \(envelope.operationCode)", to: peer)
    }
  }

  // MARK: - Replies

  /// Sends to a connection. One that is gone, or does not read, is its own loss: it can ask again.
  func send(_ frames: [Frame], to peer: Frame) {
    do {
      if try socket.send(frames, to: peer) != .sent { statistics.undelivered += 1 }
    } catch {
      statistics.undelivered += 1
      logger.warning("a reply could not be sent", metadata: ["error": "\(error)"])
    }
  }

  private func reply(_ envelope: Envelope, json value: some Encodable, to peer: Frame) {
    send(Message(envelope.reply(.ok, epoch: epoch), json: value).frames, to: peer)
  }

  func refuse(_ envelope: Envelope, _ error: WireError, to peer: Frame) {
    statistics.malformed += 1
    logger.debug("a message was refused", metadata: ["error": "\(error)"])
    refuse(envelope, error.status, error.description, to: peer)
  }

  func refuse(_ envelope: Envelope, _ status: Status, _ words: String, to peer: Frame) {
    var detail = ErrorDetail(message: "\(status.name): \(words)")
    if status == .unsupportedVersion { detail.versions = [Envelope.version] }
    var answer = envelope.reply(status, epoch: epoch)
    if status == .busy {
      statistics.busy += 1
      answer.retryAfterMilliseconds = Gateway.retryAfterMilliseconds
    }
    send(Message(answer, json: detail).frames, to: peer)
  }

  // MARK: - Operations outside sessions

  private var hello: HelloReply {
    HelloReply(
      server: "genie", environments: specifications.map(\.name), sessionSeconds: configuration.sessionSeconds,
      limits: configuration.limits)
  }

  private func ping(_ envelope: Envelope, _ peer: Frame) {
    if envelope.session != .none {
      guard envelope.epoch == epoch, sessions[envelope.session] != nil else { return lost(envelope, peer) }
      sessions[envelope.session]?.lastSeen = .now
    }
    let activity = queue.activity
    let busy = activity.busySince.map { (ContinuousClock.now - $0) / .milliseconds(1) } ?? 0
    let state = PingReply(busyMilliseconds: busy, queued: activity.queued, sessions: sessions.count)
    reply(envelope, json: state, to: peer)
  }

  private var currentStatistics: ServerStatistics {
    let activity = queue.activity
    var current = statistics
    current.sessions = sessions.count
    current.queued = activity.queued
    current.rounds = activity.counters.rounds
    current.steps = activity.counters.steps
    return current
  }

  private func sweep() {
    nextSweep = .now + .seconds(1)
    for token in sessions.expire(after: .seconds(configuration.sessionSeconds)) {
      statistics.sessionsExpired += 1
      logger.debug("a session expired")
      _ = queue.submit(Work(session: token, envelope: Envelope(.close), kind: .release))
    }
  }
}
