import Autograd
import CKernels
import Foundation
import NeuralNetwork

/// What the odds of actions are built from.
public struct ActionOddsConfiguration: StoredConfiguration, Equatable {
  public var rows: Int
  public var columns: Int
  public var vocabulary: Int
  public var actions: Int
  /// Channels of a token, and filters of the convolutions.
  public var channels: Int
  public var filters: Int

  public init(
    rows: Int, columns: Int, vocabulary: Int, actions: Int, channels: Int = 32, filters: Int = 128
  ) {
    self.rows = rows
    self.columns = columns
    self.vocabulary = vocabulary
    self.actions = actions
    self.channels = channels
    self.filters = filters
  }

  /// Of the two classifiers.
  public var leastValues: Int {
    2 * TransitionNetwork.leastValues(vocabulary: vocabulary, channels: channels, filters: filters)
  }

  public var problem: String? {
    guard (1...256).contains(rows), (1...256).contains(columns) else {
      return "a grid of \(rows) x \(columns)"
    }
    guard (2...65536).contains(vocabulary) else { return "\(vocabulary) codes" }
    guard (1...256).contains(actions) else { return "\(actions) actions" }
    guard (1...1024).contains(channels), (1...4096).contains(filters) else {
      return "\(channels), \(filters) channels"
    }
    return nil
  }
}

/// How often the video shows each latent action after a frame, over how often it does anywhere.
///
/// Latent actions stand for effects. Where an effect is impossible (to go right, at a wall), the video never shows the action, and
/// what a dynamics model makes of it there is anything but a frame of the game. Such an action does what the most similar
/// possible one does that changes no more of the picture: ``instead(of:after:leastOdds:tape:)``.
///
/// Two small classifiers, each trained on every other episode: of frames that it was trained on, a classifier knows by heart what was
/// done, and takes for impossible what merely was not done. They see one frame; of two they would rather learn what the player is up to.
public final class ActionOdds: StoredModel, Sendable {
  public let configuration: ActionOddsConfiguration
  public let parameters: Parameters
  /// How often each action is done in the whole video: `[actions]`, of sum 1.
  let use: Tensor
  /// How well the second action stands in for the first where that is impossible: `[actions, actions]`.
  let similarities: Tensor
  private let classifiers: [TransitionNetwork]

  public init(_ configuration: ActionOddsConfiguration, seed: UInt64) throws(GenieError) {
    if let problem = configuration.problem { throw .badConfiguration(problem) }
    self.configuration = configuration
    parameters = Parameters(seed: seed)
    classifiers = (0..<2).map { [parameters] half in
      TransitionNetwork(
        parameters, prefix: "\(half).", grid: (configuration.rows, configuration.columns),
        vocabulary: configuration.vocabulary, channels: configuration.channels,
        filters: configuration.filters, outputs: configuration.actions)
    }
    use = Tensor(shape: [configuration.actions])
    for action in 0..<use.count { use[action] = 1 / Float(use.count) }
    similarities = Tensor(shape: [configuration.actions, configuration.actions])
  }

  /// Of a Genie: its codes and its actions are what they are from now on.
  convenience init(_ genie: Genie, seed: UInt64) throws(GenieError) {
    let dynamics = genie.dynamics.configuration
    try self.init(
      ActionOddsConfiguration(
        rows: dynamics.rows, columns: dynamics.columns, vocabulary: dynamics.vocabulary,
        actions: dynamics.actions),
      seed: seed)
    for (half, classifier) in classifiers.enumerated() {
      classifier.ground(
        genie.tokenizer.quantizer.codebook, key: RandomKey(seed: seed).folded(in: UInt64(half)))
    }
    relate(genie.latentActions.actionVectors)
  }

  /// The same values in tensors of its own.
  func copy() throws(GenieError) -> ActionOdds {
    let copy = try ActionOdds(configuration, seed: 0)
    for (name, tensor) in copy.state { tensor.copy(from: state[name]!) }
    return copy
  }

  /// Says how well actions stand in for each other. An obstacle takes motion away and adds none: who cannot go right does not
  /// jump to the right instead, though that is more like it, but stands.
  /// - Parameters:
  ///   - vectors: of the actions, of length 1: `[actions, width]`.
  ///   - changes: how many tokens of a frame each changes; as many as any other, if they are not known.
  func relate(_ vectors: Tensor, changes: [Float]? = nil) {
    similarities.assignProduct(vectors, vectors, transposedB: true)
    guard let changes = changes?.map({ max($0, 1) }) else { return }
    for (action, own) in changes.enumerated() {
      for (other, its) in changes.enumerated() { similarities[action * changes.count + other] -= its / own }
    }
  }

  public static let file = "action_odds.safetensors"
  /// In training, an action counts as unseen where its odds are lower.
  public static let leastSeen: Float = 0.05
  /// Only actions of such odds stand in for others. Of those between the two nobody knows whether they are possible.
  static let surelySeen: Float = 0.25

  public var state: [String: Tensor] {
    parameters.state.merging(["use": use, "similarities": similarities]) { $1 }
  }

  /// - Parameters:
  ///   - half: which of the two classifiers.
  ///   - tokens: `[frames, tokens]`.
  /// - Returns: logarithms of odds, each frame's but for a constant: `[frames, actions]`.
  func logits(_ tape: Tape, half: Int, _ tokens: [Int32]) -> Variable {
    classifiers[half](tape, previous: tokens, tokens: tokens)
  }

  /// What one classifier finds.
  /// - Returns: `[frames, actions]`, in the tape's memory.
  func odds(_ tape: Tape, half: Int, after tokens: [Int32]) -> Tensor {
    let logits = logits(tape, half: half, tokens).value
    let odds = tape.arena.tensor(logits.shape)
    let actions = configuration.actions
    func use(_ index: Int) -> Float { max(self.use[index % actions], 1e-6) }
    for index in 0..<odds.count { odds[index] = logits[index] + log(use(index)) }
    ck_softmax(odds.pointer, odds.pointer, odds.count / actions, actions)
    for index in 0..<odds.count { odds[index] /= use(index) }
    return odds
  }

  /// How often the video shows each action after such a frame, over how often it does anywhere.
  /// - Parameters:
  ///   - tokens: of the frame, `[tokens]`.
  ///   - tape: room to compute in; emptied by the caller.
  /// - Returns: `[actions]`; 1 is as often as anywhere.
  public func odds(after tokens: [Int32], tape: Tape) -> [Float] {
    let both = (0..<2).map { self.odds(tape, half: $0, after: tokens) }
    return (0..<configuration.actions).map { (both[0][$0] + both[1][$0]) / 2 }
  }

  /// The action itself, where the video shows it after such a frame; if not, the one of those that it surely shows
  /// that stands in for it best.
  /// - Parameters:
  ///   - tokens: of the frame, `[tokens]`.
  ///   - leastOdds: an action counts as shown from here on.
  ///   - tape: room to compute in; emptied by the caller.
  public func instead(of action: Int32, after tokens: [Int32], leastOdds: Float, tape: Tape) -> Int32 {
    instead(of: action, odds: odds(after: tokens, tape: tape), leastOdds: leastOdds)
  }

  /// The same, where the odds are known already.
  public func instead(of action: Int32, odds: [Float], leastOdds: Float) -> Int32 {
    guard odds[Int(action)] < leastOdds else { return action }
    let row = Int(action) * configuration.actions
    let shown = (0..<configuration.actions).filter { odds[$0] >= max(leastOdds, Self.surelySeen) }
    return shown.max { similarities[row + $0] < similarities[row + $1] }.map(Int32.init) ?? action
  }
}
