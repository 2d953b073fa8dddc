import AgentSDK
import Environments
import Foundation
import WireProtocol
import WorldServer

extension Chaos {
  /// The same action log, again and again.
  func replay() throws -> Row {
    let server = try ChildServer(genie, endpoint("replay"))
    let (replays, steps) = (scaled(100, atLeast: 20), scaled(1_000, atLeast: 200))
    let pool = try RemotePool(server.endpoint, environment: "Platformer-v1")
    var batch = pool.makeBatch()
    var first: [Int] = []
    var differing = 0
    for replay in 0..<replays {
      let slot = try pool.open(OpenOptions(horizon: steps + 1))
      try pool.reset([slot], [ResetOptions(seed: 3)], into: &batch)
      var hashes = [batch.observations.hashValue]
      for step in 0..<steps {
        try pool.step([slot], [action(0, step)], into: &batch)
        // A new episode of the log: its seed follows from the one before.
        if batch.terminated[0] || batch.truncated[0] {
          try pool.reset([slot], [ResetOptions()], into: &batch)
        }
        hashes.append(batch.observations.hashValue)
      }
      if replay == 0 { first = hashes }
      if hashes != first { differing += 1 }
      pool.close(slot)
      progress("replay", replay, replays)
    }
    return Row(
      trial: .replay, check: "\(replays) replays of \(steps) steps", demanded: "bit-identical",
      measured: "\(differing) differ", passed: differing == 0, figures: ["differing": Double(differing)])
  }

  /// Many copies of one world.
  func fork() throws -> Row {
    let server = try ChildServer(genie, endpoint("fork"))
    let pool = try RemotePool(server.endpoint, environment: "Platformer-v1")
    let origin = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([origin], [ResetOptions(seed: 5)], into: &batch)
    for step in 0..<10 { try pool.step([origin], [action(0, step) % 3], into: &batch) }
    let snapshot = try pool.snapshot(origin)
    let (total, steps) = (scaled(1_000, atLeast: 100), 20)
    var way: [[UInt8]] = []
    for step in 0..<steps {
      try pool.step([origin], [action(1, step)], into: &batch)
      way.append(batch.observations)
      if batch.terminated[0] { break }
    }
    try pool.restore(origin, from: snapshot)
    var differing = 0
    let elapsed = try seconds {
      for begin in stride(from: 0, to: total, by: 100) {
        let forks = try pool.fork(origin, count: min(100, total - begin))
        for (step, expected) in way.enumerated() {
          try pool.step(forks, forks.map { _ in action(1, step) }, into: &batch)
          for row in forks.indices where !batch.observation(row).elementsEqual(expected) { differing += 1 }
        }
        for fork in forks { pool.close(fork) }
        progress("fork", begin, total)
      }
    }
    return Row(
      trial: .fork, check: "\(total) forks, \(way.count) steps each", demanded: "bit-identical",
      measured: "\(differing) frames differ" + String(format: " (%.1f s)", elapsed), passed: differing == 0,
      figures: ["differing": Double(differing)])
  }

  /// Many sessions at one server, most of them idle.
  func sessions() throws -> Row {
    let (connected, stepping) = (scaled(5_000, atLeast: 200), scaled(1_000, atLeast: 40))
    let server = try ChildServer(genie, endpoint("many"))
    Context.raiseDescriptorLimit()
    let context = try Context(socketLimit: Int32(2 * connected + 100))
    let warm = try WireClient(server.endpoint, in: context)
    _ = try warm.open("Noop-v1", 1)
    _ = try warm.reset(seeds: [0])
    let before = server.residentKiB
    var clients: [WireClient] = []
    for index in 0..<connected {
      let client = try WireClient(server.endpoint, in: context, isMonitored: false)
      let reply = try client.open("Noop-v1", 1)
      guard reply.envelope.statusCode == 0 else { throw EnvironmentError.fault(reply.words) }
      clients.append(client)
      if index % 100 == 0 { progress("sessions", index, connected) }
    }
    let active = clients.prefix(stepping)
    for client in active { _ = try client.reset(seeds: [0]) }
    let rounds = 20
    let elapsed = try seconds {
      for _ in 0..<rounds {
        for client in active {
          let step = StepRequest(actions: [0]).payloads
          try client.send(Message(client.envelope(.step, client.sequence + 1), payloads: step).frames)
        }
        for client in active {
          guard try client.receive().envelope.statusCode == 0 else {
            throw EnvironmentError.fault("a step failed")
          }
          client.sequence += 1
        }
      }
    }
    let each = Double(server.residentKiB - before) / Double(connected)
    return Row(
      trial: .sessions, check: "\(connected) sessions connected, \(stepping) stepping",
      demanded: "<= 128 KiB each",
      measured: String(
        format: "%.1f KiB each; %.0f steps/s together", each, Double(rounds * stepping) / elapsed),
      passed: each <= 128,
      figures: ["kib_each": each, "steps_per_second": Double(rounds * stepping) / elapsed])
  }

  /// Sessions that come and go, step and break off, for long.
  func soak() throws -> Row {
    let server = try ChildServer(genie, endpoint("soak"))
    let minutes = max(0.25, 30 * scale)
    let start = ContinuousClock.now
    var samples: [(hours: Double, kib: Double)] = []
    var descriptors: [Int] = []
    var round = 0
    while (ContinuousClock.now - start) / .seconds(60) < minutes {
      round += 1
      let pool = try RemotePool(
        server.endpoint, environment: round % 2 == 0 ? "Noop-v1" : "Platformer-v1", retry: patient)
      let slots = try pool.open(OpenOptions(), count: 1 + round % 32)
      var batch = pool.makeBatch()
      try pool.reset(slots, slots.map { _ in ResetOptions() }, into: &batch)
      for step in 0..<200 { try pool.step(slots, slots.indices.map { action($0, step) }, into: &batch) }
      // Some leave without a word.
      if round % 3 != 0 { for slot in slots { pool.close(slot) } }
      let elapsed = (ContinuousClock.now - start) / .seconds(60)
      // The first fifth warms up.
      if elapsed > minutes / 5 {
        samples.append((elapsed / 60, Double(server.residentKiB)))
        descriptors.append(server.descriptors)
      }
      progress("soak", Int(elapsed * 60), Int(minutes * 60))
    }
    let slope = Self.slope(samples) / 1_024
    let growth = (descriptors.last ?? 0) - (descriptors.first ?? 0)
    return Row(
      trial: .soak, check: String(format: "soak, %.1f min", minutes),
      demanded: "RSS < 1 MB/h, descriptors flat",
      measured: String(format: "%.2f MB/h, descriptors %+d (%d sessions)", slope, growth, round),
      passed: slope < 1 && growth <= 2, figures: ["mb_per_hour": slope, "descriptors": Double(growth)])
  }

  /// Of a line through points, by least squares.
  private static func slope(_ points: [(hours: Double, kib: Double)]) -> Double {
    let n = Double(points.count)
    let x = points.reduce(0) { $0 + $1.hours } / n
    let y = points.reduce(0) { $0 + $1.kib } / n
    let spread = points.reduce(0) { $0 + ($1.hours - x) * ($1.hours - x) }
    return spread == 0 ? 0 : points.reduce(0) { $0 + ($1.hours - x) * ($1.kib - y) } / spread
  }
}
