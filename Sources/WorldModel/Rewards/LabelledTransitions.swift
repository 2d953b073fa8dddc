import Autograd
import Video

/// Transitions whose rewards and ends are known, as tokens: all that a reward model is trained on.
struct LabelledTransitions: Sendable {
  private let store: TokenStore
  /// Frame t of a shard, where frame t + 1 is of the same episode.
  let places: [(shard: Int, frame: Int)]
  /// `[transitions, rewards + 1]`: 1 where the reward was earned, and at the end where the episode ended.
  let targets: [Float]
  let values: [Float]

  /// - Parameters:
  ///   - episodes: those whose labels may be looked at.
  ///   - values: the rewards to tell apart; nil takes those that occur.
  init(_ store: TokenStore, folder: ClipFolder, episodes: [ClipFolder.Episode], values: [Float]? = nil) {
    self.store = store
    var places: [(Int, Int)] = []
    var labels: [(reward: Float, ended: Bool)] = []
    for episode in episodes {
      let shard = folder.shards[episode.shard]
      for frame in episode.frames.dropLast() {
        places.append((episode.shard, frame))
        labels.append((shard.rewards?[frame] ?? 0, shard.ends?[frame] ?? false))
      }
    }
    let known = values ?? Self.commonRewards(labels.map(\.reward))
    self.values = known
    self.places = places
    targets = labels.flatMap { label -> [Float] in
      let nearest = label.reward == 0 ? nil : known.min { abs($0 - label.reward) < abs($1 - label.reward) }
      return known.map { $0 == nearest ? 1 : 0 } + [label.ended ? 1 : 0]
    }
  }

  /// The rewards worth telling apart: at most sixteen, none rarer than one event in a hundred. Others (two coins at
  /// once) count as the nearest of these.
  private static func commonRewards(_ rewards: [Float]) -> [Float] {
    let events = rewards.filter { $0 != 0 }
    let counts = Dictionary(events.map { ($0, 1) }, uniquingKeysWith: +)
    let common = counts.filter { $0.value * 100 >= events.count }.sorted {
      ($0.value, $0.key) > ($1.value, $1.key)
    }
    return common.prefix(16).map(\.key).sorted()
  }

  var width: Int { values.count + 1 }
  var count: Int { places.count }

  /// Transitions in which something happened.
  var events: [Int] {
    (0..<count).filter { row in targets[row * width..<(row + 1) * width].contains { $0 != 0 } }
  }

  func tokens(_ rows: [Int]) -> (previous: [Int32], next: [Int32]) {
    var (previous, next): ([Int32], [Int32]) = ([], [])
    for row in rows {
      let (shard, frame) = places[row]
      previous += store.tokens(shard, frame..<frame + 1)
      next += store.tokens(shard, frame + 1..<frame + 2)
    }
    return (previous, next)
  }
}
