import Autograd
import Video

/// Episodes that ended by themselves, so that it is known what comes after their last frame: nothing, whatever is done.
///
/// Clips of them may run over the end. Were clips to lie within episodes, hardly one would show how it ends, and a dream in which
/// nobody dies would be the likeliest.
struct EndedEpisodes: Sendable {
  /// Of each shard, in order.
  private let episodes: [[Range<Int>]]

  /// None at all.
  init() { episodes = [] }

  /// A few labelled episodes are enough for a reward model that finds the ends of all others.
  init(_ data: TrainingData, _ store: TokenStore, _ rewards: TokenRewardModel) {
    let tape = Tape(arena: Arena())
    var episodes = [[Range<Int>]](repeating: [], count: data.folder.shards.count)
    for episode in data.split.training where episode.frames.count > 1 {
      let last = episode.frames.upperBound - 1
      tape.reset()
      var memory = EpisodeMemory()
      let judgement = rewards.judge(
        previous: Array(store.tokens(episode.shard, last - 1..<last)), action: 0,
        tokens: Array(store.tokens(episode.shard, last..<last + 1)), memory: &memory, tape: tape)
      if judgement.ended { episodes[episode.shard].append(episode.frames) }
    }
    self.episodes = episodes
  }

  func contains(_ episode: ClipFolder.Episode) -> Bool {
    end(of: ClipLoader.Origin(shard: episode.shard, start: episode.frames.lowerBound)) != nil
  }

  /// Where the episode ends that a clip begins in; nil if it did not end by itself.
  func end(of clip: ClipLoader.Origin) -> Int? {
    guard clip.shard < episodes.count else { return nil }
    return episodes[clip.shard].first { $0.contains(clip.start) }?.upperBound
  }
}
