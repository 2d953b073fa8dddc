import AgentSDK
import Environments
import Foundation
import WireProtocol
import WorldServer

extension Chaos {
  /// Steps through a proxy that loses, doubles, reorders and cuts; every observation is compared with what it
  /// must be.
  func delivery() throws -> Row {
    var catalogue = EnvironmentCatalogue()
    catalogue.register("Tally-v1") { GamePool(Tally()) }
    let server = EnvironmentServer(
      ServerConfiguration(endpoints: [endpoint("tally")]), catalogue: catalogue, logger: silentLogger)
    let proxy = try FaultyProxy(
      to: try server.start()[0], at: endpoint("proxy"), FaultyProxy.Faults(), seed: 1)
    defer {
      proxy.stop()
      server.stop()
    }
    let count = 64
    let rounds = scaled(1_000_000, atLeast: 6_400) / count
    let pool = try RemotePool(proxy.endpoint, environment: "Tally-v1", retry: quick)
    let slots = try pool.open(OpenOptions(), count: count)
    var batch = pool.makeBatch()
    try pool.reset(slots, slots.indices.map { ResetOptions(seed: UInt64($0)) }, into: &batch)
    var games = (0..<count).map { index in
      var game = Tally()
      game.reset(seed: UInt64(index), level: nil)
      return game
    }
    var (doubled, missing, mismatched) = (0, 0, 0)
    var expected = [UInt8](repeating: 0, count: 12)
    for step in 0..<rounds {
      let actions = (0..<count).map { action($0, step) }
      try pool.step(slots, actions, into: &batch)
      for row in 0..<count {
        _ = games[row].step(actions[row])
        expected.withUnsafeMutableBufferPointer { games[row].draw(into: $0) }
        let found = batch.observation(row)
        if found.elementsEqual(expected) { continue }
        mismatched += 1
        let told = found.prefix(4).reversed().reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        if told > games[row].steps { doubled += 1 }
        if told < games[row].steps { missing += 1 }
      }
      if step % 256 == 0 { progress("delivery", step, rounds) }
    }
    let tally = proxy.tally
    return Row(
      trial: .delivery, check: "exactly once: \(rounds * count) steps, 5% lost, doubled, reordered, cut",
      demanded: "0 double, 0 missing, 0 mismatched",
      measured:
        "\(doubled) double, \(missing) missing, \(mismatched) mismatched (\(tally.lost) lost, "
        + "\(tally.doubled) doubled, "
        + "\(tally.reordered) reordered, \(tally.cut) cuts)",
      passed: mismatched == 0,
      figures: [
        "steps": Double(rounds * count), "mismatched": Double(mismatched), "lost": Double(tally.lost),
      ])
  }

  /// A scripted episode at a server, beside the same one in this process: how many observations differ.
  struct Follower {
    let pool: RemotePool
    let slot: Slot
    private var batch: StepBatch
    private var local = GamePool(Platformer())
    private let own: Slot
    private var reference: StepBatch
    private(set) var steps = 0
    private(set) var mismatched = 0

    init(_ endpoint: String, _ policy: RetryPolicy) throws {
      pool = try RemotePool(endpoint, environment: "Platformer-v1", retry: policy)
      slot = try pool.open(OpenOptions())
      own = try local.open(OpenOptions())
      (batch, reference) = (pool.makeBatch(), local.makeBatch())
      try restart()
    }

    mutating func restart() throws {
      try pool.reset([slot], [ResetOptions(seed: UInt64(steps))], into: &batch)
      try local.reset([own], [ResetOptions(seed: UInt64(steps))], into: &reference)
      compare()
    }

    /// One step, and a new episode where it ended. After an error, the same call goes on where it was.
    mutating func step() throws {
      let action = Int32(SplitMix64.mix(UInt64(steps)) % 6)
      try pool.step([slot], [action], into: &batch)
      try local.step([own], [action], into: &reference)
      steps += 1
      compare()
      if reference.terminated[0] || reference.truncated[0] { try restart() }
    }

