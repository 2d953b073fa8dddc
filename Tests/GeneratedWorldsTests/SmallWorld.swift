import Foundation
import NeuralNetwork
import Video
import WorldModel

@testable import GeneratedWorlds

/// A world of random weights, small enough that a test dreams hundreds of frames in a moment.
enum SmallWorld {
  static let configuration = GenieConfiguration(
    tokenizer: TokenizerConfiguration(
      height: 16, width: 16, patch: 4, channels: 16, heads: 2, decoderBlocks: 1, window: 2,
      codebook: .init(codes: 24, width: 4)),
    latentActions: LatentActionConfiguration(
      height: 16, width: 16, pooling: 2, patch: 4, channels: 16, heads: 2, encoderBlocks: 1, decoderBlocks: 1,
      window: 2,
      codebook: .init(codes: 5, width: 4)),
    dynamics: DynamicsConfiguration(
      rows: 4, columns: 4, vocabulary: 24, actions: 5, actionWidth: 4, channels: 16, blocks: 2, heads: 2,
      window: 3),
    sampling: SamplingConfiguration(steps: 3, temperature: 1, orderNoise: 0.5, leastOdds: 0.9))

  /// - Parameter ages: channels in which dynamics are told how old an episode is.
  static func make(seed: UInt64 = 1, rewards: Bool = true, ages: Int = 0) throws -> World {
    var configuration = configuration
    configuration.dynamics.ages = ages
    let genie = try Genie(configuration, seed: seed)
    genie.dynamics.actionVectors.copy(from: genie.latentActions.quantizer.codebook)
    // Random heads are nearly flat: sharpen them, so that frames differ by action and past.
    for i in 0..<genie.dynamics.head.weight.value.count { genie.dynamics.head.weight.value[i] *= 40 }
    let levels = FrameBatch(
      clips: 6, time: 1, height: 16, width: 16,
      bytes: (0..<6 * 768).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 768 &* 77) })
    let model =
      rewards
      ? try TokenRewardModel(
        TokenRewardConfiguration(
          rows: 4, columns: 4, vocabulary: 24, channels: 4, filters: 4, values: [1, 10]), seed: seed)
      : nil
    // No ends of its own: tests decide how long an episode is.
    if let model { model.parameters.all.last!.value[2] = -100 }
    let odds = try ActionOdds(
      ActionOddsConfiguration(rows: 4, columns: 4, vocabulary: 24, actions: 5, channels: 4, filters: 4),
      seed: seed)
    return World(
      genie: genie, rewards: model, odds: odds, levels: levels,
      manifest: WorldManifest(name: "small", sampling: configuration.sampling, horizon: 40))
  }

}
