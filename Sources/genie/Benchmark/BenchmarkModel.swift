import ArgumentParser
import GeneratedWorlds
import NeuralNetwork
import WorldModel

/// What is measured: models of fixed sizes, under the names that figures of other engines are given by.
enum BenchmarkModel: String, CaseIterable, ExpressibleByArgument {
  /// Dynamics of 4 blocks of 128 channels, 64 tokens a frame, 512 codes, 16 frames.
  case tiny
  /// The same with 6 blocks of 256 channels.
  case small
  /// 4 blocks of 128 channels in each of tokenizer's encoder and decoder and dynamics, 1024 codes, 16 frames;
  /// 64 x 64 pixels in patches of 8.
  case s64 = "S-64"
  /// The same in patches of 4.
  case s256 = "S-256"
  /// The world that comes with the library.
  case bundled

  /// MaskGIT steps, where nobody asks for another number.
  var steps: Int { self == .s64 || self == .s256 ? 25 : 4 }

  /// Clips of a training step.
  var clips: Int { self == .s256 ? 4 : 8 }

  func configuration() throws -> GenieConfiguration { try fixed ?? World.bundled().genie.configuration }

  /// - Returns: a world with random weights, but for the bundled one.
  func world() throws -> World { try fixed.map(World.init(untrained:)) ?? World.bundled() }

  private var fixed: GenieConfiguration? {
    switch self {
    case .tiny: Self.configuration()
    case .small: Self.configuration(channels: 256, blocks: 6)
    case .s64: Self.largeTokenizer(patch: 8)
    case .s256: Self.largeTokenizer(patch: 4)
    case .bundled: nil
    }
  }

  /// Like `tiny`, but for what is given; heads have 32 channels, a frame has 8 x 8 pixels a token.
  static func configuration(channels: Int = 128, blocks: Int = 4, grid: Int = 8) -> GenieConfiguration {
    let pixels = 8 * grid
    return GenieConfiguration(
      tokenizer: TokenizerConfiguration(height: pixels, width: pixels),
      latentActions: LatentActionConfiguration(height: pixels, width: pixels, patch: 2),
      dynamics: DynamicsConfiguration(
        rows: grid, columns: grid, channels: channels, blocks: blocks, heads: max(1, channels / 32),
        window: 16, conditioning: .additive),
      sampling: SamplingConfiguration(steps: 4, temperature: 1))
  }

  private static func largeTokenizer(patch: Int) -> GenieConfiguration {
    let codebook = VectorQuantizer.Configuration(codes: 1024, width: 32)
    return GenieConfiguration(
      tokenizer: TokenizerConfiguration(
        patch: patch, encoderBlocks: 4, decoderBlocks: 4, window: 16, codebook: codebook,
        encoderPositions: true),
      latentActions: LatentActionConfiguration(),
      dynamics: DynamicsConfiguration(
        rows: 64 / patch, columns: 64 / patch, vocabulary: codebook.codes, window: 16,
        conditioning: .additive),
      sampling: SamplingConfiguration(steps: 25, temperature: 1))
  }
}

extension World {
  /// A world that has learned nothing, for measuring speed.
  convenience init(untrained configuration: GenieConfiguration) throws {
    let (height, width) = (configuration.tokenizer.height, configuration.tokenizer.width)
    let bytes = [UInt8](repeating: 90, count: height * width * 3)
    self.init(
      genie: try Genie(configuration, seed: 0), rewards: nil,
      levels: FrameBatch(clips: 1, time: 1, height: height, width: width, bytes: bytes),
      manifest: WorldManifest(name: "benchmark", sampling: configuration.sampling, horizon: 1 << 30))
  }
}
