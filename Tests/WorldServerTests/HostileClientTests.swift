import Environments
import Foundation
import Testing
import WireProtocol
import WorldServer

@Suite struct HostileClientTests {
  @Test(arguments: ["ipc://*", "tcp://127.0.0.1:*"]) func garbageGetsATypedAnswer(_ endpoint: String) throws {
    let server = try TestServer(endpoint)
    let client = try RawClient(server.endpoint)
    let three = Frame([1, 2, 3] as [UInt8])
    let empty = Frame([] as [UInt8])
    let garbage: [[Frame]] = [
      [three], [empty], [three, three], Array(repeating: empty, count: 100),
      [Frame([UInt8](repeating: 0x47, count: 72)), empty],
      [Message(Envelope(.hello)).frames[0]],
    ]
    for frames in garbage {
      try client.send(frames)
      let reply = try client.receive()
      #expect(reply.status == .malformed)
    }
    var frames = Message(Envelope(.hello, sequence: 9)).frames
    frames[1] = Frame([UInt8](repeating: 32, count: 10))
    try client.send(frames)
    let corrupt = try client.receive()
    #expect(corrupt.status == .corrupt && corrupt.envelope.sequence == 9)
    var message = Message(Envelope(.hello))
    message.envelope.version = 9
    let refused = try client.ask(message)
    #expect(refused.status == .unsupportedVersion)
    #expect(try refused.json(as: ErrorDetail.self).versions == [1])
    message = Message(Envelope(.hello))
    message.envelope.operationCode = 200
    let unknown = try client.ask(message)
    #expect(unknown.status == .unknownOperation)
    let outside = try client.ask(Message(Envelope(.snapshot)))
    #expect(outside.status == .sessionLost)
    let opened = try client.open()
    #expect(opened.status == .ok, "and the server lives")
  }

  @Test func wrongSizesAreMalformedAndUseNoNumber() throws {
    let server = try TestServer()
    let client = try RawClient(server.endpoint)
    _ = try client.open(2)
    let odd = Frame([1, 2, 3] as [UInt8])
    let empty = Frame([] as [UInt8])
    var messages = [[], [odd], [odd, odd], [empty, odd], [empty, empty, empty]].map {
      Message(client.envelope(.step, 2), payloads: $0)
    }
    messages.append(Message(client.envelope(.reset, 2), payloads: Array(repeating: odd, count: 6)))
    messages.append(Message(client.envelope(.open, 2), metadata: Frame("{\"count\":".utf8)))
    for message in messages {
      let reply = try client.ask(message)
      #expect(reply.status == .malformed)
    }
    let step = try client.step([0, 0], 2)
    #expect(try step.counts(2) == [1, 1])
  }

  @Test func opensOutOfBoundsAreTyped() throws {
    let server = try TestServer { $0.limits.slotsPerSession = 8 }
    let client = try RawClient(server.endpoint)
    let name = "Counting-v1"
    let opens: [(OpenRequest, Status)] = [
      (OpenRequest(environment: "none", count: 1), .unknownEnvironment),
      (OpenRequest(environment: name, count: 0), .invalidOption),
      (OpenRequest(environment: name, count: .min), .invalidOption),
      (OpenRequest(environment: name, count: .max), .tooManySlots),
      (OpenRequest(environment: name, count: 9), .tooManySlots),
      (OpenRequest(environment: name, count: 2, options: OpenOptions(auxiliaries: ["x"])), .unknownAuxiliary),
    ]
    for (open, status) in opens {
      let reply = try client.ask(Message(Envelope(.open, sequence: 1, nonce: .random()), json: open))
      #expect(reply.status == status)
    }
    #expect(server.journal.openSlots == 0)
    let fits = OpenRequest(environment: name, count: 8)
    let reply = try client.ask(Message(Envelope(.open, sequence: 1, nonce: .random()), json: fits))
    #expect(reply.status == .ok)
  }

  /// Rows beyond all slots that a session can have are refused by their size alone.
  @Test func rowsAreBounded() throws {
    let server = try TestServer { $0.limits.slotsPerSession = 8 }
    let client = try RawClient(server.endpoint)
    _ = try client.open(8)
    let nine = [Int32](repeating: 0, count: 9)
    let empty = Frame([] as [UInt8])
    let presence = [empty, Frame([UInt8](repeating: 0, count: 9)), empty, empty, empty, empty]
    let requests: [(operation: WireProtocol.Operation, payloads: [Frame])] = [
      (.reset, presence), (.reset, ResetRequest(slots: nine).payloads),
      (.step, StepRequest(actions: nine).payloads), (.step, StepRequest(slots: nine, actions: [0]).payloads),
      (.close, SlotsRequest(slots: nine).payloads), (.snapshot, SlotsRequest(slots: nine).payloads),
      (.fork, SlotsRequest(slots: nine).payloads),
      (.restore, RestoreRequest(slots: nine, blobs: []).payloads),
    ]
    for request in requests {
      let reply = try client.ask(Message(client.envelope(request.operation, 2), payloads: request.payloads))
      #expect(reply.status == .tooLarge, "\(request.operation)")
    }
    let step = try client.step([Int32](repeating: 0, count: 8), 2)
    #expect(step.status == .ok, "no number was used up")
  }

