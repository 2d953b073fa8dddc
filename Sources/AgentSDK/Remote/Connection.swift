import Environments
import Foundation
import WireProtocol

/// A socket to a server that is replaced when nothing comes back ("Lazy Pirate"). It belongs to one thread.
final class Connection {
  let endpoint: String
  let retry: RetryPolicy
  private let context: Context
  private let keys: ClientKeys?
  private var socket: Socket
  private var monitor: HandshakeMonitor
  /// Whether the request has left; a server that is not there yet takes nothing.
  private var isSent = false
  private var correlation: UInt64 = 0
  private let limits: Limits

  init(_ endpoint: String, _ retry: RetryPolicy, keys: ClientKeys? = nil) throws(EnvironmentError) {
    var limits = Limits()
    limits.metadataBytes = 16 << 20
    do throws(WireError) {
      context = try Context()
      socket = try Connection.socket(context, keys)
      monitor = try HandshakeMonitor(socket, in: context, hasKeys: keys != nil)
      try socket.connect(endpoint)
    } catch {
      throw .disconnected(endpoint: endpoint, reason: error.description)
    }
    self.keys = keys
    self.endpoint = endpoint
    self.retry = retry
    self.limits = limits
  }

  private static func socket(_ context: Context, _ keys: ClientKeys?) throws(WireError) -> Socket {
    var options = SocketOptions.client
    options.curve = keys.map { .client($0) }
    return try Socket(.dealer, in: context, options)
  }

  private func connect() throws(WireError) {
    socket = try Connection.socket(context, keys)
    monitor = try HandshakeMonitor(socket, in: context, hasKeys: keys != nil)
    try socket.connect(endpoint)
  }

  /// The next number for a request outside sessions.
  func nextCorrelation() -> UInt64 {
    correlation += 1
    return correlation
  }

  /// Sends a request where a server is connected; ``collect(_:)`` sees to it otherwise.
  func post(_ request: Message) throws(EnvironmentError) {
    try attempt { () throws(WireError) in isSent = try socket.send(request.frames) == .sent }
  }

  /// Waits for the answer to a request that was posted, and asks again as often as the policy says.
  /// - Returns: the reply, whatever its status, but never BUSY.
  func collect(_ request: Message) throws(EnvironmentError) -> Message {
    let start = ContinuousClock.now
    var lastWord = start
    var nextSend = start + .seconds(retry.resendSeconds)
    while true {
      let now = ContinuousClock.now
      if now - lastWord >= .seconds(retry.silenceSeconds) {
        throw .disconnected(
          endpoint: endpoint, reason: "no word from the server for \(retry.silenceSeconds) s")
      }
      if now - start >= .seconds(retry.timeoutSeconds) {
        let operation = request.envelope.operation.map { "\($0)" }
        throw .timedOut(operation: operation ?? "", seconds: retry.timeoutSeconds)
      }
      if now >= nextSend {
        try reconnect(request)
        nextSend = now + .seconds(retry.resendSeconds)
      }
      let silence = lastWord + .seconds(retry.silenceSeconds)
      let until = min(nextSend, silence, start + .seconds(retry.timeoutSeconds))
      let milliseconds = max(1, Int(((until - now) / .milliseconds(1)).rounded(.up)))
      guard isSent else {
        monitor.wait(toSend: socket, milliseconds: milliseconds)
        if let refusal = monitor.refusal() { throw .refused(reason: refusal) }
        try post(request)
        continue
      }
      guard let reply = try receive(within: milliseconds) else { continue }
      lastWord = .now
      guard answers(reply.envelope, request.envelope), reply.envelope.status != .corrupt else { continue }
      guard reply.envelope.status == .busy else { return reply }
      let pause = Double(reply.envelope.retryAfterMilliseconds) / 1_000
      guard .now + .seconds(pause) - start < .seconds(retry.timeoutSeconds) else {
        throw .busy(retryAfterSeconds: pause)
      }
      Thread.sleep(forTimeInterval: pause)
      lastWord = .now
      try post(request)
    }
  }

  /// Posts a request and waits a little for any answer: a goodbye.
  func farewell(_ request: Message, milliseconds: Int) {
    guard (try? socket.send(request.frames)) == .sent else { return }
    _ = try? socket.wait(milliseconds: milliseconds)
  }

  /// A new socket, the same request, and a ping that tells a busy server from one that is gone.
  private func reconnect(_ request: Message) throws(EnvironmentError) {
    try attempt { () throws(WireError) in try connect() }
    isSent = false
    guard try attempt({ () throws(WireError) in try socket.waitToSend(milliseconds: 100) }) else { return }
    try post(request)
    let ping = Message(Envelope(.ping, sequence: nextCorrelation()))
    try attempt { () throws(WireError) in _ = try socket.send(ping.frames) }
  }

  /// The next message, where one comes in time and is one of the protocol.
  private func receive(within milliseconds: Int) throws(EnvironmentError) -> Message? {
    let frames = try attempt { () throws(WireError) in
      try socket.receive(limit: limits.payloads + 2, within: milliseconds)
    }
    guard let frames else { return nil }
    do throws(WireError) {
      return try Message(frames: frames, limits: limits)
    } catch .unsupportedVersion(let version) {
      throw .refused(reason: "the server speaks version \(version) of the protocol, not \(Envelope.version)")
    } catch {
      return nil
    }
  }

  private func answers(_ reply: Envelope, _ request: Envelope) -> Bool {
    reply.isReply && reply.operationCode == request.operationCode && reply.sequence == request.sequence
      && (request.session == .none ? reply.nonce == request.nonce : reply.session == request.session)
  }

  private func attempt<Result>(_ body: () throws(WireError) -> Result) throws(EnvironmentError) -> Result {
    do throws(WireError) {
      return try body()
    } catch {
      throw .disconnected(endpoint: endpoint, reason: error.description)
    }
  }
}
