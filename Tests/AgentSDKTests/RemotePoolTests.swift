import AgentSDK
import Environments
import Foundation
import Testing
import WorldServer

@Suite struct RemotePoolTests {
  @Test(arguments: ["ipc://*", "tcp://127.0.0.1:*"]) func keepsTheContract(_ endpoint: String) throws {
    let server = try GameServer(endpoint)
    let checker = EnvironmentChecker { () throws(EnvironmentError) in
      try RemotePool(server.endpoint, environment: "Platformer-v1")
    }
    #expect(checker.run().map(\.description) == [])
  }

  /// The same actions give the same episode here and behind a socket.
  @Test func isLikeTheLocalPool() throws {
    let server = try GameServer()
    var local = GamePool(Platformer())
    let remote = try RemotePool(server.endpoint, environment: "Platformer-v1")
    #expect(remote.specification == local.specification)
    var here = local.makeBatch()
    var there = remote.makeBatch()
    let options = OpenOptions(horizon: 40)
    let mine = [try local.open(options), try local.open(options), try local.open(options)]
    let theirs = try remote.open(options, count: 2) + [remote.open(options)]
    let starts = [ResetOptions(seed: 5), ResetOptions(), ResetOptions(seed: 9)]
    try local.reset(mine, starts, into: &here)
    try remote.reset(theirs, starts, into: &there)
    #expect(here.observations == there.observations)
    for step in 0..<60 {
      let rows = step % 4 == 3 ? [2, 0] : [0, 1, 2]
      let actions = rows.map { Int32((step * 7 + $0) % 6) }
      try local.step(rows.map { mine[$0] }, actions, into: &here)
      try remote.step(rows.map { theirs[$0] }, actions, into: &there)
      #expect(here.faults == there.faults)
      for row in rows.indices where here.faults[row] == nil {
        #expect(here.observation(row) == there.observation(row))
        #expect(here.rewards[row] == there.rewards[row])
        #expect(here.terminated[row] == there.terminated[row])
        #expect(here.truncated[row] == there.truncated[row])
      }
    }
  }

  @Test func observationsCanBeReadInPlace() throws {
    let server = try GameServer()
    let pool = try RemotePool(server.endpoint, environment: "Platformer-v1")
    var batch = pool.makeBatch()
    let slots = try pool.open(OpenOptions(), count: 8)
    let starts = slots.indices.map { ResetOptions(seed: UInt64($0)) }
    let actions = [Int32](repeating: 2, count: 8)
    try pool.reset(slots, starts, into: &batch)
    try pool.step(slots, actions, into: &batch)
    let (copied, rewards) = (batch.observations, batch.rewards)
    try pool.reset(slots, starts, into: &batch)
    try pool.send(slots, actions)
    let seen = try pool.receive(into: &batch) { Array($0) }
    #expect(seen == copied && batch.rewards == rewards && batch.count == 8)
    try pool.send([], [])
    #expect(try pool.receive(into: &batch) { $0.count } == 0 && batch.count == 0)
    #expect(throws: EnvironmentError.refused(reason: "no step was sent")) {
      try pool.send(slots, actions)
      try pool.receive(into: &batch)
      try pool.receive(into: &batch) { _ in }
    }
  }

  @Test func errorsAreThoseOfTheContract() throws {
    let server = try GameServer()
    let pool = try RemotePool(server.endpoint, environment: "Platformer-v1")
    var batch = pool.makeBatch()
    let slots = try pool.open(OpenOptions(), count: 2)
    try pool.step(slots, [0, 0], into: &batch)
    #expect(batch.faults == [.needsReset, .needsReset])
    #expect(throws: EnvironmentError.invalidOption(name: "count", reason: "0 slots")) {
      try pool.open(OpenOptions(), count: 0)
    }
    pool.close(slots[0])
    #expect(throws: EnvironmentError.unknownSlot(slots[0])) { try pool.step([slots[0]], [0], into: &batch) }
    try pool.reset([slots[1]], [ResetOptions()], into: &batch)
    #expect(batch.faults == [nil])
    let names = ["Noop-v1", "Platformer-v1", "Slow-v1"]
    #expect(throws: EnvironmentError.unknownEnvironment("x", offered: names)) {
      try RemotePool(server.endpoint, environment: "x")
    }
    #expect(throws: EnvironmentError.unknownEnvironment("", offered: names)) {
      try RemotePool(server.endpoint)
    }
  }

  @Test func learnersOverlapWithTheWorld() throws {
    let server = try GameServer()
    let pool = try RemotePool(server.endpoint, environment: "Slow-v1")
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions()], into: &batch)
    let start = ContinuousClock.now
    try pool.send([slot], [0])
    #expect(ContinuousClock.now - start < .milliseconds(100), "sending does not wait")
    try pool.receive(into: &batch)
    #expect(batch.rewards == [1])
    #expect(throws: EnvironmentError.self) { try pool.receive(into: &batch) }
  }

  @Test func manySlotsGoInOneMessage() throws {
    let server = try GameServer()
    let pool = try RemotePool(server.endpoint, environment: "Noop-v1")
    var batch = pool.makeBatch()
    let slots = try pool.open(OpenOptions(horizon: 2), count: 64)
    try pool.reset(slots, slots.map { _ in ResetOptions() }, into: &batch)
    try pool.step(slots, slots.map { _ in 0 }, into: &batch)
    try pool.step(slots, slots.map { _ in 0 }, into: &batch)
    #expect(batch.truncated == Array(repeating: true, count: 64))
    #expect(batch.observations.allSatisfy { $0 == 128 })
  }

  @Test func viewsTakeIt() throws {
    let server = try GameServer()
    let pool = try RemotePool(server.endpoint, environment: "Noop-v1")
    var vector = try VectorEnvironment(pool, count: 3, options: OpenOptions(horizon: 2))
    var batch = vector.makeBatch()
    try vector.reset(seed: 1, into: &batch)
    var ends = 0
    for _ in 0..<9 {
      try vector.step([0, 1, 2], into: &batch)
      ends += batch.truncated.count { $0 }
    }
    #expect(ends == 9)
  }
}
