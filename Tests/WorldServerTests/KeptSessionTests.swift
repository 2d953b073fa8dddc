import Environments
import Foundation
import TestSupport
import Testing
import WireProtocol
import WorldServer

/// Sessions on disk, and what the next server makes of them.
@Suite struct KeptSessionTests {
  let temporary: TemporaryFolder
  init() throws { temporary = try TemporaryFolder() }

  private func server(_ folder: URL, isKeeping: Bool = false) throws -> TestServer {
    try TestServer(isKeeping: isKeeping) { $0.persistence = folder }
  }

  /// A server that finds what another has written so far, as one that follows after a kill.
  private func successor(of folder: URL, isKeeping: Bool = false) throws -> TestServer {
    let copy = folder.appendingPathExtension("copy")
    try FileManager.default.copyItem(at: folder, to: copy)
    return try server(copy, isKeeping: isKeeping)
  }

  /// A client that takes up a session at a new server, and the answer to that.
  private func resume(_ session: Identifier, at server: TestServer) throws -> (
    client: RawClient, answer: Message
  ) {
    let client = try RawClient(server.endpoint)
    let hello = try client.ask(Message(Envelope(.hello), json: HelloRequest(client: "test/1")))
    (client.epoch, client.session) = (hello.envelope.epoch, session)
    return (client, try client.ask(Message(client.envelope(.resume, 9))))
  }

  private func open(_ client: RawClient, _ count: Int, _ sequence: UInt64) throws -> Message {
    let request = OpenRequest(environment: "Counting-v1", count: count)
    return try client.ask(Message(client.envelope(.open, sequence), json: request))
  }

  private func close(_ client: RawClient, _ slots: [Int32], _ sequence: UInt64) throws -> Message {
    try client.ask(Message(client.envelope(.close, sequence), payloads: SlotsRequest(slots: slots).payloads))
  }

  /// For want of room an open failed. At the next server there is room, and still it fails: what came after it is
  /// for as many slots as there were.
  @Test func anOpenThatFailedFailsAgain() throws {
    let first = try server(temporary.file("sessions"))
    let (greedy, modest) = (try RawClient(first.endpoint), try RawClient(first.endpoint))
    _ = try greedy.open(60)
    _ = try modest.open(2)
    let refused = try open(modest, 4, 2)
    #expect(refused.status == .tooManySlots)
    _ = try modest.step([0, 0], 3)
    let second = try successor(of: temporary.file("sessions"))
    let (client, answer) = try resume(modest.session, at: second)
    #expect(try answer.json(as: ResumeReply.self).accepted == 3)
    let repeated = try client.step([0, 0], 3)
    #expect(try repeated.counts(2) == [1, 1])
    let next = try client.step([0, 0], 4)
    #expect(try next.counts(2) == [2, 2])
  }

  /// The last request may be one that failed; its reply is the same.
  @Test func theReplyToAnOpenThatFailedIsKept() throws {
    let first = try server(temporary.file("sessions"))
    let (greedy, modest) = (try RawClient(first.endpoint), try RawClient(first.endpoint))
    _ = try greedy.open(60)
    _ = try modest.open(2)
    _ = try open(modest, 4, 2)
    let second = try successor(of: temporary.file("sessions"))
    let (client, answer) = try resume(modest.session, at: second)
    #expect(try answer.json(as: ResumeReply.self).accepted == 2)
    let again = try open(client, 4, 2)
    #expect(again.status == .tooManySlots && again.envelope.epoch == client.epoch)
    let later = try open(client, 4, 3)
    #expect(try later.json(as: OpenReply.self).slots == [2, 3, 4, 5], "a new request finds the room")
  }

  /// There was room for an open, and at the next server others were quicker: that is told, not passed over.
  @Test func anOpenThatSucceededHasToSucceedAgain() throws {
    let first = try server(temporary.file("sessions"))
    let (greedy, modest) = (try RawClient(first.endpoint), try RawClient(first.endpoint))
    _ = try modest.open(2)
    let more = try open(modest, 4, 2)
    #expect(more.status == .ok)
    _ = try close(modest, [2, 3, 4, 5], 3)
    let all = try greedy.open(62)
    #expect(all.status == .ok)
    let second = try successor(of: temporary.file("sessions"))
    let (_, taken) = try resume(greedy.session, at: second)
    #expect(taken.status == .ok)
    let (_, lost) = try resume(modest.session, at: second)
    #expect(lost.status == .sessionLost)
    #expect(second.journal.openSlots == 62)
  }

  /// Between two episodes a client may hold no slot at all.
  @Test func aSessionWithoutSlotsGoesOn() throws {
    let first = try server(temporary.file("sessions"), isKeeping: true)
    let client = try RawClient(first.endpoint)
    _ = try client.open()
    _ = try close(client, [0], 2)
    first.server.stop()
    let second = try server(temporary.file("sessions"), isKeeping: true)
    let (again, answer) = try resume(client.session, at: second)
    #expect(try answer.json(as: ResumeReply.self).accepted == 2)
    let opened = try open(again, 1, 3)
    #expect(try opened.json(as: OpenReply.self).slots == [1])
  }

  /// The same where a snapshot falls due just then (the 256th request), and the server is killed later.
  @Test func numbersAreNeverGivenAgain() throws {
    let first = try server(temporary.file("sessions"), isKeeping: true)
    let client = try RawClient(first.endpoint)
    _ = try client.open()
    for sequence in 2...255 as ClosedRange<UInt64> { _ = try client.step([0], sequence) }
    _ = try close(client, [0], 256)
    _ = try open(client, 1, 257)
    _ = try client.step([0], slots: [1], 258)
    let second = try successor(of: temporary.file("sessions"), isKeeping: true)
    let (again, answer) = try resume(client.session, at: second)
    #expect(try answer.json(as: ResumeReply.self).accepted == 258)
    let next = try again.step([0], slots: [1], 259)
    #expect(try next.counts(1) == [2])
  }

