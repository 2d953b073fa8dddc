import Environments
import Foundation
import Logging
import WireProtocol

/// The I/O thread: it receives, checks and replies, and never waits for an environment that takes its time.
final class Gateway {
  let configuration: ServerConfiguration
  let stepper: Stepper
  let logger: Logger
  private let socket: Socket
  private let wake: WakeUp
  private let state: ServerState
  private let hello: HelloReply
  private let description: Description
  var sessions: SessionTable
  var statistics = ServerStatistics()
  /// The request of a session that came in just now.
  var arrived: Work?
  private var nextSweep = ContinuousClock.now + .seconds(1)

  /// How long a client waits that found the server busy.
  static let retryAfterMilliseconds: UInt32 = 50
  /// How long connections outlive the last reply. ZeroMQ drops what a client has received but not read when
  /// its server goes away.
  private static let farewell = Duration.milliseconds(250)

  init(
    _ socket: consuming Socket, _ configuration: ServerConfiguration, _ stepper: Stepper, wake: WakeUp,
    state: ServerState, logger: Logger
  ) {
    self.socket = socket
    self.configuration = configuration
    self.stepper = stepper
    self.wake = wake
    self.state = state
    self.logger = logger
    sessions = SessionTable(limit: configuration.limits.sessions)
    description = Description(environments: stepper.hosts.map(\.specification))
    var capabilities: [String] = []
    if stepper.hosts.contains(where: \.isSnapshotting) { capabilities += ["snapshot", "restore", "fork"] }
    if configuration.persistence != nil { capabilities.append("resume") }
    hello = HelloReply(
      server: "genie", capabilities: capabilities, environments: stepper.hosts.map(\.name),
      sessionSeconds: configuration.sessionSeconds, limits: configuration.limits)
  }

  var epoch: UInt64 { stepper.epoch }
  var queue: WorkQueue { stepper.queue }

  /// Works until the stepping thread has ended and its last replies are sent. New requests are BUSY once the
  /// queue is closed.
  func run() {
    var connectedUntil = ContinuousClock.now
    do throws(WireError) {
      while true {
        let (completions, ended) = queue.takeCompletions()
        for completion in completions { finish(completion) }
        if !completions.isEmpty { connectedUntil = .now + Gateway.farewell }
        if ended { break }
        let isDrained = try receive()
        if ContinuousClock.now >= nextSweep { sweep() }
        if isDrained { try socket.waitForMore(milliseconds: 1_000, or: wake) }
      }
    } catch {
      logger.critical("the server's socket failed", metadata: ["error": "\(error)"])
      queue.close()
    }
    socket.linger(milliseconds: 500)
    Thread.sleep(forTimeInterval: max(0, (connectedUntil - .now) / .seconds(1)))
  }

  /// Takes what has come, but not so much that replies wait for long.
  /// - Returns: whether nothing is left.
  private func receive() throws(WireError) -> Bool {
    for _ in 0..<64 {
      // Identity, envelope and metadata come before the payloads.
      guard let frames = try socket.receive(limit: configuration.limits.payloads + 3) else { return true }
      statistics.requests += 1
      handle(Array(frames.dropFirst()), from: frames[0])
      dispatch()
    }
    return false
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
    let user = configuration.security == nil ? "" : frames[0].user
    if let security = configuration.security, !security.clients.contains(user) {
      return refuse(envelope, .refused, "this client's key was revoked", to: peer)
    }
    switch envelope.operation {
    case .hello: reply(envelope, json: hello, to: peer)
    case .describe: reply(envelope, json: description, to: peer)
    case .stats: reply(envelope, json: currentStatistics, to: peer)
    case .ping: ping(envelope, peer, user)
    case .open, .reset, .step, .close, .snapshot, .restore, .fork, .resume: admit(message, from: peer, user)
    case .unknown, nil: refuse(envelope, .unknownOperation, "operation \(envelope.operationCode)", to: peer)
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

  func reply(_ envelope: Envelope, json value: some Encodable, to peer: Frame) {
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

  private func ping(_ envelope: Envelope, _ peer: Frame, _ user: String) {
    if envelope.session != .none {
      guard envelope.epoch == epoch, sessions.contains(envelope.session, user: user) else {
        return lost(envelope, peer)
      }
      touch(envelope.session)
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
    current.resets = activity.counters.resets
    return current
  }

  private func sweep() {
    nextSweep = .now + .seconds(1)
    state.publish(currentStatistics)
    for token in sessions.expire(after: .seconds(configuration.sessionSeconds)) {
      statistics.sessionsExpired += 1
      logger.debug("a session expired")
      queue.submit(Work(session: token, request: Message(Envelope(.close)), kind: .release))
    }
  }
}
