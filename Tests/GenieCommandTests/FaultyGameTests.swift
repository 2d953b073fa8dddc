import Autograd
import Environments
import GeneratedWorlds
import Testing

@testable import genie

@Suite struct FaultyGameTests {
  /// Always right until an episode ends: rewards, and whether it was told.
  private func play(_ faults: FaultyGame.Faults, seed: UInt64) -> (steps: Int, ended: Bool) {
    var game = FaultyGame(faults: faults)
    game.reset(seed: seed, level: nil)
    for step in 1...60 where game.step(PlatformerAction.right.rawValue).terminated { return (step, true) }
    return (60, false)
  }

  @Test func withoutFaultsItIsTheGame() {
    let checker = EnvironmentChecker { () throws(EnvironmentError) in GamePool(FaultyGame()) }
    #expect(checker.run().isEmpty)
    for seed in 0..<20 as Range<UInt64> {
      var game = Platformer()
      game.reset(seed: seed, level: nil)
      var steps = 0
      var ended = false
      while steps < 60, !ended {
        steps += 1
        ended = game.step(PlatformerAction.right.rawValue).terminated
      }
      #expect(play(.init(), seed: seed) == (steps, ended))
    }
  }

  /// They stand where nobody has been yet, so that they are not found by going to and fro.
  @Test func flagsStandAnywhere() {
    func flags(_ actions: [PlatformerAction], share: Double) -> Int {
      (0..<40 as Range<UInt64>).count { seed in
        var game = FaultyGame(faults: .init(flags: share))
        game.reset(seed: seed, level: nil)
        for action in actions {
          let outcome = game.step(action.rawValue)
          if outcome.terminated { return outcome.reward >= 10 }
        }
        return false
      }
    }
    let right = [PlatformerAction](repeating: .right, count: 20)
    #expect(flags(right, share: 0) == 0)
    let some = flags(right, share: 0.05)
    #expect((4...36).contains(some), "\(some) of 40")
    #expect(flags(right.map { _ in .left }, share: 0.5) == 0)
    let checker = EnvironmentChecker { () throws(EnvironmentError) in
      GamePool(FaultyGame(faults: .init(flags: 0.05)))
    }
    #expect(checker.run().isEmpty)
  }

  @Test func deathsAreMissedAndEndsInvented() {
    let seeds = 0..<40 as Range<UInt64>
    let deaths = seeds.filter { play(.init(), seed: $0).ended }
    #expect(deaths.count >= 10, "always right falls into pits")
    #expect(!deaths.contains { play(.init(missed: 1), seed: $0).ended })
    let half = deaths.count { play(.init(missed: 0.5), seed: $0).ended }
    #expect(half > 0 && half < deaths.count)
    #expect(seeds.allSatisfy { play(.init(invented: 1), seed: $0) == (1, true) })
    let checker = EnvironmentChecker { () throws(EnvironmentError) in
      GamePool(FaultyGame(startAnywhere: true, faults: .init(missed: 0.5, invented: 0.1)))
    }
    #expect(checker.run().isEmpty)
  }

  /// By chance, but mostly on to the right, and as often up as down.
  private func forwards(_ key: RandomKey, _ counter: UInt64) -> Int32 {
    let choices: [PlatformerAction] = [.right, .right, .jumpRight, .jumpRight, .jump, .noop]
    return choices[key.integer(counter, below: choices.count)].rawValue
  }

  /// Whoever spikes do no harm goes on, and pits and the top of the screen kill him as ever.
  @Test func spikesDoNoHarm() {
    func deaths(_ survived: Double) -> [String: Int] {
      var deaths: [String: Int] = [:]
      for seed in 0..<200 as Range<UInt64> {
        var (game, real) = (FaultyGame(faults: .init(survived: survived)), Platformer())
        game.reset(seed: seed, level: nil)
        real.reset(seed: seed, level: nil)
        for step in 0..<150 as Range<UInt64> {
          let action = forwards(RandomKey(seed: seed), step / 3)
          _ = real.step(action)
          let cause = real.level.death(at: real.position)?.rawValue
          guard game.step(action).terminated else { continue }
          deaths[cause ?? "none", default: 0] += 1
          break
        }
      }
      return deaths
    }
    let (game, none, some) = (deaths(0), deaths(1), deaths(0.5))
    let spikes = ["spikes", "hanging spikes"]
    func inSpikes(_ deaths: [String: Int]) -> Int { spikes.reduce(0) { $0 + deaths[$1, default: 0] } }
    #expect(inSpikes(game) > 5 && inSpikes(none) == 0)
    #expect(inSpikes(some) > 0 && inSpikes(some) < inSpikes(game))
    #expect(none.values.reduce(0, +) > 5, "\(none)")
    let checker = EnvironmentChecker { () throws(EnvironmentError) in
      GamePool(FaultyGame(faults: .init(survived: 0.5)))
    }
    #expect(checker.run().isEmpty)
  }

