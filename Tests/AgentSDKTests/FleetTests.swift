import AgentSDK
import Environments
import Foundation
import Testing
import WorldServer

@Suite struct FleetTests {
  private var quick: RetryPolicy {
    var policy = RetryPolicy()
    (policy.resendSeconds, policy.silenceSeconds) = (0.1, 0.5)
    return policy
  }

  private func isLoss(_ fault: EnvironmentError?) -> Bool {
    if case .sessionLost = fault { true } else { false }
  }

  @Test func keepsTheContract() throws {
    let servers = [try GameServer(), try GameServer()]
    let checker = EnvironmentChecker { () throws(EnvironmentError) in
      try RemoteFleet(servers.map(\.endpoint), environment: "Platformer-v1")
    }
    #expect(checker.run().map(\.description) == [])
  }

  @Test func worldsAreSpreadAndLikeThoseOfOneServer() throws {
    let servers = [try GameServer(), try GameServer()]
    let fleet = try RemoteFleet(servers.map(\.endpoint), environment: "Platformer-v1")
    var local = GamePool(Platformer())
    let (here, there) = (
      try (0..<5).map { _ in try local.open(OpenOptions()) },
      try (0..<5).map { _ in try fleet.open(OpenOptions()) }
    )
    #expect(fleet.load.map(\.slots).sorted() == [2, 3])
    var (expected, batch) = (local.makeBatch(), fleet.makeBatch())
    let options = (0..<5).map { ResetOptions(seed: UInt64($0)) }
    try local.reset(here, options, into: &expected)
    try fleet.reset(there, options, into: &batch)
    #expect(batch.observations == expected.observations)
    for step in 0..<20 {
      let actions = (0..<5).map { Int32(($0 + step) % 6) }
      try local.step(here, actions, into: &expected)
      try fleet.step(there, actions, into: &batch)
      #expect(batch.observations == expected.observations && batch.rewards == expected.rewards)
    }
    fleet.close(there[0])
    #expect(fleet.load.map(\.slots) == [2, 2])
    #expect(throws: EnvironmentError.unknownSlot(there[0])) { try fleet.step([there[0]], [0], into: &batch) }
    withExtendedLifetime(servers) {}
  }

