import Autograd
import NeuralNetwork

/// What a transition earned, and whether the episode ended with it.
public struct Judgement: Sendable, Equatable {
  public var reward: Float
  public var ended: Bool

  public init(reward: Float, ended: Bool) {
    self.reward = reward
    self.ended = ended
  }
}

/// Says what a dreamt transition earned. Small and replaceable: a Genie itself knows no reward.
public protocol RewardModel: Sendable {
  /// - Parameters:
  ///   - previous: tokens of the frame before, `[tokens]`.
  ///   - action: the latent action.
  ///   - tokens: tokens of the new frame, `[tokens]`.
  ///   - memory: of the episode; empty at its start.
  ///   - tape: room to compute in; emptied by the caller.
  func judge(
    previous: [Int32], action: Int32, tokens: [Int32], memory: inout EpisodeMemory, tape: Tape
  ) -> Judgement
}

/// What a token reward model is built from.
public struct TokenRewardConfiguration: StoredConfiguration, Equatable {
  public var rows: Int
  public var columns: Int
  public var vocabulary: Int
  /// Channels of a token, and filters of the convolutions.
  public var channels: Int
  public var filters: Int
  /// The rewards that were seen, other than 0; each is found by itself.
  public var values: [Float]

  public init(
    rows: Int, columns: Int, vocabulary: Int, channels: Int = 24, filters: Int = 64, values: [Float]
  ) {
    self.rows = rows
    self.columns = columns
    self.vocabulary = vocabulary
    self.channels = channels
    self.filters = filters
    self.values = values
  }

  public var leastValues: Int {
    TransitionNetwork.leastValues(vocabulary: vocabulary, channels: channels, filters: filters)
  }

  public var problem: String? {
    guard (1...256).contains(rows), (1...256).contains(columns) else {
      return "a grid of \(rows) x \(columns)"
    }
    guard (2...65536).contains(vocabulary) else { return "\(vocabulary) codes" }
    guard (1...1024).contains(channels), (1...4096).contains(filters) else {
      return "\(channels), \(filters) channels"
    }
    guard values.count <= 16, values.allSatisfy(\.isFinite) else { return "rewards \(values)" }
    return nil
  }
}

/// Finds rewards and ends in the tokens of two successive frames. Trained on a few labelled episodes.
public final class TokenRewardModel: RewardModel, StoredModel, Sendable {
  public let configuration: TokenRewardConfiguration
  public let parameters: Parameters
  private let network: TransitionNetwork

  public init(_ configuration: TokenRewardConfiguration, seed: UInt64) throws(GenieError) {
    if let problem = configuration.problem { throw .badConfiguration(problem) }
    self.configuration = configuration
    parameters = Parameters(seed: seed)
    network = TransitionNetwork(
      parameters, grid: (configuration.rows, configuration.columns), vocabulary: configuration.vocabulary,
      channels: configuration.channels, filters: configuration.filters,
      outputs: configuration.values.count + 1)
  }

  /// As ``TransitionNetwork/ground(_:key:)``.
  func ground(_ codes: Tensor, key: RandomKey) { network.ground(codes, key: key) }

  /// - Parameters:
  ///   - previous: `[transitions, tokens]`.
  ///   - tokens: `[transitions, tokens]`.
  /// - Returns: `[transitions, rewards + 1]`: a logit for each reward of the configuration, and for the end.
  func logits(_ tape: Tape, previous: [Int32], tokens: [Int32]) -> Variable {
    network(tape, previous: previous, tokens: tokens)
  }

  public func judge(
    previous: [Int32], action: Int32, tokens: [Int32], memory: inout EpisodeMemory, tape: Tape
  ) -> Judgement {
    let logits = logits(tape, previous: previous, tokens: tokens).value
    var reward: Float = 0
    for (index, value) in configuration.values.enumerated() where logits[index] > 0 { reward += value }
    return Judgement(reward: reward, ended: logits[configuration.values.count] > 0)
  }

  public static let file = "rewards.safetensors"

  public var state: [String: Tensor] { parameters.state }
}