    private mutating func compare() {
      if batch.observations != reference.observations || batch.rewards != reference.rewards {
        mismatched += 1
      }
    }
  }

  /// The server is killed in the middle of an episode, without and with kept sessions.
  func kill() throws -> Row {
    var policy = RetryPolicy()
    policy.resendSeconds = 0.3
    var (slowest, lost, mismatched) = (0.0, 0, 0)
    let rounds = scaled(20, atLeast: 2)
    for round in 0..<rounds {
      for isKept in [false, true] {
        let keep = folder.appending(path: "kept-\(round)").path
        let arguments = isKept ? ["--keep", keep] : []
        let place = endpoint("killed-\(round)-\(isKept)")
        var server = try ChildServer(genie, place, arguments)
        var follower = try Follower(place, policy)
        for _ in 0..<(300 + 37 * round) { try follower.step() }
        server.kill()
        var isTyped = false
        slowest = max(
          slowest,
          seconds { do { try follower.step() } catch is EnvironmentError { isTyped = true } catch {} })
        if !isTyped { mismatched += 1 }
        server = try ChildServer(genie, place, arguments)
        do {
          for _ in 0..<300 { try follower.step() }
          if !isKept { mismatched += 1 }
        } catch EnvironmentError.sessionLost where !isKept { lost += 1 }
        mismatched += follower.mismatched
      }
      progress("kill", round, rounds)
    }
    return Row(
      trial: .kill, check: "server kill -9 mid-episode, \(2 * rounds) times",
      demanded: "typed error <= 3 s; resume or SESSION_LOST",
      measured: String(format: "error after %.2f s at most; ", slowest)
        + "\(rounds) resumed with kept sessions, \(lost) of \(rounds) SESSION_LOST without, \(mismatched) wrong",
      passed: slowest <= 3 && lost == rounds && mismatched == 0,
      figures: ["slowest_error_seconds": slowest, "wrong": Double(mismatched)])
  }

  /// The server is frozen.
  func freeze() throws -> Row {
    let server = try ChildServer(genie, endpoint("frozen"))
    let pause = max(4, 30 * scale)
    return try interruption(.freeze, "SIGSTOP", pause, server.endpoint) { isDown in
      server.signal(isDown ? SIGSTOP : SIGCONT)
    }
  }

  /// Nothing passes for a while.
  func cut() throws -> Row {
    let server = try ChildServer(genie, endpoint("behind"))
    let none = FaultyProxy.Faults(lost: 0, doubled: 0, reordered: 0, cut: 0)
    let proxy = try FaultyProxy(to: server.endpoint, at: endpoint("wire"), none, seed: 1)
    defer { proxy.stop() }
    return try interruption(.cut, "network cut", max(4, 30 * scale), proxy.endpoint) { proxy.cut($0) }
  }

  private func interruption(
    _ trial: Trial, _ name: String, _ pause: Double, _ endpoint: String, _ change: (Bool) -> Void
  ) throws -> Row {
    var follower = try Follower(endpoint, RetryPolicy())
    for _ in 0..<200 { try follower.step() }
    change(true)
    let begin = ContinuousClock.now
    var isTyped = false
    let detected = seconds {
      // The first ones may still come through: a signal takes a moment.
      do { while follower.steps < 1_000 { try follower.step() } } catch EnvironmentError.disconnected {
        isTyped = true
      } catch {}
    }
    let rest = pause - (ContinuousClock.now - begin) / .seconds(1)
    if rest > 0 { Thread.sleep(forTimeInterval: rest) }
    change(false)
    for _ in 0..<200 { try follower.step() }
    return Row(
      trial: trial, check: String(format: "%@ %.0f s", name, pause),
      demanded: "detected within the deadline (2.5 s + 0.5); resumed, nothing lost or doubled",
      measured: String(format: "detected after %.2f s; ", detected)
        + "\(follower.steps) steps, \(follower.mismatched) mismatched",
      passed: isTyped && detected <= 3 && follower.mismatched == 0,
      figures: ["detected_seconds": detected, "mismatched": Double(follower.mismatched)])
  }
}
