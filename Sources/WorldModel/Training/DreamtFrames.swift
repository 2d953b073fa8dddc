import Autograd
import NeuralNetwork
import Video

/// Frames that a world dreams from its own video, played at random: what a critic learns from.
struct DreamtFrames: Sendable {
  /// `[frames, tokens]`.
  private let tokens: [UInt16]
  private let tokensPerFrame: Int
  /// Frames, and those of them that are trained on.
  let count: Int
  let trained: Int

  subscript(_ frame: Int) -> [Int32] {
    tokens[frame * tokensPerFrame..<(frame + 1) * tokensPerFrame].map(Int32.init)
  }

  /// How the worlds are dreamt, one after the other: as at play, and without the care that is taken there. What goes wrong is
  /// of the same kinds, but seen oftener, and sooner.
  private static func samplings(_ own: SamplingConfiguration) -> [SamplingConfiguration] {
    [
      own, SamplingConfiguration(steps: 1), SamplingConfiguration(steps: 1, temperature: 1, leastShare: 0.05),
    ]
  }

  /// Known frames that a dream starts from.
  static let context = 4

  /// - Precondition: an episode has more than `frames` frames, and a context.
  /// - Parameters:
  ///   - worlds: how many are dreamt, each from another place of the video.
  ///   - frames: of each world.
  ///   - progress: told the number of worlds done so far.
  init(
    _ prepared: PreparedGenie, store: TokenStore, episodes: [ClipFolder.Episode], worlds: Int, frames: Int,
    workers: Workers, seed: UInt64, progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) {
    let genie = prepared.genie
    let perFrame = genie.tokenizer.tokens
    let key = RandomKey(seed: seed).folded(in: "dreamt frames")
    let episodes = episodes.filter { $0.frames.count >= max(Self.context, frames + 1) }
    let samplings = Self.samplings(genie.configuration.sampling)
    let made = Slots<[UInt16]>(count: worlds)
    workers.run { worker in
      let sampler = FrameSampler(prepared)
      var state = WorldState(genie, precision: prepared.precision)
      var pixels = [UInt8](
        repeating: 0, count: genie.configuration.tokenizer.height * genie.configuration.tokenizer.width * 3)
      var done = 0
      for world in stride(from: worker, to: worlds, by: workers.count) {
        let own = key.folded(in: UInt64(world))
        let episode = episodes[own.integer(0, below: episodes.count)]
        let start = episode.frames.lowerBound + own.integer(1, below: episode.frames.count - Self.context + 1)
        let range = start..<start + Self.context
        // What is done is what was done elsewhere in the video. Were it done oftener or more seldom, that by itself would tell
        // dreams from video.
        let other = episodes[own.integer(2, below: episodes.count)]
        let from = other.frames.lowerBound + 1 + own.integer(3, below: other.frames.count - frames)
        let sampling = samplings[world % samplings.count]
        var result: [UInt16] = []
        state.clear()
        pixels.withUnsafeMutableBufferPointer { frame in
          sampler.commit(
            Array(store.tokens(episode.shard, range)),
            actions: [Dynamics.noAction] + store.actions(episode.shard, range).dropFirst(), to: &state,
            into: frame.baseAddress!)
          for action in store.actions(other.shard, from..<from + frames) {
            _ = sampler.next(
              action: action, state: &state, configuration: sampling, key: own,
              into: frame.baseAddress!)
            result += state.tokens.map { UInt16(truncatingIfNeeded: $0) }
          }
        }
        made[world] = result
        done += 1
        if worker == 0 { progress(min(worlds, done * workers.count)) }
      }
    }
    tokens = made.all.flatMap { $0 }
    tokensPerFrame = perFrame
    count = worlds * frames
    trained = count - count / 10
  }
}
