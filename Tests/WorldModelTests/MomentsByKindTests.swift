import Autograd
import Testing

@testable import WorldModel

@Suite struct MomentsByKindTests {
  /// Frames of 2 x 2 tokens.
  private func moments(_ frames: [[Int32]], _ actions: [Int32]) -> MomentsByKind {
    var moments = MomentsByKind()
    moments.meet(
      shard: 3, episode: 10..<10 + frames.count, tokens: frames.flatMap { $0 }[...], actions: actions[...],
      columns: 2)
    return moments
  }

  private func drawn(_ moments: MomentsByKind, _ count: Int = 4000) -> [MomentsByKind.Moment] {
    (0..<count).map { moments.draw(RandomKey(seed: UInt64($0)))! }
  }

  /// Every frame shows the same codes, and one of a thousand has two of them side by side that are apart elsewhere.
  @Test func whatIsSeldomSideBySideIsDrawnAsOften() {
    let frames = (0..<1000).map { $0 == 700 ? [1, 2, 3, 4] : [4, 2, 3, 1] as [Int32] }
    let found = drawn(moments(frames, [Int32](repeating: 0, count: 1000)))
    #expect(found.allSatisfy { $0.shard == 3 && $0.episode == 10..<1010 && (10..<1009).contains($0.frame) })
    // Of four pairs each way, all are of the one frame's own: half of all kinds.
    #expect(abs(Double(found.count { $0.frame == 710 }) / 4000 - 0.5) < 0.05)
  }

  /// The action that counts is the one that follows.
  @Test func whatIsSeldomDoneIsDrawnAsOften() {
    let frames = [[Int32]](repeating: [1, 2, 3, 4], count: 1000)
    let found = drawn(moments(frames, (0..<1000).map { $0 == 500 ? 1 : 0 }))
    #expect(abs(Double(found.count { $0.frame == 509 }) / 4000 - 0.5) < 0.05)
  }

  /// After the last frame nothing comes.
  @Test func theLastFrameIsNoMoment() {
    #expect(drawn(moments([[1, 2, 3, 4], [5, 6, 7, 8]], [-1, 0]), 20).allSatisfy { $0.frame == 10 })
    #expect(moments([[1, 2, 3, 4]], [-1]).draw(RandomKey(seed: 1)) == nil)
    #expect(MomentsByKind().draw(RandomKey(seed: 1)) == nil)
  }
}
