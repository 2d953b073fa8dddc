import Autograd
import NeuralNetwork
import Video
import WorldModel

/// What video looks like, as far as it decides how a world is learned from it.
public struct Footage: Sendable, Equatable {
  /// Bits a pixel of the frames as PNG files: about 1 for games of flat colours, 10 for textures and cameras.
  public var detail: Double
  /// Pixels that the scene or something in it moves from frame to frame, where anything moves: nine of ten pairs of
  /// frames stay below it.
  public var motion: Double
  /// Share of the pairs of frames in which nothing moves.
  public var stillness: Double
  public var frames: Int

  /// Looks at frames spread over all of the video.
  /// - Parameter count: frames to look at, at most.
  public init(_ clips: ClipFolder, count: Int = 192) {
    var pairs: [(Picture, Picture)] = []
    let episodes = clips.episodes.filter { $0.frames.count > 1 }
    let key = RandomKey(seed: 0).folded(in: "footage")
    for index in 0..<(episodes.isEmpty ? 0 : count) {
      let episode = episodes[key.integer(UInt64(2 * index), below: episodes.count)]
      let start =
        episode.frames.lowerBound + key.integer(UInt64(2 * index + 1), below: episode.frames.count - 1)
      let both = (start...start + 1).map { frame in
        Picture(
          height: clips.height, width: clips.width,
          pixels: Array(clips.shards[episode.shard].frames(frame..<frame + 1)))
      }
      pairs.append((both[0], both[1]))
    }
    let area = Double(clips.height * clips.width)
    let bits = pairs.map { Double(8 * PNG.encode($0.0).count) / area }
    detail = bits.reduce(0, +) / Double(max(1, bits.count))
    let moves: [Double] =
      min(clips.height, clips.width) > 2 * SeenMotion.reach
      ? pairs.map { pair in
        let seen = SeenMotion(from: pair.0, to: pair.1).ofPlayer
        return Double(max(abs(seen.x), abs(seen.y)))
      } : []
    let moving = moves.filter { $0 > 0 }.sorted()
    motion = moving.isEmpty ? 0 : moving[moving.count * 9 / 10]
    stillness = moves.isEmpty ? 0 : Double(moves.count - moving.count) / Double(moves.count)
    frames = clips.frameCount
  }

  /// Whether every patch can be expected to have a code of its own.
  public var isFlat: Bool { detail < 4 }

  /// A model and a training for video like this.
  ///
  /// Flat colours take the smallest model, with a code for every patch; textures take a tokenizer that looks around, more
  /// codes and more of the time for it. The latent actions' reach follows the motion.
  public var recipe: (model: GenieConfiguration, training: TrainingConfiguration) {
    var (model, training) = (GenieConfiguration.tiny, TrainingConfiguration())
    model.latentActions.pooling = 2
    model.latentActions.patch = 8
    model.latentActions.motionRadius = min(3, max(1, Int((motion / 2).rounded(.up))))
    if isFlat {
      training.tokenizer.steps = 5000
      training.rarityEmphasis = 0.5
      training.codePlacement = 0.6
    } else {
      model.tokenizer = GenieConfiguration.small.tokenizer
      model.dynamics = DynamicsConfiguration(
        vocabulary: model.tokenizer.codebook.codes, channels: 192, blocks: 4, heads: 6, window: 8)
      model.sampling = SamplingConfiguration(steps: 4, temperature: 0.5)
      training.tokenizerShare = 0.4
    }
    return (model, training)
  }
}