  /// Each snapshot is on disk before the next is taken: all of them may be more than there is memory for.
  @Test func snapshotsAreWrittenOneByOne() throws {
    let folder = temporary.file("sessions")
    let first = try server(folder, isKeeping: true)
    let client = try RawClient(first.endpoint)
    _ = try client.open(4)
    _ = try client.step([0, 0, 0, 0], 2)
    nonisolated(unsafe) var written: [Int] = []
    first.journal.onSnapshot = {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      let files = names.map { try? Data(contentsOf: folder.appending(path: $0)) }
      written.append(files.compactMap { $0?.count }.max() ?? 0)
    }
    first.server.stop()
    try #require(written.count == 4)
    let three = 3 * KeepingPool.snapshotBytes
    #expect(written[0] < three && written[3] >= three)
    let second = try server(folder, isKeeping: true)
    let (again, _) = try resume(client.session, at: second)
    let next = try again.step([0, 0, 0, 0], 3)
    #expect(try next.counts(4) == [2, 2, 2, 2])
  }

  /// A journal that could not be written is given up for good: half of one would be worse than none.
  @Test func whatWasGivenUpIsNotBegunAnew() throws {
    let folder = temporary.file("sessions")
    let first = try server(folder, isKeeping: true)
    let client = try RawClient(first.endpoint)
    _ = try client.open()
    let file = folder.appending(path: "\(client.session).session")
    // No file can take the place of a folder: the snapshot after the 256th request fails.
    try FileManager.default.removeItem(at: file)
    try FileManager.default.createDirectory(
      at: file.appending(path: "in the way"), withIntermediateDirectories: true)
    for sequence in 2...258 as ClosedRange<UInt64> {
      let reply = try client.step([0], sequence)
      try #require(reply.status == .ok)
    }
    #expect(!FileManager.default.fileExists(atPath: file.path))
  }

  static func head(blobs: Int, reply: Int, accepted: Int) -> String {
    #"{"blobs":\#(blobs),"reply":\#(reply),"base":{"accepted":\#(accepted),"environment":"Counting-v1","#
      + #""user":"","operation":5,"next":0,"auxiliaries":[],"numbers":[],"options":[]}}"#
  }

  static let heads = [
    head(blobs: .max, reply: 1, accepted: 1), head(blobs: -1, reply: 1, accepted: 1),
    head(blobs: 0, reply: .max, accepted: 1), head(blobs: 0, reply: -1, accepted: 1),
    head(blobs: 0, reply: 0, accepted: 1), "{}",
  ]

  /// Whatever a file holds, its session is lost and the server lives.
  @Test(arguments: heads) func damagedFilesAreLostSessions(_ head: String) throws {
    try expectLost(records: [[Array(head.utf8)]]) { _ in [] }
  }

  /// A request to take a session up, kept as one of that session, would never end.
  @Test func resumingIsNotRepeated() throws {
    let head = Self.head(blobs: 0, reply: 0, accepted: 0)
    try expectLost(records: [[Array(head.utf8)]]) { session in
      [Message(Envelope(.resume, session: session, sequence: 1)).frames.map(\.bytes)]
    }
  }

  /// Writes a file of these records and of those that the session's token is needed for.
  private func expectLost(records: [[[UInt8]]], _ more: (Identifier) -> [[[UInt8]]]) throws {
    let server = try server(temporary.file("sessions"), isKeeping: true)
    let session = Identifier.random()
    // The file's numbers and lengths are those of a snapshot.
    var file = SnapshotWriter()
    for record in records + more(session) {
      file.write(UInt32(record.count))
      for frame in record { file.write(frame) }
    }
    try Data(file.bytes).write(to: temporary.file("sessions").appending(path: "\(session).session"))
    let (client, answer) = try resume(session, at: server)
    #expect(answer.status == .sessionLost)
    let opened = try client.open()
    #expect(opened.status == .ok)
  }

  @Test func nobodyElseSeesTheTokens() throws {
    let folder = temporary.file("sessions")
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    let server = try server(folder)
    let client = try RawClient(server.endpoint)
    _ = try client.open()
    func mode(_ path: String) throws -> Int? {
      (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
    }
    #expect(try mode(folder.path) == 0o700)
    #expect(try mode(folder.appending(path: "\(client.session).session").path) == 0o600)
  }

  /// A session that is kept alive by pings alone is not deleted as too old after a kill.
  @Test func pingsKeepTheFileFresh() throws {
    let folder = temporary.file("sessions")
    let server = try TestServer {
      $0.persistence = folder
      $0.sessionSeconds = 2
    }
    let client = try RawClient(server.endpoint)
    _ = try client.open()
    let path = folder.appending(path: "\(client.session).session").path
    let longAgo = Date(timeIntervalSinceNow: -1_000)
    try FileManager.default.setAttributes([.modificationDate: longAgo], ofItemAtPath: path)
    Thread.sleep(forTimeInterval: 0.6)
    let pong = try client.ask(Message(client.envelope(.ping, 5)))
    #expect(pong.status == .ok)
    let date = try #require(
      try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date)
    #expect(-date.timeIntervalSinceNow < 100)
  }
}
