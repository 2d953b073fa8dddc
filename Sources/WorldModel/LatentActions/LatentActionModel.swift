import Autograd
import NeuralNetwork

/// What a latent action model is built from.
public struct LatentActionConfiguration: Codable, Sendable, Equatable {
  public var height: Int
  public var width: Int
  /// Frames are averaged over squares of so many pixels first; the model's decoder is thrown away, so its
  /// pictures need not be sharp.
  public var pooling: Int
  /// Of the pooled frame.
  public var patch: Int
  public var channels: Int
  public var heads: Int
  /// Channels of a head; nil takes `channels / heads`.
  public var headWidth: Int?
  public var encoderBlocks: Int
  public var decoderBlocks: Int
  public var window: Int
  /// The encoder compares frames at displacements of up to so many pooled pixels; 0 gives it raw pixels (the
  /// paper's way).
  public var motionRadius: Int
  public var codebook: VectorQuantizer.Configuration
  public var conditioning: ActionConditioningKind
  /// A linear map of its own for each dimension of the code, at the decoder's end.
  public var bilinearHead: Bool

  public init(
    height: Int = 64, width: Int = 64, pooling: Int = 4, patch: Int = 4, channels: Int = 64, heads: Int = 4,
    headWidth: Int? = nil, encoderBlocks: Int = 1, decoderBlocks: Int = 2, window: Int = 4,
    motionRadius: Int = 1,
    codebook: VectorQuantizer.Configuration = .init(codes: 8, width: 8, decay: 0.97, deadBelow: 0.1),
    conditioning: ActionConditioningKind = .film, bilinearHead: Bool = true
  ) {
    self.height = height
    self.width = width
    self.pooling = pooling
    self.patch = patch
    self.channels = channels
    self.heads = heads
    self.headWidth = headWidth
    self.encoderBlocks = encoderBlocks
    self.decoderBlocks = decoderBlocks
    self.window = window
    self.motionRadius = motionRadius
    self.codebook = codebook
    self.conditioning = conditioning
    self.bilinearHead = bilinearHead
  }

  /// Patches of the pooled frame.
  public var patches: Patches { Patches(height: height / pooling, width: width / pooling, size: patch) }

  func transformer(blocks: Int) -> SpaceTimeConfiguration {
    SpaceTimeConfiguration(
      width: channels, blocks: blocks, heads: heads, headWidth: headWidth, rows: patches.rows,
      columns: patches.columns, window: window)
  }
}

/// Finds, without any label, the action between two frames (Genie, section 2.1).
///
/// The encoder sees frames up to t and frame t + 1 and names one of a few codes; the decoder must predict frame t + 1 from
/// frames up to t and that code alone. The code can say little, so it says what the past does not tell: the action.
public final class LatentActionModel: Sendable {
  public let configuration: LatentActionConfiguration
  public let parameters: Parameters
  public let quantizer: VectorQuantizer
  public let patches: Patches
  let embedMotion: Linear
  let encoder: SpaceTimeTransformer
  let toCode: Linear
  let embedFrame: Linear
  let decoder: SpaceTimeTransformer
  let toPatch: Linear

  /// - Parameter stored: values that are there already; what it does not hold starts from the seed.
  public init(_ configuration: LatentActionConfiguration, seed: UInt64, stored: StoredValues? = nil) {
    self.configuration = configuration
    patches = configuration.patches
    let parameters = Parameters(seed: seed, stored: stored)
    self.parameters = parameters
    let (channels, code) = (configuration.channels, configuration.codebook.width)
    let motion = MotionFeatures(radius: configuration.motionRadius)
    embedMotion = Linear(
      parameters, "embedMotion", inputs: motion.channels * patches.size * patches.size, outputs: channels,
      role: .outer)
    encoder = SpaceTimeTransformer(
      parameters, "encoder", configuration.transformer(blocks: configuration.encoderBlocks))
    toCode = Linear(parameters, "toCode", inputs: 2 * channels, outputs: code, role: .outer)
    embedFrame = Linear(parameters, "embedFrame", inputs: patches.channels, outputs: channels, role: .outer)
    decoder = SpaceTimeTransformer(
      parameters, "decoder", configuration.transformer(blocks: configuration.decoderBlocks),
      actions: (configuration.conditioning, code))
    toPatch = Linear(
      parameters, "toPatch", inputs: configuration.bilinearHead ? channels * (1 + code) : channels,
      outputs: patches.channels, role: .outer, deviation: 0)
    quantizer = VectorQuantizer(configuration.codebook, key: RandomKey(seed: seed).folded(in: "codebook"))
  }

  /// Number of latent actions.
  public var actions: Int { configuration.codebook.codes }

  /// What happened between successive frames, as a vector that is not yet quantised.
  /// - Parameter motion: what ``MotionFeatures`` gave, `[batch, time - 1, patches, values]`.
  /// - Returns: `[batch, time - 1, code channels]`.
  func encode(_ tape: Tape, _ motion: Variable) -> Variable {
    toCode(tape, tape.meanAndMaximum(encoder(tape, embedMotion(tape, motion))))
  }

  /// The next frames, as differences from the given ones.
  /// - Parameters:
  ///   - frames: patches of pooled frames, `[batch, time - 1, patches, values]`.
  ///   - codes: `[batch, time - 1, code channels]`.
  /// - Returns: next frame minus frame, of the shape of `frames`.
  func predictChange(_ tape: Tape, _ frames: Variable, codes: Variable) -> Variable {
    let hidden = decoder(tape, embedFrame(tape, frames), actions: codes)
    return toPatch(tape, configuration.bilinearHead ? tape.bilinear(hidden, codes) : hidden)
  }

  /// The latent action of every transition.
  /// - Parameter frames: `[clips, time, height, width, 3]`, `time` at least 2.
  /// - Returns: `[clips, time - 1]`, codes in `0..<actions`.
  public func infer(_ frames: FrameBatch, arena: Arena) -> [Int32] {
    let tape = Tape(arena: arena)
    let pooled = PooledFrames(frames, by: configuration.pooling)
    let motion = MotionFeatures(radius: configuration.motionRadius).features(
      pooled, patches: patches, arena: arena)
    return quantizer.nearest(tape.normalize(encode(tape, tape.constant(motion))).value, arena: arena)
  }

  /// What a checkpoint keeps.
  public var state: [String: Tensor] { parameters.state.merging(quantizer.state("quantizer")) { $1 } }
}
