import NeuralNetwork

extension GenieConfiguration {
  /// About 1.5 million parameters for 64 x 64 video of simple pictures: 64 tokens a frame. Learns in minutes on two cores.
  public static let tiny = GenieConfiguration(
    tokenizer: TokenizerConfiguration(),
    latentActions: LatentActionConfiguration(),
    dynamics: DynamicsConfiguration(channels: 128, blocks: 3, window: 8),
    sampling: SamplingConfiguration())

  /// About 7 million parameters, for richer pictures: an encoder that looks around, more codes, a wider dynamics model.
  public static let small = GenieConfiguration(
    tokenizer: TokenizerConfiguration(
      channels: 192, heads: 6, encoderBlocks: 1, decoderBlocks: 2, window: 4,
      codebook: .init(codes: 1024, width: 16)),
    latentActions: LatentActionConfiguration(pooling: 2, patch: 8, channels: 96, motionRadius: 3),
    dynamics: DynamicsConfiguration(vocabulary: 1024, channels: 256, blocks: 6, heads: 8, window: 16),
    sampling: SamplingConfiguration(steps: 4, temperature: 0.5))

  /// The paper's setting for CoinRun (appendix F): 6 actions, 1024 codes of 32, patch 4 (latent actions 16).
  public static let paperCoinRun = GenieConfiguration(
    tokenizer: TokenizerConfiguration(
      patch: 4, channels: 512, heads: 8, encoderBlocks: 8, decoderBlocks: 8, window: 16,
      codebook: .init(codes: 1024, width: 32), encoderPositions: true),
    latentActions: LatentActionConfiguration(
      pooling: 1, patch: 16, channels: 512, heads: 8, encoderBlocks: 8, decoderBlocks: 8, window: 16,
      motionRadius: 0,
      codebook: .init(codes: 6, width: 32, decay: 0.97, deadBelow: 0.1), conditioning: .additive,
      bilinearHead: false),
    dynamics: DynamicsConfiguration(
      rows: 16, columns: 16, vocabulary: 1024, actions: 6, actionWidth: 32, channels: 512, blocks: 12,
      heads: 8,
      window: 16, conditioning: .additive),
    sampling: SamplingConfiguration(steps: 25, temperature: 1))

  /// By the names that the command line takes.
  public static let presets: [String: GenieConfiguration] = {
    var presets: [String: GenieConfiguration] = [
      "tiny": .tiny, "small": .small, "paper-coinrun": .paperCoinRun, "paper-robotics": .paperRobotics,
    ]
    for model in PaperModel.ladder { presets[model.preset] = .platformers(model) }
    presets["paper-platformers"] = presets["paper-10.1b"]
    return presets
  }()
}
