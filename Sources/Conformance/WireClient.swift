import Environments
import Foundation
import WireProtocol

/// A client that says exactly what it is told to say, right or wrong.
public final class WireClient {
  public let socket: Socket
  public var epoch: UInt64 = 0
  public var session = Identifier.none
  /// The last sequence that was used up.
  public var sequence: UInt64 = 0
  private let monitor: HandshakeMonitor?

  /// What the other end did not do.
  public enum Failure: Error, CustomStringConvertible {
    case noAnswer(milliseconds: Int)
    case notSent
    case refused(String)

    public var description: String {
      switch self {
      case .noAnswer(let milliseconds): "no answer within \(milliseconds) ms"
      case .notSent: "nothing can be sent: no server is there"
      case .refused(let reason): "the server refuses the connection: \(reason)"
      }
    }
  }

  /// - Parameter isMonitored: whether a refusal is told as one; without, it is silence.
  /// - Throws: ``Failure`` where no server lets it in within two seconds.
  public init(
    _ endpoint: String, keys: ClientKeys? = nil, in context: Context? = nil, isMonitored: Bool = true
  ) throws {
    var options = SocketOptions.client
    options.curve = keys.map { .client($0) }
    let context = try context ?? Context()
    socket = try Socket(.dealer, in: context, options)
    monitor = isMonitored ? try HandshakeMonitor(socket, in: context, hasKeys: keys != nil) : nil
    try socket.connect(endpoint)
    let deadline = ContinuousClock.now + .seconds(2)
    while try !socket.waitToSend(milliseconds: 0) {
      guard ContinuousClock.now < deadline else { throw Failure.notSent }
      guard let monitor else {
        _ = try socket.waitToSend(milliseconds: 100)
        continue
      }
      monitor.wait(toSend: socket, milliseconds: 100)
      if let refusal = monitor.refusal() { throw Failure.refused(refusal) }
    }
  }

  public func send(_ frames: [Frame]) throws {
    guard try socket.waitToSend(milliseconds: 1_000), try socket.send(frames) == .sent else {
      throw Failure.notSent
    }
  }

  public func receive(milliseconds: Int = 3_000) throws -> Message {
    let deadline = ContinuousClock.now + .milliseconds(milliseconds)
    while ContinuousClock.now < deadline {
      if let frames = try socket.receive(limit: 32, within: milliseconds) {
        return try Message(frames: frames)
      }
    }
    throw Failure.noAnswer(milliseconds: milliseconds)
  }

  public func ask(_ message: Message) throws -> Message {
    try send(message.frames)
    return try receive()
  }

  public func envelope(_ operation: WireProtocol.Operation, _ sequence: UInt64) -> Envelope {
    Envelope(operation, epoch: epoch, session: session, sequence: sequence)
  }

  /// Asks under the session's next number, and takes note whether it was used up.
  public func next(_ operation: WireProtocol.Operation, _ payloads: [Frame]) throws -> Message {
    let reply = try ask(Message(envelope(operation, sequence + 1), payloads: payloads))
    if reply.envelope.statusCode == 0 || reply.envelope.statusCode >= 32 { sequence += 1 }
    return reply
  }

  public func step(_ actions: [Int32], slots: [Int32] = []) throws -> Message {
    try next(.step, StepRequest(slots: slots, actions: actions).payloads)
  }

  public func reset(seeds: [UInt64], slots: [Int32] = []) throws -> Message {
    try next(.reset, ResetRequest(slots: slots, options: seeds.map { ResetOptions(seed: $0) }).payloads)
  }

  /// Starts a session.
  public func open(_ environment: String, _ count: Int, _ options: OpenOptions = OpenOptions()) throws
    -> Message
  {
    let request = OpenRequest(environment: environment, count: count, options: options)
    let reply = try ask(Message(Envelope(.open, sequence: 1, nonce: .random()), json: request))
    if reply.envelope.statusCode == 0 {
      (epoch, session, sequence) = (reply.envelope.epoch, reply.envelope.session, 1)
    }
    return reply
  }

  /// Ends the session.
  public func close() { _ = try? next(.close, SlotsRequest().payloads) }
}