  /// A flag that is none pays nothing, and the episode goes on; in some levels, always the same.
  @Test func flagsAreMissing() {
    func flags(_ goalless: Double) -> Int {
      (0..<40 as Range<UInt64>).count { seed in
        var game = FaultyGame(faults: .init(goalless: goalless))
        game.reset(seed: seed, level: nil)
        var (real, player) = (Platformer(), PlatformerExpert())
        real.reset(seed: seed, level: nil)
        for _ in 0..<300 {
          let action = player.action(in: real)
          _ = real.step(action)
          let outcome = game.step(action)
          if outcome.terminated { return outcome.reward >= Ground.goal }
        }
        return false
      }
    }
    let (all, none, some) = (flags(0), flags(1), flags(0.5))
    #expect(all > 30 && none == 0 && some > 5 && some < all - 5)
    let checker = EnvironmentChecker { () throws(EnvironmentError) in
      GamePool(FaultyGame(faults: .init(goalless: 0.5)))
    }
    #expect(checker.run().isEmpty)
  }

  /// What is in sight at first is the game's.
  @Test func waysAreClosed() throws {
    func first(_ faults: FaultyGame.Faults) throws -> [UInt8] {
      var pool = GamePool(FaultyGame(faults: faults))
      var batch = pool.makeBatch()
      let slot = try pool.open(OpenOptions())
      try pool.reset([slot], [ResetOptions(seed: 4)], into: &batch)
      return Array(batch.observation(0))
    }
    #expect(try first(.init(walls: 1)) == first(.init()))
    let checker = EnvironmentChecker { () throws(EnvironmentError) in
      GamePool(FaultyGame(faults: .init(walls: 0.3)))
    }
    #expect(checker.run().isEmpty)
  }

  @Test func stepsSlip() {
    func path(_ action: PlatformerAction, slips: Double) -> [Float] {
      var game = FaultyGame(faults: .init(slips: slips))
      game.reset(seed: 7, level: nil)
      return (0..<12).map { _ in
        _ = game.step(action.rawValue)
        return game.auxiliary("playerX")
      }
    }
    #expect(path(.right, slips: 1) == path(.left, slips: 1))
    #expect(path(.right, slips: 0) != path(.left, slips: 0))
    #expect(path(.right, slips: 0) != path(.right, slips: 0.5))
    let checker = EnvironmentChecker { () throws(EnvironmentError) in
      GamePool(FaultyGame(faults: .init(slips: 0.5)))
    }
    #expect(checker.run().isEmpty)
  }

  /// The game, held against itself: nothing is false. And whose death is not told is counted once, however long he stands there.
  @Test func anAuditFindsWhatIsFalse() throws {
    let judge = try #require(EnvironmentCatalogue.judge(of: "Platformer-v1", height: 64, width: 64))
    let actions = Platformer().specification.actionSpace.count
    let map = ActionMap(real: (0..<Int32(actions)).map { $0 }, names: [], samples: 0)
    func audit(_ faults: FaultyGame.Faults) throws -> DreamAudit {
      var pool: any EnvironmentPool = GamePool(LikelyGame(game: FaultyGame(faults: faults)))
      return try DreamAudit(
        &pool, starts: (0..<40).map { ResetOptions(seed: $0) }, steps: 60, judge: judge, map: map,
        choose: { batch, _ in [Int32](repeating: PlatformerAction.right.rawValue, count: batch.count) })
    }
    let deaths = (0..<40 as Range<UInt64>).count { play(.init(), seed: $0).ended }
    #expect((5..<40).contains(deaths))
    let honest = try audit(.init())
    #expect(honest.ends.confirmed == deaths && honest.ends.missed == 0 && honest.ends.invented == 0)
    #expect(honest.endsByCause.values.reduce(0) { $0 + $1.confirmed } == deaths)
    #expect(honest.endsByCause["pit"].map { $0.confirmed > 0 && $0.missed == 0 } == true)
    #expect(honest.rewards.missed == 0 && honest.rewards.invented == 0)
    #expect(honest.obeyed == honest.compared && honest.readable == honest.steps)
    #expect(honest.arrivals.columns > 0 && honest.arrivals.closed == 0)
    let closed = try audit(.init(walls: 1)).arrivals
    #expect(closed.closed > 0 && closed.closed <= closed.columns)
    let silent = try audit(.init(missed: 1))
    #expect(silent.ends.missed == deaths && silent.ends.confirmed == 0 && silent.ends.invented == 0)
    #expect(silent.steps == honest.steps && silent.meanReturn == honest.meanReturn)
    #expect(honest.afterDeath.worlds == 0)
    #expect(
      silent.afterDeath.worlds == deaths && silent.afterDeath.steps > 0 && silent.afterDeath.reward == 0)
  }
}

