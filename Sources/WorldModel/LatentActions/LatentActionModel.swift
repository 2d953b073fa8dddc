import Autograd
import CKernels
import NeuralNetwork
import Safetensors

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
  /// Channels of the tokenizer's codes, where the model sees and predicts tokens (which the paper found worse, section 3.3);
  /// nil lets it see pixels.
  public var tokenWidth: Int?

  public init(
    height: Int = 64, width: Int = 64, pooling: Int = 4, patch: Int = 4, channels: Int = 64, heads: Int = 4,
    headWidth: Int? = nil, encoderBlocks: Int = 1, decoderBlocks: Int = 2, window: Int = 4,
    motionRadius: Int = 1,
    codebook: VectorQuantizer.Configuration = .init(codes: 8, width: 8, decay: 0.97, deadBelow: 0.1),
    conditioning: ActionConditioningKind = .film, bilinearHead: Bool = true, tokenWidth: Int? = nil
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
    self.tokenWidth = tokenWidth
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
  /// Of each action the one that stands for all that do the same; itself, where none does: `[actions]`.
  private let leaders: Tensor
  private let tokenizer: Tokenizer?
  let embedMotion: Linear
  let encoder: SpaceTimeTransformer
  let toCode: Linear
  let embedFrame: Linear
  let decoder: SpaceTimeTransformer
  let toPatch: Linear

  /// - Parameters:
  ///   - tokenizer: for a model that sees tokens.
  ///   - stored: values that are there already; what it does not hold starts from the seed.
  public init(
    _ configuration: LatentActionConfiguration, seed: UInt64, tokenizer: Tokenizer? = nil,
    stored: StoredValues? = nil
  ) {
    precondition((tokenizer == nil) == (configuration.tokenWidth == nil), "tokens need a tokenizer")
    self.configuration = configuration
    self.tokenizer = tokenizer
    patches = configuration.patches
    let parameters = Parameters(seed: seed, stored: stored)
    self.parameters = parameters
    let (channels, code) = (configuration.channels, configuration.codebook.width)
    let motion = MotionFeatures(radius: configuration.motionRadius)
    let values = configuration.tokenWidth ?? patches.channels
    embedMotion = Linear(
      parameters, "embedMotion",
      inputs: configuration.tokenWidth.map { 2 * $0 } ?? motion.channels * patches.size * patches.size,
      outputs: channels, role: .outer)
    encoder = SpaceTimeTransformer(
      parameters, "encoder", configuration.transformer(blocks: configuration.encoderBlocks))
    toCode = Linear(parameters, "toCode", inputs: 2 * channels, outputs: code, role: .outer)
    embedFrame = Linear(parameters, "embedFrame", inputs: values, outputs: channels, role: .outer)
    decoder = SpaceTimeTransformer(
      parameters, "decoder", configuration.transformer(blocks: configuration.decoderBlocks),
      actions: (configuration.conditioning, code))
    toPatch = Linear(
      parameters, "toPatch", inputs: configuration.bilinearHead ? channels * (1 + code) : channels,
      outputs: values, role: .outer, deviation: 0)
    quantizer = VectorQuantizer(configuration.codebook, key: RandomKey(seed: seed).folded(in: "codebook"))
    leaders = Tensor(shape: [configuration.codebook.codes])
    for action in 0..<leaders.count { leaders[action] = Float(action) }
  }

  /// Number of latent actions.
  public var actions: Int { configuration.codebook.codes }

  /// Values that are predicted of each patch.
  var predictedValues: Int { configuration.tokenWidth ?? patches.channels }

  /// What the model sees of clips, and what it has to predict.
  struct Transitions {
    /// `[clips, time - 1, patches, values]`: of both frames.
    let features: Tensor
    /// The same of the old frames, and of what is added to them.
    let frames: Tensor
    let change: Tensor
    /// Of frames that are seen as pixels.
    let pooled: PooledFrames?
  }

  /// - Parameter rolls: by how many rows what is seen of each clip is rolled; what is predicted is not. Only pixels are.
  func transitions(_ frames: FrameBatch, rolls: [Int]? = nil, arena: Arena) -> Transitions {
    let (steps, time) = (0..<frames.time - 1, frames.time)
    if let tokenizer {
      let codes = tokenizer.encode(frames, arena: arena)
      func vectors(_ steps: Range<Int>) -> Tensor {
        let chosen = (0..<frames.clips).flatMap { clip in
          codes[
            (clip * time + steps.lowerBound) * patches.count..<(clip * time + steps.upperBound)
              * patches.count]
        }
        return tokenizer.quantizer.vectors(
          chosen[...], shape: [frames.clips, steps.count, patches.count], arena: arena)
      }
      let (old, new, change) = (vectors(steps), vectors(1..<time), vectors(1..<time))
      ck_add_scaled(old.pointer, -1, change.pointer, change.count)
      let tape = Tape(arena: arena)
      let features = tape.concatenate(tape.constant(new), tape.constant(change)).value
      return Transitions(features: features, frames: old, change: change, pooled: nil)
    }
    let pooled = PooledFrames(frames, by: configuration.pooling)
    let old = pooled.patches(patches, frames: steps, arena: arena)
    let change = pooled.patches(patches, frames: 1..<time, arena: arena)
    ck_add_scaled(old.pointer, -1, change.pointer, change.count)
    let features = MotionFeatures(radius: configuration.motionRadius).features(
      rolls.map { pooled.rolled(rows: $0) } ?? pooled, patches: patches, arena: arena)
    return Transitions(features: features, frames: old, change: change, pooled: pooled)
  }

  /// What happened between successive frames, as a vector that is not yet quantised.
  /// - Parameter features: of ``Transitions``.
  /// - Returns: `[batch, time - 1, code channels]`.
  func encode(_ tape: Tape, _ features: Variable) -> Variable {
    toCode(tape, tape.meanAndMaximum(encoder(tape, embedMotion(tape, features))))
  }

  /// The next frames, as differences from the given ones.
  /// - Parameters:
  ///   - frames: of ``Transitions``, `[batch, time - 1, patches, values]`.
  ///   - codes: `[batch, time - 1, code channels]`.
  /// - Returns: next frame minus frame, of the shape of `frames`.
  func predictChange(_ tape: Tape, _ frames: Variable, codes: Variable) -> Variable {
    let hidden = decoder(tape, embedFrame(tape, frames), actions: codes)
    return toPatch(tape, configuration.bilinearHead ? tape.bilinear(hidden, codes) : hidden)
  }

  /// The code of every transition, as the encoder finds it.
  /// - Parameter frames: `[clips, time, height, width, 3]`, `time` at least 2.
  /// - Returns: `[clips, time - 1]`, codes in `0..<actions`.
  func codes(_ frames: FrameBatch, arena: Arena) -> [Int32] {
    let tape = Tape(arena: arena)
    let features = transitions(frames, arena: arena).features
    return quantizer.nearest(tape.normalize(encode(tape, tape.constant(features))).value, arena: arena)
  }

  /// The latent action of every transition. Of actions that do the same (``alike``) a transition is given any, by chance, but the same
  /// transition always the same one.
  /// - Parameter frames: `[clips, time, height, width, 3]`, `time` at least 2.
  /// - Returns: `[clips, time - 1]`, actions in `0..<actions`.
  public func infer(_ frames: FrameBatch, arena: Arena) -> [Int32] {
    var actions = codes(frames, arena: arena)
    let (alike, steps) = (alike, frames.time - 1)
    for (index, action) in actions.enumerated() where alike[Int(action)].count > 1 {
      let first = (index / steps * frames.time + index % steps) * frames.frameSize
      let some = alike[Int(action)]
      let hash = ContentHash(frames.bytes[first..<first + 2 * frames.frameSize])
      actions[index] = Int32(some[RandomKey(seed: hash.value).integer(0, below: some.count)])
    }
    return actions
  }

  /// Of each action those that do the same, itself among them; ascending.
  public var alike: [[Int]] {
    (0..<actions).map { action in (0..<actions).filter { leaders[$0] == leaders[action] } }
  }

  /// What stands for each action where one is acted upon, `[actions, code channels]`, rows of length 1: actions that do the same have the same.
  public var actionVectors: Tensor {
    quantizer.vectors(
      (0..<actions).map { Int32(min(max(leaders[$0], 0), Float(actions - 1))) }[...], shape: [actions],
      arena: Arena())
  }

  /// - Parameter leaders: of each action the one whose vector stands for it.
  func merge(_ leaders: [Int]) {
    for (action, leader) in leaders.enumerated() { self.leaders[action] = Float(leader) }
  }

  /// What a checkpoint keeps.
  public var state: [String: Tensor] {
    parameters.state.merging(quantizer.state("quantizer")) { $1 }.merging([Self.leadersName: leaders]) { $1 }
  }
  /// Not in files that are older than it.
  static let leadersName = "leaders"
}
