import Testing

@testable import Environments

/// It must be a game: reading the level pays, blind habits do not.
@Suite struct PlatformerPolicyTests {
  private static let starts: [Platformer] = (0..<200 as Range<UInt64>).map {
    var game = Platformer()
    game.reset(seed: $0, level: nil)
    return game
  }

  /// Mean return of a policy over the 200 seeds, and the share of levels it finishes.
  private func play(_ policy: (Int, Platformer) -> Int32) -> (mean: Double, finished: Double) {
    var total = 0.0
    var finished = 0
    for start in Self.starts {
      var game = start
      for step in 0..<500 {
        let outcome = game.step(policy(step, game))
        total += Double(outcome.reward)
        if outcome.terminated { break }
      }
      if game.state == .won { finished += 1 }
    }
    return (total / Double(Self.starts.count), Double(finished) / Double(Self.starts.count))
  }

  private func playExpert() -> (mean: Double, finished: Double) {
    var expert = PlatformerExpert()
    return play { step, game in
      if step == 0 { expert = PlatformerExpert() }
      return expert.action(in: game)
    }
  }

  @Test func theExpertFinishesAndCollects() {
    let coins = Self.starts.map { $0.level.tiles.filter { $0 == .coin }.count }
    let result = playExpert()
    #expect(result.finished >= 0.95)
    #expect(result.mean - 10 * result.finished >= 0.9 * Double(coins.reduce(0, +)) / 200)
  }

  @Test func blindHabitsEarnLessThanHalf() {
    let expert = playExpert().mean
    for action in PlatformerAction.allCases {
      #expect(play { _, _ in action.rawValue }.mean <= 0.5 * expert)
    }
    var best = 0.0
    for walk in [1, 2, 3, 4, 6, 8, 10, 12, 14] {
      for jump in [1, 2, 3, 4, 6, 8, 10, 12, 14] {
        let habit = play { step, _ in
          (step % (walk + jump) < walk ? PlatformerAction.right : .jumpRight).rawValue
        }
        best = max(best, habit.mean)
      }
    }
    #expect(best <= 0.5 * expert)
  }

  @Test func theRandomPolicyCoversTheLevel() {
    var policy = StickyRandomPolicy(seed: 11)
    var columns = Set<Int>()
    var rows = Set<Int>()
    var actions = Set<Int32>()
    var ends: [Platformer.State: Int] = [:]
    for seed in 0..<80 as Range<UInt64> {
      var game = Platformer(startAnywhere: true)
      game.reset(seed: seed, level: nil)
      for _ in 0..<300 where game.state.rawValue < 2 {
        let action = policy.action(in: game)
        _ = game.step(action)
        columns.insert(game.position.x / 2)
        rows.insert(game.position.y)
        actions.insert(action)
      }
      ends[game.state, default: 0] += 1
    }
    #expect(columns.count >= 64)
    #expect(rows.isSuperset(of: 0...12))
    #expect(actions.count == 6)
    #expect(ends[.dead, default: 0] >= 8 && ends[.won, default: 0] >= 8)
  }

  @Test func whoLooksLessDiesMore() {
    func deaths(caution: Int) -> Int {
      (0..<60 as Range<UInt64>).count { seed in
        var policy = StickyRandomPolicy(seed: seed, caution: caution)
        var game = Platformer(startAnywhere: true)
        game.reset(seed: seed, level: nil)
        for _ in 0..<40 where game.state.rawValue < 2 { _ = game.step(policy.action(in: game)) }
        return game.state == .dead
      }
    }
    #expect(deaths(caution: 100) < deaths(caution: 80))
    #expect(deaths(caution: 80) < deaths(caution: 0))
  }

  /// His video has what the others' lacks: deaths by spikes and pits, far from where the level begins, and walls run into.
  @Test func theNoviceShowsWhatKillsAndWhatHolds() {
    var novice = PlatformerNovice(seed: 0)
    var (deaths, tops, far, blocked) = (0, 0, 0, 0)
    for (seed, start) in Self.starts.enumerated() {
      novice = PlatformerNovice(seed: UInt64(seed))
      var game = start
      for _ in 0..<500 where game.state.rawValue < 2 {
        let code = novice.action(in: game)
        _ = game.step(code)
        if PlatformerAction(rawValue: code)!.direction != 0, game.effect.dx == 0 { blocked += 1 }
      }
      guard game.state == .dead else { continue }
      deaths += 1
      if game.position.y < 0 { tops += 1 }
      if game.position.x > PlatformerLevel.width / 2 { far += 1 }
    }
    #expect(deaths >= 100 && deaths <= 190)
    #expect(tops == 0)
    #expect(far >= 20)
    #expect(blocked >= 200)
  }

  @Test func anIndexIsDrawnAsOftenAsItsWeightSays() {
    var random = SplitMix64(seed: 3)
    var counts = [0, 0, 0]
    for _ in 0..<4000 { counts[random.next(weights: [1, 0, 3])] += 1 }
    #expect(counts[1] == 0)
    #expect((900...1100).contains(counts[0]))
  }

  /// Recording video must not wait for the game. A machine under test is busy: a tenth is asked for what an
  /// idle core does.
  @Test func recordingIsFast() throws {
    var pool = GamePool(Platformer(startAnywhere: true))
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    var policy = StickyRandomPolicy(seed: 1)
    try pool.reset([slot], [ResetOptions(seed: 1)], into: &batch)
    let frames = 20_000
    let elapsed = try ContinuousClock().measure {
      for _ in 0..<frames {
        try pool.step([slot], [policy.action(in: pool.game(in: slot)!)], into: &batch)
        if batch.terminated[0] || batch.truncated[0] {
          try pool.reset([slot], [ResetOptions()], into: &batch)
        }
      }
    }
    #expect(elapsed < .seconds(1), "\(frames) frames took \(elapsed)")
  }
}