  /// The death of a server costs its episodes and nothing else; its slots go on at the others.
  @Test func aServerThatDiesCostsItsEpisodes() throws {
    var servers: [GameServer?] = [try GameServer("tcp://127.0.0.1:*"), try GameServer("tcp://127.0.0.1:*")]
    let endpoints = servers.map { $0!.endpoint }
    let fleet = try RemoteFleet(endpoints, environment: "Noop-v1", retry: quick)
    let slots = try (0..<6).map { _ in try fleet.open(OpenOptions()) }
    var batch = fleet.makeBatch()
    try fleet.reset(slots, slots.map { _ in ResetOptions() }, into: &batch)
    try fleet.step(slots, slots.map { _ in 0 }, into: &batch)
    #expect(batch.faults.allSatisfy { $0 == nil })
    servers[0] = nil
    let start = ContinuousClock.now
    try fleet.step(slots, slots.map { _ in 0 }, into: &batch)
    #expect(ContinuousClock.now - start < .seconds(2))
    let lost = slots.indices.filter { isLoss(batch.faults[$0]) }
    #expect(lost.count == 3 && batch.faults.count { $0 == nil } == 3)
    #expect(fleet.load.map(\.endpoint) == [endpoints[1]] && fleet.load.map(\.slots) == [6])
    // A slot that was lost waits for its reset, as any new one.
    try fleet.step(slots, slots.map { _ in 0 }, into: &batch)
    #expect(slots.indices.filter { batch.faults[$0] == .needsReset } == lost)
    try fleet.reset(lost.map { slots[$0] }, lost.map { _ in ResetOptions() }, into: &batch)
    try fleet.step(slots, slots.map { _ in 0 }, into: &batch)
    #expect(batch.faults.allSatisfy { $0 == nil })

    // It comes back, and takes what is new.
    servers[0] = try GameServer(endpoints[0])
    fleet.rejoin()
    _ = try fleet.open(OpenOptions())
    #expect(fleet.load.map(\.slots) == [1, 6])

    servers[0] = nil
    servers[1] = nil
    try fleet.step(slots, slots.map { _ in 0 }, into: &batch)
    #expect(batch.faults.allSatisfy { isLoss($0) })
    #expect(throws: EnvironmentError.self) {
      try fleet.reset(slots, slots.map { _ in ResetOptions() }, into: &batch)
    }
  }

  /// A reset that is too much for one message costs no episode.
  @Test func whatIsTooMuchForOneMessageCostsNoServer() throws {
    let servers = try (0..<2).map { _ in try GameServer { $0.limits.frameBytes = 20_000 } }
    let fleet = try RemoteFleet(servers.map(\.endpoint), environment: "Noop-v1", retry: quick)
    let slots = try (0..<6).map { _ in try fleet.open(OpenOptions()) }
    var batch = fleet.makeBatch()
    try fleet.reset(slots, slots.map { _ in ResetOptions() }, into: &batch)
    let prompt = Prompt(height: 64, width: 64, pixels: [UInt8](repeating: 0, count: 64 * 64 * 3))
    #expect(throws: EnvironmentError.self) {
      try fleet.reset(slots, slots.map { _ in ResetOptions(prompt: prompt) }, into: &batch)
    }
    try fleet.step(slots, slots.map { _ in 0 }, into: &batch)
    #expect(batch.faults.allSatisfy { $0 == nil } && fleet.load.map(\.slots) == [3, 3])
    withExtendedLifetime(servers) {}
  }

  /// Worlds that are opened again go on with their own seeds: a new slot would begin with those of every other.
  @Test func worldsThatMoveGoOnWithTheirSeeds() throws {
    var server: GameServer? = try GameServer("tcp://127.0.0.1:*")
    let endpoint = server!.endpoint
    let fleet = try RemoteFleet([endpoint], environment: "Platformer-v1", retry: quick)
    var local = GamePool(Platformer())
    let (here, there) = (
      try (0..<3).map { _ in try local.open(OpenOptions()) },
      try (0..<3).map { _ in try fleet.open(OpenOptions()) }
    )
    var (expected, batch) = (local.makeBatch(), fleet.makeBatch())
    let options = (0..<3).map { ResetOptions(seed: UInt64($0)) }
    try local.reset(here, options, into: &expected)
    try fleet.reset(there, options, into: &batch)
    server = nil
    server = try GameServer(endpoint)
    try fleet.step(there, [0, 0, 0], into: &batch)
    #expect(batch.faults.allSatisfy(isLoss))
    for _ in 0..<3 {
      let none = [ResetOptions](repeating: ResetOptions(), count: 3)
      try local.reset(here, none, into: &expected)
      try fleet.reset(there, none, into: &batch)
      // First pictures of levels are much alike: some steps on they are not.
      for _ in 0..<20 {
        try local.step(here, [3, 3, 3], into: &expected)
        try fleet.step(there, [3, 3, 3], into: &batch)
      }
      #expect(batch.observations == expected.observations)
    }
    withExtendedLifetime(server) {}
  }

  /// A server that was started anew has lost the session, and gets another.
  @Test func aServerThatForgotIsAskedAgain() throws {
    var server: GameServer? = try GameServer("tcp://127.0.0.1:*")
    let endpoint = server!.endpoint
    let fleet = try RemoteFleet([endpoint], environment: "Noop-v1", retry: quick)
    let slot = try fleet.open(OpenOptions())
    var batch = fleet.makeBatch()
    try fleet.reset([slot], [ResetOptions()], into: &batch)
    server = nil
    server = try GameServer(endpoint)
    try fleet.step([slot], [0], into: &batch)
    #expect(isLoss(batch.faults[0]))
    try fleet.reset([slot], [ResetOptions()], into: &batch)
    try fleet.step([slot], [0], into: &batch)
    #expect(batch.faults == [nil])
    withExtendedLifetime(server) {}
  }

  @Test func learnersSeeLossesAsTruncations() throws {
    var servers: [GameServer?] = [try GameServer("tcp://127.0.0.1:*"), try GameServer("tcp://127.0.0.1:*")]
    let fleet = try RemoteFleet(servers.map { $0!.endpoint }, environment: "Platformer-v1", retry: quick)
    var environments = try VectorEnvironment(LostEpisodes(fleet), count: 4, autoreset: .sameStep)
    var batch = environments.makeBatch()
    try environments.reset(seed: 1, into: &batch)
    try environments.step([2, 2, 2, 2], into: &batch)
    let before = batch
    servers[1] = nil
    try environments.step([2, 2, 2, 2], into: &batch)
    let lost = (0..<4).filter { batch.truncated[$0] }
    #expect(lost.count == 2 && batch.faults.allSatisfy { $0 == nil })
    for row in lost {
      #expect(!batch.terminated[row] && batch.rewards[row] == 0)
      #expect(batch.finalObservations[row] == Array(before.observation(row)))
    }
    for _ in 0..<5 { try environments.step([2, 2, 2, 2], into: &batch) }
    #expect(batch.truncated == [false, false, false, false])
    withExtendedLifetime(servers) {}
  }

  @Test func someServerHasToAnswer() throws {
    let server = try GameServer()
    let fleet = try RemoteFleet(["tcp://127.0.0.1:9", server.endpoint], environment: "Noop-v1", retry: quick)
    #expect(fleet.load.map(\.endpoint) == [server.endpoint])
    #expect(throws: EnvironmentError.self) { try RemoteFleet(["tcp://127.0.0.1:9"], retry: quick) }
    #expect(throws: EnvironmentError.self) {
      try RemoteFleet([server.endpoint], environment: "Nothing-v1", retry: quick)
    }
  }
}
