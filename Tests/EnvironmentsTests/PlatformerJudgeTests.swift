import Testing

@testable import Environments

@Suite struct PlatformerJudgeTests {
  private let judge = PlatformerJudge()

  private func frame(_ game: Platformer) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 64 * 64 * 3) { pixels, count in
      game.draw(into: pixels)
      count = 64 * 64 * 3
    }
  }

  /// Calls `body` with the game before and after each step of some sticky random episodes.
  private func play(episodes: Int, _ body: (Platformer, Platformer) throws -> Void) rethrows {
    for seed in 0..<UInt64(episodes) {
      var game = Platformer(startAnywhere: true)
      game.reset(seed: seed, level: nil)
      var policy = StickyRandomPolicy(seed: seed)
      for _ in 0..<150 {
        let before = game
        let outcome = game.step(policy.action(in: game))
        try body(before, game)
        if outcome.terminated { break }
      }
    }
  }

  @Test func everyFrameOfTheGameIsValid() {
    var (ends, endsSeen) = (0, 0)
    play(episodes: 12) { _, game in
      let scene = judge.read(frame(game))
      #expect(scene.flaws == [])
      #expect(scene.player?.y == game.position.y && scene.player?.x == 6)
      ends += game.state == .dead || game.state == .won ? 1 : 0
      endsSeen += scene.isOver ? 1 : 0
    }
    #expect(ends > 4 && endsSeen == ends)
  }

  @Test func tilesAreRead() {
    play(episodes: 4) { _, game in
      let scene = judge.read(frame(game))
      for row in 0..<8 {
        for column in 0..<16 {
          let place = (game.position.x - 6 + column) >> 1
          // Of a tile that the hero stands before hardly anything can be seen.
          if (5...8).contains(column), abs(row * 2 - game.position.y) < 2 { continue }
          let tile = (0..<PlatformerLevel.columns).contains(place) ? game.level[row, place] : .brick
          #expect(scene.tiles[row * 16 + column] == tile.rawValue)
        }
      }
    }
  }

  @Test func effectsAreSeen() {
    var (seen, right) = (0, 0)
    play(episodes: 12) { before, after in
      let expected = VisibleEffect(dx: after.effect.dx, rises: after.effect.dy < 0)
      let found = judge.effect(from: judge.read(frame(before)), to: judge.read(frame(after)))
      seen += 1
      right += found == expected ? 1 : 0
    }
    #expect(Double(right) >= 0.995 * Double(seen), "\(right) of \(seen)")
  }

  @Test func noiseIsForgivenAndDamageIsNot() {
    var game = Platformer()
    game.reset(seed: 3, level: nil)
    let clean = frame(game)
    var random = SplitMix64(seed: 1)
    let noisy = clean.map { UInt8(min(255, max(0, Int($0) + random.next(in: -8...8)))) }
    #expect(judge.read(noisy).isValid)

    func painted(_ change: (inout [UInt8], Int) -> Void) -> GameScene {
      var pixels = clean
      for y in 0..<8 { for x in 0..<8 { change(&pixels, ((game.position.y * 4 + y) * 64 + 24 + x) * 3) } }
      return judge.read(pixels)
    }
    // The sky beside the hero is what is behind him.
    let sky = (0..<3).map { clean[(game.position.y * 4 * 64 + 8) * 3 + $0] }
    #expect(
      painted { pixels, place in for c in 0..<3 { pixels[place + c] = sky[c] } }.flaws.contains(.noPlayer))
    var twice = clean
    for y in 0..<8 {
      for x in 0..<8 * 3 {
        let line = (game.position.y * 4 + y) * 64 * 3
        twice[line + 44 * 3 + x] = clean[line + 24 * 3 + x]
      }
    }
    #expect(judge.read(twice).flaws.contains(.severalPlayers))
    var smeared = clean
    for y in 56..<64 { for x in 32 * 3..<36 * 3 { smeared[y * 192 + x] = 250 } }
    #expect(judge.read(smeared).flaws == [.unrealTile])
  }

  @Test func aStartAllowsEveryEffectWhereTheGameDoes() {
    var (agreeing, free) = (0, 0)
    play(episodes: 12) { game, _ in
      guard game.state != .dead, game.state != .won else { return }
      let scene = judge.read(frame(game))
      let effects = Set(
        PlatformerAction.allCases.map { action -> PlatformerEffect in
          var copy = game
          return copy.step(action.rawValue).terminated ? PlatformerEffect(dx: 9, dy: 9) : copy.effect
        }.map { VisibleEffect(dx: $0.dx, rises: $0.dy < 0) })
      let allowed = effects.count == 6 && !effects.contains { $0.dx == 9 }
      agreeing += allowed == judge.allowsEveryEffect(scene) ? 1 : 0
      free += allowed ? 1 : 0
      #expect(allowed == judge.allowsEveryEffect(scene))
    }
    #expect(free > 100)
  }
}
