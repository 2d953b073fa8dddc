import AgentSDK
import Environments
import Foundation
import TestSupport
import Testing
import WorldServer

@Suite struct SnapshotTests {
  private func play(_ pool: RemotePool, _ slots: [Slot], _ steps: Range<Int>) throws -> [[UInt8]] {
    var batch = pool.makeBatch()
    return try steps.map { step in
      try pool.step(slots, slots.map { _ in Int32(step % 6) }, into: &batch)
      return batch.observations
    }
  }

  @Test func aRemotePoolKeepsTheContract() throws {
    let server = try GameServer()
    let findings = EnvironmentChecker(steps: 12) { () throws(EnvironmentError) in
      try RemotePool(server.endpoint, environment: "Platformer-v1")
    }.run()
    #expect(findings.isEmpty)
  }

  @Test func manyForksGoOneWay() throws {
    let server = try GameServer()
    let pool = try RemotePool(server.endpoint, environment: "Platformer-v1")
    let origin = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([origin], [ResetOptions(seed: 3)], into: &batch)
    _ = try play(pool, [origin], 0..<3)
    let forks = try pool.fork(origin, count: 50)
    let way = try play(pool, [origin], 3..<8)
    let ways = try play(pool, forks, 3..<8)
    for (frame, frames) in zip(way, ways) {
      #expect(frames == Array((0..<50).map { _ in frame }.joined()))
    }
  }

  @Test func snapshotsOfAnotherGameAreRefused() throws {
    let server = try GameServer()
    let pool = try RemotePool(server.endpoint, environment: "Platformer-v1")
    let other = try RemotePool(server.endpoint, environment: "Noop-v1")
    let slots = try pool.open(OpenOptions(), count: 2)
    let strange = try other.open(OpenOptions())
    var batch = other.makeBatch()
    try other.reset([strange], [ResetOptions()], into: &batch)
    batch = pool.makeBatch()
    try pool.reset(slots, slots.map { _ in ResetOptions(seed: 1) }, into: &batch)
    let good = try pool.snapshot(slots[0])
    let before = try pool.snapshot(slots)
    let mixed = [good, try other.snapshot(strange)]
    #expect(throws: EnvironmentError.invalidSnapshot("it is not one of Platformer-v1")) {
      try pool.restore(slots, from: mixed)
    }
    let after = try pool.snapshot(slots)
    #expect(after == before, "all or nothing")
    let slow = try RemotePool(server.endpoint, environment: "Slow-v1")
    let fleeting = try slow.open(OpenOptions())
    #expect(throws: EnvironmentError.unsupported("snapshots of Slow-v1")) { _ = try slow.snapshot(fleeting) }
  }

  /// Snapshots that the server would hang up on are not sent, and the session goes on.
  @Test func whatIsTooMuchForOneMessageIsRefused() throws {
    let limit = 4_096
    let server = try GameServer { $0.limits.frameBytes = limit }
    let pool = try RemotePool(server.endpoint, environment: "Platformer-v1")
    let slots = try pool.open(OpenOptions(), count: 64)
    var batch = pool.makeBatch()
    try pool.reset(slots, slots.map { _ in ResetOptions(seed: 1) }, into: &batch)
    let kept = try pool.snapshot(slots)
    let bytes = kept.reduce(0) { $0 + $1.count }
    try #require(bytes > limit && kept[0].count <= limit)
    let start = ContinuousClock.now
    let reason = "\(bytes) bytes in one message, the server takes 4096: name fewer slots"
    #expect(throws: EnvironmentError.refused(reason: reason)) { try pool.restore(slots, from: kept) }
    try pool.step(slots, slots.map { _ in 0 }, into: &batch)
    #expect(batch.faults.allSatisfy { $0 == nil })
    try pool.restore([slots[0]], from: [kept[0]])
    #expect(ContinuousClock.now - start < .seconds(2), "nobody waited for an answer that cannot come")
  }

  /// A server that was stopped, and one after it: the session goes on, to the bit.
  @Test(arguments: [5, 300]) func sessionsOutliveTheServer(_ steps: Int) throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let endpoint = "ipc://\(temporary.url.path)/kept.sock"
    var configuration = ServerConfiguration(endpoints: [endpoint])
    configuration.persistence = temporary.url.appending(path: "sessions")
    var policy = RetryPolicy()
    policy.resendSeconds = 0.2
    let first = EnvironmentServer(configuration, catalogue: .builtIn)
    _ = try first.start()
    let pool = try RemotePool(endpoint, environment: "Platformer-v1", retry: policy)
    let slots = try pool.open(OpenOptions(horizon: 1_000), count: 2)
    var local = GamePool(Platformer())
    let own = [try local.open(OpenOptions(horizon: 1_000)), try local.open(OpenOptions(horizon: 1_000))]
    var (batch, reference) = (pool.makeBatch(), local.makeBatch())
    func step(_ number: Int) throws {
      let actions = [Int32(number % 2), Int32(number / 2 % 2)]
      try pool.step(slots, actions, into: &batch)
      try local.step(own, actions, into: &reference)
      #expect(batch.observations == reference.observations && batch.faults == reference.faults)
    }
    try pool.reset(slots, [ResetOptions(seed: 1), ResetOptions(seed: 2)], into: &batch)
    try local.reset(own, [ResetOptions(seed: 1), ResetOptions(seed: 2)], into: &reference)
    for number in 0..<steps { try step(number) }
    first.stop()
    let second = EnvironmentServer(configuration, catalogue: .builtIn)
    _ = try second.start()
    for number in steps..<steps + 20 { try step(number) }
    #expect(try pool.ping().sessions == 1)
    second.stop()
    let third = EnvironmentServer(configuration, catalogue: .builtIn)
    _ = try third.start()
    #expect(try pool.ping().sessions == 1, "a ping takes the session up, too")
    third.stop()
    // And with it the step that was on its way when the server stopped.
    try pool.send(slots, [0, 1])
    let fourth = EnvironmentServer(configuration, catalogue: .builtIn)
    _ = try fourth.start()
    defer { fourth.stop() }
    #expect(try pool.ping().sessions == 1)
    try pool.receive(into: &batch)
    try local.step(own, [0, 1], into: &reference)
    #expect(batch.observations == reference.observations && batch.faults == reference.faults)
    try step(steps + 20)
  }

  @Test func closedSessionsAreNotKept() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    var configuration = ServerConfiguration(endpoints: ["ipc://*"])
    let folder = temporary.url.appending(path: "sessions")
    configuration.persistence = folder
    let server = EnvironmentServer(configuration, catalogue: .builtIn)
    let endpoint = try server.start()[0]
    do {
      let pool = try RemotePool(endpoint, environment: "Noop-v1")
      _ = try pool.open(OpenOptions())
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
    }
    server.stop()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }
}
