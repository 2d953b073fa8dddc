import Autograd
import Environments
import NeuralNetwork
import Video
import WorldModel

/// How well a latent action tells what was seen to happen: the effect that each code stands for is learned on one half of
/// the held-out levels and judged on the other.
public struct ActionPurity: Sendable {
  /// Balanced accuracy, 0...1: the mean, over the effects, of the share of their transitions whose code stands for them.
  public var accuracy: Double
  /// What each code stands for.
  public var effects: [VisibleEffect]
  /// In all transitions, those that each code was inferred for, by effect.
  public var counts: [[VisibleEffect: Int]]
  /// Recall of each effect on the half that judges.
  public var recalls: [VisibleEffect: Double]

  /// - Parameters:
  ///   - store: the video with its inferred actions.
  ///   - episodes: of whole levels; every other one judges.
  /// - Returns: nil where there is nothing to judge.
  public init?(
    _ store: TokenStore, folder: ClipFolder, episodes: [ClipFolder.Episode], actions: Int,
    judge: any GameJudge, workers: Workers
  ) {
    let seen = Slots<[(code: Int, effect: VisibleEffect)]>(count: episodes.count)
    workers.run { [count = workers.count] worker in
      for index in stride(from: worker, to: episodes.count, by: count) {
        let (shard, frames) = (episodes[index].shard, episodes[index].frames)
        var told: [(code: Int, effect: VisibleEffect)] = []
        var before: GameScene?
        for frame in frames {
          let scene = judge.read(folder.shards[shard].frames(frame..<frame + 1))
          if let old = before, let effect = judge.effect(from: old, to: scene) {
            told.append((Int(store.actions(shard, frame..<frame + 1).first!), effect))
          }
          before = scene
        }
        seen[index] = told
      }
    }
    let pairs = seen.all
    let halves = (0..<2).map { half in
      var counts = [[VisibleEffect: Int]](repeating: [:], count: actions)
      for index in stride(from: half, to: episodes.count, by: 2) {
        for pair in pairs[index] { counts[pair.code][pair.effect, default: 0] += 1 }
      }
      return counts
    }
    counts = zip(halves[0], halves[1]).map { $0.merging($1, uniquingKeysWith: +) }
    let map = Self.map(halves[0])
    let totals = Self.totals(halves[1])
    guard !Self.totals(halves[0]).isEmpty, !totals.isEmpty else { return nil }
    var found: [VisibleEffect: Int] = [:]
    for (code, row) in halves[1].enumerated() { found[map[code], default: 0] += row[map[code]] ?? 0 }
    recalls = totals.mapValues { Double($0) }
    for (effect, total) in totals { recalls[effect] = Double(found[effect] ?? 0) / Double(total) }
    // In one order, so that the sum is the same in every process.
    accuracy =
      recalls.sorted { $0.key.name < $1.key.name }.reduce(0) { $0 + $1.value } / Double(recalls.count)
    effects = Self.map(counts)
  }

  /// The map with the best balanced accuracy: each code to the effect of which it is the largest share.
  static func map(_ counts: [[VisibleEffect: Int]]) -> [VisibleEffect] {
    let totals = totals(counts)
    return counts.map { row in
      func share(_ effect: VisibleEffect) -> Double { Double(row[effect]!) / Double(totals[effect]!) }
      return row.keys.max { (share($0), $0.name) < (share($1), $1.name) }
        ?? VisibleEffect(dx: 0, rises: false)
    }
  }

  private static func totals(_ counts: [[VisibleEffect: Int]]) -> [VisibleEffect: Int] {
    counts.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
  }
}
