import Testing

@testable import Environments

/// Freezes `Platformer-v1`. A frame that changes makes these fail, and makes a `Platformer-v2`.
@Suite struct PlatformerGoldenTests {
  /// FNV-1a over frames, rewards and ends of 300 steps from a seed, across several episodes.
  private func digest(seed: UInt64, startAnywhere: Bool) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func absorb(_ bytes: some Sequence<UInt8>) {
      for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
    var game = Platformer(startAnywhere: startAnywhere)
    var frame = [UInt8](repeating: 0, count: 64 * 64 * 3)
    var episode: UInt64 = 0
    game.reset(seed: seed, level: nil)
    for step in 0..<300 {
      // A fixed script: runs of eight steps, mostly to the right.
      let script: [Int32] = [2, 5, 2, 5, 1, 5, 0, 3, 2, 4]
      let outcome = game.step(script[(step / 8 + Int(seed % 10)) % script.count])
      frame.withUnsafeMutableBufferPointer { game.draw(into: $0) }
      absorb(frame)
      absorb([UInt8(outcome.reward), outcome.terminated ? 1 : 0])
      if outcome.terminated {
        episode += 1
        game.reset(seed: seed &+ 1000 * episode, level: nil)
      }
    }
    return hash
  }

  @Test(
    arguments: [
      (0, false, 400_939_361_058_883_586), (1, false, 12_286_374_108_377_042_673),
      (2, false, 10_063_554_875_056_712_506), (12345, false, 5_494_337_731_348_809_149),
      (UInt64.max, false, 301_729_414_368_835_116),
      (0, true, 9_180_051_257_793_996_695), (7, true, 14_695_873_255_140_788_017),
      (424242, true, 4_377_848_492_349_016_197),
    ] as [(UInt64, Bool, UInt64)])
  func framesAreFrozen(seed: UInt64, startAnywhere: Bool, golden: UInt64) {
    #expect(digest(seed: seed, startAnywhere: startAnywhere) == golden)
  }

  @Test func levelsAreFrozen() {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for number in [0, 1, -1, 99, 1_000_000, .min, .max] {
      let level = PlatformerLevelGenerator.level(number)
      for byte in [UInt8(level.theme)] + level.tiles.map(\.rawValue) {
        hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
      }
    }
    #expect(hash == 11_995_551_110_610_188_984)
  }
}
