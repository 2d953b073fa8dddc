import Autograd
import CKernels
import Environments

/// Acts as an ``ActorCritic`` says.
public struct ActorCriticPolicy: Policy {
  /// How an action is chosen from the network's distribution.
  public enum Choice: String, Codable, Sendable, CaseIterable {
    /// The most likely action.
    case greedy
    /// A draw, as in training.
    case sampled
  }

  public let network: ActorCritic
  public let choice: Choice
  private let inference: BatchInference

  public init(_ network: ActorCritic, choice: Choice, workers: Workers) {
    self.network = network
    self.choice = choice
    inference = BatchInference(network, workers: workers)
  }

  public var frames: Int { network.configuration.frames }

  public func actions(for observations: [UInt8], keys: [RandomKey]) -> [Int32] {
    let (logits, _) = inference(observations, count: keys.count)
    return ActionSample(
      logits: logits, actions: network.configuration.actions.count, uniforms: keys.map { $0.uniform(0) },
      isGreedy: choice == .greedy
    ).actions
  }

  public func check(_ specification: EnvironmentSpecification) throws(PolicyError) {
    let configuration = network.configuration
    guard specification.observationSpace == configuration.frame else {
      throw .observationMismatch(
        policy: configuration.frame, environment: specification.observationSpace)
    }
    try specification.actionSpace.check(policy: configuration.actions.count)
  }
}

/// Actions drawn from logits, with what the learner keeps of the draw.
struct ActionSample {
  /// One a row.
  let actions: [Int32]
  /// The logarithm of each action's probability.
  let logLikelihoods: [Float]

  /// - Parameters:
  ///   - logits: `[rows, actions]`.
  ///   - uniforms: one a row, in 0..<1.
  init(logits: [Float], actions count: Int, uniforms: [Float], isGreedy: Bool = false) {
    let rows = uniforms.count
    precondition(logits.count == rows * count, "\(logits.count) logits for \(rows) x \(count)")
    var actions = [Int32](repeating: 0, count: rows)
    var logLikelihoods = [Float](repeating: 0, count: rows)
    var scratch = [Float](repeating: 0, count: count)
    ck_sample_rows(
      logits, uniforms, isGreedy ? 0 : 1, 0, &actions, &logLikelihoods, nil, &scratch, rows, count)
    self.actions = actions
    self.logLikelihoods = logLikelihoods
  }
}
