import NeuralNetwork

/// A dynamics model of the paper, as its tables describe it: what a preset is held against.
public struct PaperModel: Sendable, Equatable {
  /// The preset that has this shape.
  public var preset: String
  /// Trained values that the paper counts.
  public var parameters: Double
  public var layers: Int
  public var heads: Int
  public var width: Int
  public var keySize: Int
  /// Clips of a step, and steps; nil where we know of none.
  public var batch: Int?
  public var steps: Int?
  /// Of the whole training; nil where we know of none.
  public var flops: Double?

  /// Frames of a clip.
  public static let time = 16

  /// Squares of the width that a layer holds, by the paper's count: embeddings of 1024 codes taken off.
  public var squaresPerLayer: Double {
    let width = Double(width)
    return (parameters - 2 * 1024 * width) / (Double(layers) * width * width)
  }

  /// The sizes of section 3.1 (table of the appendix; 2.05e20 and 6.91e21 FLOPs are its ends), each trained for 200,000
  /// steps of 256 clips, and Genie itself.
  public static let ladder: [PaperModel] = [
    .init("paper-41m", 41e6, 18, 8, 512, 64, flops: 2.05e20),
    .init("paper-96m", 96e6, 16, 16, 768, 64),
    .init("paper-192m", 192e6, 20, 18, 1024, 64),
    .init("paper-404m", 404e6, 21, 12, 1536, 128),
    .init("paper-811m", 811e6, 20, 20, 2048, 128),
    .init("paper-1.6b", 1.6e9, 28, 22, 2560, 128),
    .init("paper-2.7b", 2.7e9, 36, 22, 3072, 128, flops: 6.91e21),
    .init("paper-10.1b", 10.1e9, 48, 36, 5120, 128, batch: 512, steps: 125_000),
  ]

  private init(
    _ preset: String, _ parameters: Double, _ layers: Int, _ heads: Int, _ width: Int, _ keySize: Int,
    batch: Int? = 256, steps: Int? = 200_000, flops: Double? = nil
  ) {
    self.preset = preset
    self.parameters = parameters
    self.layers = layers
    self.heads = heads
    self.width = width
    self.keySize = keySize
    self.batch = batch
    self.steps = steps
    self.flops = flops
  }

  /// The model that a preset has the shape of.
  public static func named(_ preset: String) -> PaperModel? {
    ladder.first { $0.preset == (preset == "paper-platformers" ? "paper-10.1b" : preset) }
  }
}

extension GenieConfiguration {
  /// The paper's setting for platformers, with a dynamics model of one of its sizes.
  ///
  /// Frames of 160 x 90 have to be padded to whole patches: the paper's 750 billion tokens in 200,000 steps are 920 a frame,
  /// 23 rows of 40; here they are 96 high, so that the latent actions' patches of 16 fit too, and 960. The paper's tokenizer
  /// has an encoder of half its decoder's width; here both have the decoder's.
  public static func platformers(_ model: PaperModel) -> GenieConfiguration {
    GenieConfiguration(
      tokenizer: TokenizerConfiguration(
        height: 96, width: 160, patch: 4, channels: 1024, heads: 16, headWidth: 64, encoderBlocks: 12,
        decoderBlocks: 20, window: 16, codebook: .init(codes: 1024, width: 32), encoderPositions: true),
      latentActions: LatentActionConfiguration(
        height: 96, width: 160, pooling: 1, patch: 16, channels: 1024, heads: 16, headWidth: 64,
        encoderBlocks: 20, decoderBlocks: 20, window: 16, motionRadius: 0,
        codebook: .init(codes: 8, width: 32, decay: 0.97, deadBelow: 0.1), conditioning: .additive,
        bilinearHead: false),
      dynamics: DynamicsConfiguration(
        rows: 24, columns: 40, vocabulary: 1024, actions: 8, actionWidth: 32, channels: model.width,
        blocks: model.layers, heads: model.heads, headWidth: model.keySize, window: 16,
        conditioning: .additive),
      sampling: SamplingConfiguration(steps: 25, temperature: 2))
  }

  /// The paper's setting for robotics: 2.5 billion parameters of dynamics. We know of no table of its shape: it is the 2.7B
  /// model's with as many fewer layers.
  public static var paperRobotics: GenieConfiguration {
    var model = PaperModel.named("paper-2.7b")!
    model.layers = 33
    return platformers(model)
  }
}
