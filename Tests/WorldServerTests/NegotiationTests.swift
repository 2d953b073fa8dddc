import Environments
import Foundation
import Testing
import WireProtocol
import WorldServer

@Suite struct NegotiationTests {
  @Test func tellsWhatItIs() throws {
    let server = try TestServer()
    let client = try RawClient(server.endpoint)
    let hello = try client.ask(Message(Envelope(.hello, sequence: 5), json: HelloRequest(client: "test/1")))
    let told = try hello.json(as: HelloReply.self)
    #expect(told.versions == [1] && told.environments == ["Counting-v1"] && told.limits == Limits())
    #expect(hello.envelope.sequence == 5 && hello.envelope.epoch != 0 && hello.envelope.isReply)
    let describe = try client.ask(Message(Envelope(.describe)))
    let described = try describe.json(as: Description.self).environments
    #expect(described.map(\.observationSpace) == [Box(height: 1, width: 1, channels: 4)])
    let stats = try client.ask(Message(Envelope(.stats)))
    let counters = try stats.json(as: ServerStatistics.self)
    #expect(counters.requests == 3 && counters.sessions == 0)
  }

  @Test func resetsStartAtTheirSeeds() throws {
    let server = try TestServer()
    let client = try RawClient(server.endpoint)
    _ = try client.open(3)
    let request = ResetRequest(slots: [2, 0], options: [ResetOptions(seed: 40), ResetOptions()])
    let some = try client.ask(Message(client.envelope(.reset, 2), payloads: request.payloads))
    #expect(try some.counts(2) == [40, 0])
    let step = try client.step([1, 1, 1], 3)
    #expect(try step.counts(3) == [1, 1, 41])
    let all = try client.ask(Message(client.envelope(.reset, 4), payloads: ResetRequest().payloads))
    #expect(try all.counts(3) == [0, 0, 0])
  }

  @Test func stopsAfterTheLastReplies() throws {
    let server = try TestServer()
    let client = try RawClient(server.endpoint)
    _ = try client.open()
    try client.sendStep([CountingPool.slow], 2)
    // The step has begun: what the server is stopped in the middle of.
    for _ in 0..<300 where server.journal.steps == 0 { Thread.sleep(forTimeInterval: 0.01) }
    Thread { [server = server.server] in server.stop() }.start()
    let last = try client.receive()
    #expect(try last.counts(1) == [1])
    server.server.stop()
    #expect(server.journal.openSlots == 0)
  }
}
