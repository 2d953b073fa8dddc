import Environments
import Testing

@Suite struct PlatformerRefereeTests {
  @Test func aPictureIsEnoughToSayWhatTheGameWouldDo() throws {
    let judge = PlatformerJudge()
    var (steps, rewards, ends) = (0, 0, 0)
    for seed in 0..<80 {
      var game = Platformer(startAnywhere: true)
      game.reset(seed: UInt64(seed), level: nil)
      var player = StickyRandomPolicy(seed: UInt64(seed))
      for _ in 0..<150 {
        let scene = judge.read(picture(game))
        let action = player.action(in: game)
        let expected = judge.outcome(of: action, in: scene)
        let outcome = game.step(action)
        guard let expected else { break }
        // The walls at both ends of a level cannot be seen.
        guard (7...134).contains(game.position.x) else { break }
        #expect(expected.reward == outcome.reward)
        #expect(expected.terminated == outcome.terminated)
        #expect(
          (expected.cause != nil) == expected.terminated
            && (expected.cause == "goal") == (expected.reward >= 10))
        #expect(expected.effect.dx == game.effect.dx && expected.effect.rises == (game.effect.dy < 0))
        steps += 1
        if outcome.reward > 0 { rewards += 1 }
        if outcome.terminated {
          ends += 1
          break
        }
      }
    }
    #expect(steps > 500 && rewards > 10 && ends > 2)
  }

  private func picture(_ game: Platformer) -> [UInt8] {
    let size = 64 * 64 * 3
    return [UInt8](unsafeUninitializedCapacity: size) { pixels, count in
      game.draw(into: UnsafeMutableBufferPointer(rebasing: pixels[..<size]))
      count = size
    }
  }
}
