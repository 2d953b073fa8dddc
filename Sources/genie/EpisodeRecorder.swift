import Environments
import Video

/// Plays episodes of the platformer and keeps what was seen and done: frames, actions, rewards and ends.
struct EpisodeRecorder {
  /// Who plays.
  enum Policy: String, CaseIterable {
    /// Random actions held for a few steps.
    case random
    /// The scripted player that collects coins and reaches the goal, from the level's beginning.
    case expert
    /// The expert who slips, from the level's beginning: video of deaths and walls.
    case novice
    /// Random and expert, by turns.
    case mixed
  }

  let policy: Policy
  /// Of the random player.
  var caution = 96
  /// Whether the random player begins with the level, too, rather than anywhere in it.
  var fromBeginning = false
  /// Steps after which an episode is broken off.
  let longestEpisode: Int
  let seed: UInt64

  /// The level's number of an episode; different seeds have different levels.
  func level(of episode: Int) -> Int {
    var random = SplitMix64(seed: SplitMix64.mix(seed) &+ UInt64(episode))
    return Int(random.next() >> 1)
  }

  /// Plays one episode from its start to its end.
  /// - Returns: one frame more than steps; the last has action -1.
  func record(episode: Int) -> Clip {
    let player = policy != .mixed ? policy : episode % 2 == 1 ? .expert : .random
    let level = level(of: episode)
    let episodeSeed = SplitMix64.mix(UInt64(level))
    var game = Platformer(startAnywhere: player == .random && !fromBeginning)
    game.reset(seed: episodeSeed, level: level)
    var expert = PlatformerExpert(horizon: longestEpisode)
    var random = StickyRandomPolicy(seed: SplitMix64.mix(episodeSeed), caution: caution)
    var novice = PlatformerNovice(seed: SplitMix64.mix(episodeSeed), horizon: longestEpisode)

    let space = game.specification.observationSpace
    let frameSize = space.height * space.width * 3
    var frames: [UInt8] = []
    var actions: [Int32] = []
    var rewards: [Float] = []
    var ends: [Bool] = []
    func see() {
      frames += [UInt8](unsafeUninitializedCapacity: frameSize) { pixels, count in
        game.draw(into: UnsafeMutableBufferPointer(rebasing: pixels[..<frameSize]))
        count = frameSize
      }
    }
    see()
    for _ in 0..<longestEpisode {
      let action =
        switch player {
        case .expert: expert.action(in: game)
        case .novice: novice.action(in: game)
        case .random, .mixed: random.action(in: game)
        }
      let outcome = game.step(action)
      actions.append(action)
      rewards.append(outcome.reward)
      ends.append(outcome.terminated)
      see()
      if outcome.terminated { break }
    }
    return Clip(
      height: space.height, width: space.width, frames: frames, actions: actions + [-1],
      rewards: rewards + [0],
      ends: ends + [false])
  }
}
