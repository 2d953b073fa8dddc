import Testing

@testable import Environments

@Suite struct PlatformerTests {
  /// An empty level with flat ground two tiles high, and the hero standing on it in column 10.
  private func meadow(_ change: (inout PlatformerLevel) -> Void = { _ in }) -> PlatformerLevel {
    var level = PlatformerLevel(theme: 0)
    for column in 0..<PlatformerLevel.columns {
      level[6, column] = .ground
      level[7, column] = .soil
    }
    change(&level)
    return level
  }

  private let start = PlatformerPosition(x: 20, y: 10)

  private func effect(of action: PlatformerAction, at position: PlatformerPosition, in level: PlatformerLevel)
    -> PlatformerEffect
  {
    let moved = level.position(after: action, from: position)
    return PlatformerEffect(dx: moved.x - position.x, dy: moved.y - position.y)
  }

  @Test func everyActionHasItsEffectInTheAir() {
    let air = PlatformerPosition(x: 20, y: 5)
    let effects = PlatformerAction.allCases.map { effect(of: $0, at: air, in: meadow()) }
    #expect(
      effects == [
        .init(dx: 0, dy: 1), .init(dx: -1, dy: 1), .init(dx: 1, dy: 1), .init(dx: 0, dy: -1),
        .init(dx: -1, dy: -1), .init(dx: 1, dy: -1),
      ])
  }

  @Test func theGroundHolds() {
    let effects = PlatformerAction.allCases.map { effect(of: $0, at: start, in: meadow()).dy }
    #expect(effects == [0, 0, 0, -1, -1, -1])
  }

  @Test func wallsAndCeilingsBlock() {
    let level = meadow {
      $0[5, 11] = .brick
      $0[4, 10] = .brick
    }
    #expect(effect(of: .right, at: start, in: level) == .init(dx: 0, dy: 0))
    #expect(effect(of: .jump, at: start, in: level) == .init(dx: 0, dy: 0))
    #expect(effect(of: .left, at: start, in: level) == .init(dx: -1, dy: 0))
    #expect(effect(of: .left, at: .init(x: 0, y: 10), in: level).dx == 0)
    #expect(effect(of: .right, at: .init(x: 142, y: 10), in: level).dx == 0)
  }

  @Test func deathsAreTheTopThePitsAndTheSpikes() {
    let level = meadow {
      $0[5, 12] = .spike
      $0[0, 20] = .hangingSpike
    }
    #expect(!level.isDeadly(start))
    #expect(!level.isDeadly(.init(x: 20, y: 0)))
    #expect(level.isDeadly(.init(x: 20, y: -1)))
    #expect(level.isDeadly(.init(x: 20, y: 14)))
    #expect(level.isDeadly(.init(x: 23, y: 10)))
    #expect(!level.isDeadly(.init(x: 22, y: 10)))
    #expect(level.isDeadly(.init(x: 39, y: 1)))
  }

  /// Sixteen jumps lead out of the screen from anywhere: the top ends the episode with nothing earned.
  @Test func leavingTheScreenEndsTheEpisode() {
    var game = Platformer()
    game.reset(seed: 3, level: nil)
    var outcome = GameOutcome()
    var steps = 0
    while !outcome.terminated && steps < 16 {
      outcome = game.step(PlatformerAction.jump.rawValue)
      steps += 1
    }
    #expect(outcome == GameOutcome(reward: 0, terminated: true))
    #expect(game.state == .dead && game.position.y == -1)
  }

  @Test func theFrameShowsOneHeroWhereItIs() {
    // The hero's own colours occur in no tile.
    let magenta: [UInt8] = [232, 24, 136]
    var frame = [UInt8](repeating: 0, count: 64 * 64 * 3)
    var policy = StickyRandomPolicy(seed: 5)
    for seed in 0..<6 as Range<UInt64> {
      var game = Platformer(startAnywhere: true)
      game.reset(seed: seed, level: nil)
      for _ in 0..<60 where game.state.rawValue < 2 {
        _ = game.step(policy.action(in: game))
        frame.withUnsafeMutableBufferPointer { game.draw(into: $0) }
        let hits = (0..<64 * 64).filter { Array(frame[3 * $0..<3 * $0 + 3]) == magenta }
        #expect(hits.count >= 6)
        #expect(hits.allSatisfy { (24..<32).contains($0 % 64) })
        #expect(hits.allSatisfy { (4 * game.position.y..<4 * game.position.y + 8).contains($0 / 64) })
      }
    }
  }

  /// What scrolls is the same picture, 4 pixels further.
  @Test func theWorldScrollsByUnits() {
    var game = Platformer()
    game.reset(seed: 0, level: 0)
    var before = [UInt8](repeating: 0, count: 64 * 64 * 3)
    var after = before
    before.withUnsafeMutableBufferPointer { game.draw(into: $0) }
    _ = game.step(PlatformerAction.right.rawValue)
    after.withUnsafeMutableBufferPointer { game.draw(into: $0) }
    #expect(game.effect == PlatformerEffect(dx: 1, dy: 0))
    for y in 0..<64 {
      for x in 40..<60 {
        for channel in 0..<3 {
          #expect(after[(y * 64 + x) * 3 + channel] == before[(y * 64 + x + 4) * 3 + channel])
        }
      }
    }
  }

  /// The same position, facing and level give the same frame, whatever led there: nothing is hidden.
  @Test func motionHasNoMemory() {
    let level = meadow()
    let fallen = level.position(after: .noop, from: level.position(after: .jump, from: start))
    #expect(fallen == start)
  }

  @Test func statesMostlyLetEveryActionHaveItsEffect() {
    var free = 0
    var flying = 0
    for number in 0..<40 {
      let level = PlatformerLevelGenerator.level(number)
      for x in 2..<136 {
        for y in 1..<13 {
          let position = PlatformerPosition(x: x, y: y)
          if level.isBlocked(position) || level.isDeadly(position) || level.isStanding(position) { continue }
          flying += 1
          let effects = PlatformerAction.allCases.map { effect(of: $0, at: position, in: level) }
          if Set(effects).count == 6 { free += 1 }
        }
      }
    }
    #expect(Double(free) / Double(flying) > 0.85)
  }
}