  /// Of snapshots that are too many for a reply, no more are taken than show it.
  @Test func snapshotsStopAtTheirBound() throws {
    let server = try TestServer(isKeeping: true) {
      $0.limits.replyBytes = 2 * KeepingPool.snapshotBytes + 1
    }
    let client = try RawClient(server.endpoint)
    _ = try client.open(10)
    let all = try client.ask(Message(client.envelope(.snapshot, 2), payloads: SlotsRequest().payloads))
    #expect(all.status == .invalidOption && server.journal.snapshots == 3)
    let two = SlotsRequest(slots: [0, 9]).payloads
    let some = try client.ask(Message(client.envelope(.snapshot, 3), payloads: two))
    #expect(some.status == .ok && some.payloads.map(\.byteCount) == [16, 2 * KeepingPool.snapshotBytes])
  }

  @Test func sessionsAreBounded() throws {
    let server = try TestServer { $0.limits.sessions = 2 }
    let client = try RawClient(server.endpoint)
    for status in [.ok, .ok, .busy] as [Status] {
      let reply = try client.open()
      #expect(reply.status == status)
    }
  }

  /// Mutated requests of a client with a session, of the right checksum and number, so that all of them is read: always an
  /// answer, and the server lives.
  @Test func mutatedRequestsNeverStopTheServer() throws {
    let server = try TestServer(isKeeping: true)
    let client = try RawClient(server.endpoint)
    _ = try client.open(2)
    var (random, sequence) = (SplitMix64(seed: 3), UInt64(2))
    var statuses: Set<UInt8> = []
    for _ in 0..<1_000 {
      let requests: [(WireProtocol.Operation, [Frame])] = [
        (.step, StepRequest(slots: [0, 1], actions: [0, 1]).payloads),
        (
          .reset,
          ResetRequest(slots: [0, 1], options: [ResetOptions(seed: 1), ResetOptions(seed: 2)]).payloads
        ),
        (.snapshot, SlotsRequest(slots: [0]).payloads),
        (.restore, RestoreRequest(slots: [0], blobs: [[1, 2, 3, 4]]).payloads),
      ]
      let (operation, payloads) = requests[random.next(below: requests.count)]
      var parts = [[]] + payloads.map(\.bytes)
      let part = random.next(below: parts.count)
      if parts[part].isEmpty || random.next(below: 2) == 0 {
        parts[part].append(UInt8(random.next(below: 256)))
      } else {
        parts[part][random.next(below: parts[part].count)] ^= UInt8(random.next(in: 1...255))
      }
      let reply = try client.ask(
        Message(
          client.envelope(operation, sequence), metadata: Frame(parts[0]),
          payloads: parts.dropFirst().map { Frame($0) }))
      let status = reply.envelope.statusCode
      statuses.insert(status)
      // What reached the environments uses the number up.
      if status == 0 || status >= 32 { sequence += 1 }
    }
    // Done, not understood, and refused by the environments.
    #expect(statuses.isSuperset(of: [0, 1]) && statuses.contains { $0 >= 32 }, "\(statuses)")
    let opened = try client.open()
    #expect(opened.status == .ok)
  }

  /// Mutated messages of a client with a session: always an answer, and the server lives.
  @Test func mutationsNeverStopTheServer() throws {
    let server = try TestServer()
    let client = try RawClient(server.endpoint)
    _ = try client.open(2)
    let step = client.stepMessage([0, 1], [0, 1], 2).frames.map(\.bytes)
    var random = SplitMix64(seed: 2)
    for _ in 0..<2_000 {
      var parts = step
      let part = random.next(below: parts.count)
      if parts[part].isEmpty || random.next(below: 2) == 0 {
        parts[part].append(UInt8(random.next(below: 256)))
      } else {
        parts[part][random.next(below: parts[part].count)] ^= UInt8(random.next(in: 1...255))
      }
      try client.send(parts.map { Frame($0) })
      _ = try client.receive()
    }
    let opened = try client.open()
    #expect(opened.status == .ok)
  }

  @Test func rawTCPGarbageIsSurvived() throws {
    let server = try TestServer("tcp://127.0.0.1:*")
    let port = try #require(UInt16(server.endpoint.split(separator: ":").last ?? ""))
    for _ in 0..<20 { try sendRaw([UInt8](repeating: 0x5A, count: 3_000), port: port) }
    let client = try RawClient(server.endpoint)
    let opened = try client.open()
    #expect(opened.status == .ok)
  }

  @Test(arguments: ["tcp://*:5555", "tcp://0.0.0.0:5555", "tcp://192.168.1.2:5555", "inproc://x", "pgm://x"])
  func onlyThisMachineIsBound(_ endpoint: String) throws {
    #expect(throws: ServerError.notLocal(endpoint: endpoint)) { try TestServer(endpoint) }
  }

  @Test func whatCannotBeMadeOrBoundIsTyped() throws {
    var catalogue = EnvironmentCatalogue()
    let configuration = ServerConfiguration(endpoints: ["ipc://*"])
    #expect(throws: ServerError.noEnvironment) {
      try EnvironmentServer(configuration, catalogue: catalogue).start()
    }
    catalogue.register("x") { () throws(EnvironmentError) in throw .fault("broken") }
    #expect(throws: ServerError.environment(name: "x", .fault("broken"))) {
      try EnvironmentServer(configuration, catalogue: catalogue).start()
    }
    #expect(throws: ServerError.self) { try TestServer("ipc:///nowhere/at/all.sock") }
  }

  private func sendRaw(_ bytes: [UInt8], port: UInt16) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0)
    _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }
}