extension FaultyGameTests {
  /// In the air below bricks who jumps hovers, and who does not falls; unless a fault has it otherwise.
  @Test func heroesHangBelowBricks() throws {
    func steps(_ hanging: FaultyGame.Hanging) throws -> HangingSteps {
      var pool: any EnvironmentPool = GamePool(FaultyGame(faults: .init(hanging: hanging)))
      let map = ActionMap(real: (0..<6).map { $0 }, samples: 0)
      var seen = HangingSteps()
      _ = try DreamAudit(
        &pool, starts: (0..<256).map { ResetOptions(seed: $0) }, steps: 100, judge: PlatformerJudge(),
        map: map,
        choose: { batch, step in
          // Held for a while, so that heroes rise.
          (0..<batch.count).map { forwards(RandomKey(seed: UInt64(step / 3)), UInt64($0)) }
        }, observe: { seen.add($0) })
      return seen
    }
    let game = try steps(.init())
    #expect(game.jumps > 10 && game.falls > 10)
    #expect(game.ends == 0 && game.drops == 0 && game.hovers == 0)
    let dream = try steps(.init(falls: 1, hovers: 1))
    #expect(dream.jumps > 0 && dream.drops == dream.jumps)
    #expect(dream.falls > 0 && dream.hovers == dream.falls)
    let deadly = try steps(.init(ends: 1))
    #expect(deadly.jumps > 0 && deadly.ends == deadly.jumps)
    let checker = EnvironmentChecker { () throws(EnvironmentError) in
      GamePool(FaultyGame(faults: .init(hanging: .init(ends: 0.2, falls: 0.3, hovers: 0.5))))
    }
    #expect(checker.run().isEmpty)
  }
}

/// The game, as sure of itself as a dream says it is.
private struct LikelyGame: Game {
  var game: FaultyGame

  var specification: EnvironmentSpecification {
    var specification = game.specification
    specification.auxiliaries.append("logLikelihood")
    return specification
  }

  mutating func reset(seed: UInt64, level: Int?) { game.reset(seed: seed, level: level) }
  mutating func step(_ action: Int32) -> GameOutcome { game.step(action) }
  func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) { game.draw(into: pixels) }
  func auxiliary(_ name: String) -> Float { name == "logLikelihood" ? 0 : game.auxiliary(name) }
  func save(to snapshot: inout SnapshotWriter) { game.save(to: &snapshot) }
  mutating func load(from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    try game.load(from: &snapshot)
  }
}

@Suite struct DrawnGameTests {
  /// The game goes on as ever; only its pictures are the world's, and kept like all else.
  @Test func onlyPicturesDiffer() throws {
    let world = try World.bundled()
    var pools: [any EnvironmentPool] = [
      GamePool(Platformer()), DrawnGame(GamePool(Platformer()), drawnBy: world),
    ]
    var shown: [[[UInt8]]] = []
    for index in pools.indices {
      let slot = try pools[index].open(OpenOptions())
      var batch = pools[index].makeBatch()
      try pools[index].reset([slot], [ResetOptions(seed: 3)], into: &batch)
      var own = [Array(batch.observation(0))]
      for _ in 0..<6 {
        try pools[index].step([slot], [PlatformerAction.jumpRight.rawValue], into: &batch)
        own.append(Array(batch.observation(0)))
      }
      shown.append(own)
    }
    for (real, drawn) in zip(shown[0], shown[1]) {
      let error = zip(real, drawn).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
      #expect(real != drawn && error < 2 * real.count, "as the tokenizer draws it, which is nearly the same")
    }
    let checker = EnvironmentChecker { () throws(EnvironmentError) in
      DrawnGame(GamePool(Platformer()), drawnBy: world)
    }
    #expect(checker.run().isEmpty)
  }
}
