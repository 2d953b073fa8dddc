import Environments
import Foundation
import Testing
import WireProtocol
import WorldServer

@Suite struct SessionTests {
  @Test func aRepeatedStepHappensOnce() throws {
    let server = try TestServer()
    let client = try RawClient(server.endpoint)
    _ = try client.open(2)
    let first = try client.step([1, 2], 2)
    #expect(try first.counts(2) == [1, 1])
    for _ in 0..<5 {
      let again = try client.step([1, 2], 2)
      #expect(again.frames.map(\.bytes) == first.frames.map(\.bytes))
    }
    let next = try client.step([1, 2], 3)
    #expect(try next.counts(2) == [2, 2])
    #expect(server.journal.steps == 4)
  }

  @Test func staleAndGapAreToldAndChangeNothing() throws {
    let server = try TestServer()
    let client = try RawClient(server.endpoint)
    _ = try client.open()
    _ = try client.step([0], 2)
    _ = try client.step([0], 3)
    for (sequence, status) in [(2, .stale), (0, .stale), (5, .gap), (.max, .gap)] as [(UInt64, Status)] {
      let reply = try client.step([0], sequence)
      #expect(reply.status == status)
    }
    let other = try client.ask(Message(client.envelope(.close, 3), payloads: SlotsRequest().payloads))
    #expect(other.status == .stale, "another operation under a used number")
    #expect(server.journal.steps == 2)
    let next = try client.step([0], 4)
    #expect(try next.counts(1) == [3])
  }

  @Test func aSecondRequestInFlightIsAGap() throws {
    let server = try TestServer()
    let client = try RawClient(server.endpoint)
    _ = try client.open()
    try client.sendStep([CountingPool.slow], 2)
    let second = try client.step([0], 3)
    #expect(second.status == .gap)
    let first = try client.receive()
    #expect(try first.counts(1) == [1])
    let next = try client.step([0], 3)
    #expect(try next.counts(1) == [2])
  }

  @Test func unknownSessionsAndOtherEpochsAreLost() throws {
    let server = try TestServer()
    let client = try RawClient(server.endpoint)
    let none = try client.step([0], 1)
    #expect(none.status == .sessionLost)
    _ = try client.open()
    let (session, epoch) = (client.session, client.epoch)
    client.session = .random()
    let guessed = try client.step([0], 2)
    #expect(guessed.status == .sessionLost)
    client.session = session
    client.epoch = epoch ^ 1
    let old = try client.step([0], 2)
    #expect(old.status == .sessionLost)
    #expect(old.envelope.epoch == epoch, "the reply tells the server's epoch")
    #expect(server.journal.steps == 0)
  }

  @Test func aRetriedOpenFindsItsSession() throws {
    let server = try TestServer()
    let request = OpenRequest(environment: "Counting-v1", count: 3)
    let open = Message(Envelope(.open, sequence: 1, nonce: .random()), json: request)
    let client = try RawClient(server.endpoint)
    let first = try client.ask(open)
    let other = try RawClient(server.endpoint)
    let second = try other.ask(open)
    #expect(first.envelope.session == second.envelope.session)
    #expect(server.journal.openSlots == 3)
    #expect(try second.json(as: OpenReply.self).slots == [0, 1, 2])
  }

  @Test func aReconnectingClientGetsTheReplyThatIsUnderWay() throws {
    let server = try TestServer()
    let client = try RawClient(server.endpoint)
    _ = try client.open()
    try client.sendStep([CountingPool.slow], 2)
    let other = try RawClient(server.endpoint)
    (other.epoch, other.session) = (client.epoch, client.session)
    let reply = try other.step([CountingPool.slow], 2)
    #expect(try reply.counts(1) == [1])
    #expect(server.journal.steps == 1)
  }

  @Test func pingIsAnsweredWhileTheEnvironmentsWork() throws {
    let server = try TestServer()
    let client = try RawClient(server.endpoint)
    _ = try client.open()
    try client.sendStep([CountingPool.slow], 2)
    Thread.sleep(forTimeInterval: 0.1)
    let asked = ContinuousClock.now
    let ping = try client.ask(Message(client.envelope(.ping, 77)))
    #expect(ContinuousClock.now - asked < .milliseconds(200))
    #expect(ping.envelope.sequence == 77)
    let state = try ping.json(as: PingReply.self)
    #expect(state.busyMilliseconds > 20 && state.queued == 1 && state.sessions == 1)
    client.session = .random()
    let lost = try client.ask(Message(client.envelope(.ping, 78)))
    #expect(lost.status == .sessionLost)
  }

  @Test func silentSessionsExpireAndFreeTheirSlots() throws {
    let server = try TestServer { $0.sessionSeconds = 0.2 }
    let client = try RawClient(server.endpoint)
    _ = try client.open(4)
    #expect(server.journal.openSlots == 4)
    Thread.sleep(forTimeInterval: 2.5)
    #expect(server.journal.openSlots == 0)
    let late = try client.step([0, 0, 0, 0], 2)
    #expect(late.status == .sessionLost)
  }

  @Test func closingEndsSlotsAndSessions() throws {
    let server = try TestServer()
    let client = try RawClient(server.endpoint)
    _ = try client.open(3)
    let some = Message(client.envelope(.close, 2), payloads: SlotsRequest(slots: [1, 9]).payloads)
    let closed = try client.ask(some)
    #expect(closed.status == .ok && server.journal.openSlots == 2)
    let rest = try client.step([0, 0], 3)
    #expect(try rest.counts(2) == [1, 1])
    let gone = try client.step([0], slots: [1], 4)
    #expect(gone.status == .unknownSlot)
    let more = OpenRequest(
      environment: "Counting-v1", count: 1, options: OpenOptions(auxiliaries: ["parity"]))
    let opened = try client.ask(Message(client.envelope(.open, 5), json: more))
    #expect(try opened.json(as: OpenReply.self) == OpenReply(slots: [3], auxiliaries: ["parity"]))
    let both = try client.step([0, 0], slots: [3, 0], 6)
    #expect(try both.counts(2, auxiliaries: ["parity"]) == [1, 2])
    let all = Message(client.envelope(.close, 7), payloads: SlotsRequest().payloads)
    let ended = try client.ask(all)
    let again = try client.ask(all)
    #expect(ended.status == .ok && again.status == .sessionLost)
    #expect(server.journal.openSlots == 0)
  }
}
