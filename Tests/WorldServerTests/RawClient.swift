import Environments
import Foundation
import Testing
import WireProtocol
import WorldServer

/// A server of counting environments, stopped when the test is over.
final class TestServer {
  let journal = Journal()
  let server: EnvironmentServer
  let endpoint: String

  /// - Parameter isKeeping: whether its environments have snapshots.
  init(
    _ endpoint: String = "ipc://*", isKeeping: Bool = false,
    _ configure: (inout ServerConfiguration) -> Void = { _ in }
  ) throws {
    var configuration = ServerConfiguration(endpoints: [endpoint])
    configure(&configuration)
    var catalogue = EnvironmentCatalogue()
    if isKeeping {
      catalogue.register("Counting-v1") { [journal] in KeepingPool(journal) }
    } else {
      catalogue.register("Counting-v1") { [journal] in CountingPool(journal) }
    }
    server = EnvironmentServer(configuration, catalogue: catalogue)
    self.endpoint = try server.start()[0]
  }

  deinit { server.stop() }
}

/// A client that says exactly what a test wants said.
final class RawClient {
  let socket: Socket
  var epoch: UInt64 = 0
  var session = Identifier.none

  init(_ endpoint: String, keys: ClientKeys? = nil) throws {
    var options = SocketOptions.client
    options.curve = keys.map { .client($0) }
    socket = try Socket(.dealer, in: Context(), options)
    try socket.connect(endpoint)
    let connected = try socket.waitToSend(milliseconds: 2_000)
    #expect(connected)
  }

  func send(_ frames: [Frame]) throws {
    let outcome = try socket.send(frames)
    #expect(outcome == .sent)
  }

  /// The next message within the time; a missing one fails the test.
  func receive(milliseconds: Int = 3_000) throws -> Message {
    let frames = try socket.wait(milliseconds: milliseconds) ? try socket.receive(limit: 32) : nil
    return try Message(frames: try #require(frames, "no answer"))
  }

  func ask(_ message: Message) throws -> Message {
    try send(message.frames)
    return try receive()
  }

  func envelope(_ operation: WireProtocol.Operation, _ sequence: UInt64) -> Envelope {
    Envelope(operation, epoch: epoch, session: session, sequence: sequence)
  }

  func stepMessage(_ actions: [Int32], _ slots: [Int32], _ sequence: UInt64) -> Message {
    Message(envelope(.step, sequence), payloads: StepRequest(slots: slots, actions: actions).payloads)
  }

  func step(_ actions: [Int32], slots: [Int32] = [], _ sequence: UInt64) throws -> Message {
    try ask(stepMessage(actions, slots, sequence))
  }

  func sendStep(_ actions: [Int32], slots: [Int32] = [], _ sequence: UInt64) throws {
    try send(stepMessage(actions, slots, sequence).frames)
  }

  /// Starts a session.
  func open(_ count: Int = 1) throws -> Message {
    let request = OpenRequest(environment: "Counting-v1", count: count)
    let reply = try ask(Message(Envelope(.open, sequence: 1, nonce: .random()), json: request))
    epoch = reply.envelope.epoch
    session = reply.envelope.session
    return reply
  }
}

extension Message {
  var status: Status? { envelope.status }

  /// The numbers that a batch of counting environments shows.
  func counts(_ rows: Int, auxiliaries: [String] = []) throws -> [Int32] {
    var batch = StepBatch(observationSpace: Box(height: 1, width: 1, channels: 4))
    try BatchReply.read(self, count: rows, auxiliaries: auxiliaries, into: &batch)
    return (0..<rows).map { row in
      Array(batch.observation(row)).withUnsafeBytes { $0.load(as: Int32.self) }
    }
  }
}
