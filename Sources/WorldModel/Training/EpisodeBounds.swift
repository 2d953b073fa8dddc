import Autograd
import Video

/// Where the episodes of the training video begin, so that a clip's age is known, and which of them ended by themselves.
///
/// Of those it is known what comes after their last frame: nothing, whatever is done. Clips of them may run over the end. Were clips to
/// lie within episodes, hardly one would show how it ends, and a dream in which nobody dies would be the likeliest.
struct EpisodeBounds: Sendable {
  /// Of each shard, in order.
  private let episodes: [[(frames: Range<Int>, ended: Bool)]]
  /// Of each shard, whether its episodes begin within a level, so that nobody knows their age.
  private let ageless: [Bool]
  /// First frames of the episodes whose age is known and that are long enough for a clip, or ended.
  private let begins: [ClipLoader.Origin]

  /// - Parameters:
  ///   - rewards: finds what ended; a few labelled episodes are enough for it. Nothing is known to have ended where there is none.
  ///   - frames: of a clip.
  init(_ data: TrainingData, _ store: TokenStore, _ rewards: TokenRewardModel?, frames: Int) {
    let tape = Tape(arena: Arena())
    var episodes = [[(frames: Range<Int>, ended: Bool)]](repeating: [], count: data.folder.shards.count)
    for episode in data.split.training {
      let last = episode.frames.upperBound - 1
      tape.reset()
      var memory = EpisodeMemory()
      let ended =
        episode.frames.count > 1
        && rewards?.judge(
          previous: Array(store.tokens(episode.shard, last - 1..<last)), action: 0,
          tokens: Array(store.tokens(episode.shard, last..<last + 1)), memory: &memory, tape: tape
        ).ended == true
      episodes[episode.shard].append((episode.frames, ended))
    }
    self.episodes = episodes
    let ageless = data.folder.shards.map(\.beginsAnywhere)
    self.ageless = ageless
    begins = episodes.enumerated().flatMap { shard, episodes in
      episodes.filter { !ageless[shard] && ($0.ended || $0.frames.count >= frames) }.map {
        ClipLoader.Origin(shard: shard, start: $0.frames.lowerBound)
      }
    }
  }

  /// Where an episode begins; each is as likely as any other.
  func beginning(_ key: RandomKey) -> ClipLoader.Origin? {
    begins.isEmpty ? nil : begins[key.integer(0, below: begins.count)]
  }

  func ended(_ episode: ClipFolder.Episode) -> Bool {
    end(of: ClipLoader.Origin(shard: episode.shard, start: episode.frames.lowerBound)) != nil
  }

  /// Where the episode ends that a clip begins in; nil if it did not end by itself.
  func end(of clip: ClipLoader.Origin) -> Int? {
    episode(of: clip).flatMap { $0.ended ? $0.frames.upperBound : nil }
  }

  /// Frames of the episode before the first of the clip; nil where it began within a level.
  func age(of clip: ClipLoader.Origin) -> Int? {
    ageless[clip.shard] ? nil : episode(of: clip).map { clip.start - $0.frames.lowerBound }
  }

  private func episode(of clip: ClipLoader.Origin) -> (frames: Range<Int>, ended: Bool)? {
    episodes[clip.shard].first { $0.frames.contains(clip.start) }
  }
}
