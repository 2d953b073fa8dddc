import Autograd
import NeuralNetwork

/// What a video tokenizer is built from.
public struct TokenizerConfiguration: Codable, Sendable, Equatable {
  public var height: Int
  public var width: Int
  public var patch: Int
  /// Channels of a token inside the transformers.
  public var channels: Int
  public var heads: Int
  /// Channels of a head; nil takes `channels / heads`.
  public var headWidth: Int?
  public var encoderBlocks: Int
  public var decoderBlocks: Int
  /// Frames that a frame sees, itself included.
  public var window: Int
  public var codebook: VectorQuantizer.Configuration
  /// Learned positions in the encoder. They let one patch have several codes, which makes tokens harder to predict.
  public var encoderPositions: Bool
  /// Of the encoder; nil is factorised, as the decoder is, for it is sampled with.
  public var encoderAttention: AttentionKind?

  public init(
    height: Int = 64, width: Int = 64, patch: Int = 8, channels: Int = 128, heads: Int = 4,
    headWidth: Int? = nil,
    encoderBlocks: Int = 0, decoderBlocks: Int = 1, window: Int = 2,
    codebook: VectorQuantizer.Configuration = .init(codes: 512, width: 16), encoderPositions: Bool = false,
    encoderAttention: AttentionKind? = nil
  ) {
    self.height = height
    self.width = width
    self.patch = patch
    self.channels = channels
    self.heads = heads
    self.headWidth = headWidth
    self.encoderBlocks = encoderBlocks
    self.decoderBlocks = decoderBlocks
    self.window = window
    self.codebook = codebook
    self.encoderPositions = encoderPositions
    self.encoderAttention = encoderAttention
  }

  public var patches: Patches { Patches(height: height, width: width, size: patch) }

  func transformer(blocks: Int, positions: Bool, attention: AttentionKind = .factorised)
    -> SpaceTimeConfiguration
  {
    SpaceTimeConfiguration(
      width: channels, blocks: blocks, heads: heads, headWidth: headWidth, rows: patches.rows,
      columns: patches.columns, window: window, positions: positions, attention: attention)
  }
}

/// Turns frames into discrete tokens and back: a VQ-VAE whose encoder and decoder are space-time transformers
/// (Genie, section 2.1). Both are causal: a code knows earlier frames and no later one.
public final class Tokenizer: Sendable {
  public let configuration: TokenizerConfiguration
  public let parameters: Parameters
  public let quantizer: VectorQuantizer
  public let patches: Patches
  let embed: Linear
  let encoder: SpaceTimeTransformer
  let toCode: Linear
  let fromCode: Linear
  public let decoder: SpaceTimeTransformer
  let toPatch: Linear

  /// - Parameter stored: values that are there already; what it does not hold starts from the seed.
  public init(_ configuration: TokenizerConfiguration, seed: UInt64, stored: StoredValues? = nil) {
    self.configuration = configuration
    patches = configuration.patches
    let parameters = Parameters(seed: seed, stored: stored)
    self.parameters = parameters
    let (channels, code) = (configuration.channels, configuration.codebook.width)
    embed = Linear(parameters, "embed", inputs: patches.channels, outputs: channels, role: .outer)
    encoder = SpaceTimeTransformer(
      parameters, "encoder",
      configuration.transformer(
        blocks: configuration.encoderBlocks, positions: configuration.encoderPositions,
        attention: configuration.encoderAttention ?? .factorised))
    toCode = Linear(parameters, "toCode", inputs: channels, outputs: code, role: .outer)
    fromCode = Linear(parameters, "fromCode", inputs: code, outputs: channels, role: .outer)
    decoder = SpaceTimeTransformer(
      parameters, "decoder", configuration.transformer(blocks: configuration.decoderBlocks, positions: true))
    toPatch = Linear(parameters, "toPatch", inputs: channels, outputs: patches.channels, role: .outer)
    quantizer = VectorQuantizer(configuration.codebook, key: RandomKey(seed: seed).folded(in: "codebook"))
  }

  /// Tokens of a frame.
  public var tokens: Int { patches.count }
  /// Codes of the codebook.
  public var vocabulary: Int { configuration.codebook.codes }

  /// Frames to code vectors, not yet quantised.
  /// - Parameter x: patches, `[batch, time, tokens, patch values]`.
  /// - Returns: `[batch, time, tokens, code channels]`.
  func encode(_ tape: Tape, _ x: Variable) -> Variable { toCode(tape, encoder(tape, embed(tape, x))) }

  /// Code vectors to patches, `[batch, time, tokens, patch values]`.
  func decode(_ tape: Tape, _ vectors: Variable) -> Variable {
    toPatch(tape, decoder(tape, fromCode(tape, vectors)))
  }

  /// Frames to codes.
  /// - Returns: `[clips, time, tokens]`, codes in `0..<vocabulary`.
  public func encode(_ frames: FrameBatch, arena: Arena) -> [Int32] {
    let tape = Tape(arena: arena)
    let vectors = tape.normalize(encode(tape, tape.constant(frames.patches(patches, arena: arena))))
    return quantizer.nearest(vectors.value, arena: arena)
  }

  /// Codes to frames.
  /// - Parameter codes: `[clips, time, tokens]`.
  public func decode(_ codes: [Int32], clips: Int, time: Int, arena: Arena) -> FrameBatch {
    let tape = Tape(arena: arena)
    let vectors = quantizer.vectors(codes[...], shape: [clips, time, tokens], arena: arena)
    let decoded = decode(tape, tape.constant(vectors)).value
    let size = patches.height * patches.width * 3
    var bytes = [UInt8](repeating: 0, count: clips * time * size)
    bytes.withUnsafeMutableBufferPointer { target in
      for frame in 0..<clips * time {
        patches.assemble(
          decoded.pointer + frame * tokens * patches.channels, into: target.baseAddress! + frame * size)
      }
    }
    return FrameBatch(clips: clips, time: time, height: patches.height, width: patches.width, bytes: bytes)
  }

  /// Codes of one new frame to its pixels, given the frames in the cache. The frame's keys and values are in the
  /// cache then; ``SpaceTimeCache/advance()`` keeps them.
  /// - Parameters:
  ///   - codes: `[tokens]`.
  ///   - tape: of a team's member: it writes the pixels of its own tokens.
  ///   - frame: room for `[height, width, 3]`.
  public func decode(
    _ codes: [Int32], cache: SpaceTimeCache, prepared: PreparedBiases, tape: Tape,
    into frame: UnsafeMutablePointer<UInt8>
  ) {
    let rows = tape.member?.rows ?? 0..<tokens
    let vectors = quantizer.vectors(codes[rows], shape: [1, 1, rows.count], arena: tape.arena)
    let hidden = decoder(tape, fromCode(tape, tape.constant(vectors)), cache: cache, prepared: prepared)
    patches.assemble(toPatch(tape, hidden).value.pointer, rows, into: frame)
    tape.profile?.mark("assemble patches")
  }

  /// What a checkpoint keeps.
  public var state: [String: Tensor] { parameters.state.merging(quantizer.state("quantizer")) { $1 } }
}
