import Autograd
import Foundation
import NeuralNetwork

/// What a dynamics model is built from.
public struct DynamicsConfiguration: Codable, Sendable, Equatable {
  /// The grid of tokens of a frame.
  public var rows: Int
  public var columns: Int
  /// Codes of the tokenizer.
  public var vocabulary: Int
  /// Latent actions, and channels of their vectors.
  public var actions: Int
  public var actionWidth: Int
  public var channels: Int
  public var blocks: Int
  public var heads: Int
  /// Channels of a head; nil takes `channels / heads`.
  public var headWidth: Int?
  /// Frames that a frame sees, itself included.
  public var window: Int
  public var conditioning: ActionConditioningKind
  /// Channels in which the age of an episode is told, each for twice the age of the one before; 0 where it is not told.
  public var ages: Int
  /// How far around its own place each token is told the frame before, besides what attention finds there: 1 is 3 x 3 tokens, 0 none.
  public var neighbourhood: Int

  public init(
    rows: Int = 8, columns: Int = 8, vocabulary: Int = 512, actions: Int = 8, actionWidth: Int = 8,
    channels: Int = 128, blocks: Int = 4, heads: Int = 4, headWidth: Int? = nil, window: Int = 8,
    conditioning: ActionConditioningKind = .film, ages: Int = 0, neighbourhood: Int = 0
  ) {
    self.rows = rows
    self.columns = columns
    self.vocabulary = vocabulary
    self.actions = actions
    self.actionWidth = actionWidth
    self.channels = channels
    self.blocks = blocks
    self.heads = heads
    self.headWidth = headWidth
    self.window = window
    self.conditioning = conditioning
    self.ages = ages
    self.neighbourhood = neighbourhood
  }

  /// What an older file does not tell is as it was then.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func number(_ key: CodingKeys) throws -> Int { try values.decode(Int.self, forKey: key) }
    self.init(
      rows: try number(.rows), columns: try number(.columns), vocabulary: try number(.vocabulary),
      actions: try number(.actions), actionWidth: try number(.actionWidth), channels: try number(.channels),
      blocks: try number(.blocks), heads: try number(.heads),
      headWidth: try values.decodeIfPresent(Int.self, forKey: .headWidth), window: try number(.window),
      conditioning: try values.decode(ActionConditioningKind.self, forKey: .conditioning),
      ages: try values.decodeIfPresent(Int.self, forKey: .ages) ?? 0,
      neighbourhood: try values.decodeIfPresent(Int.self, forKey: .neighbourhood) ?? 0)
  }

  /// Channels of what is told of each frame: what led to it, and how old the episode is.
  var conditions: Int { actionWidth + ages }
  /// Tokens of the frame before that each token is told.
  var neighbours: Int { (2 * neighbourhood + 1) * (2 * neighbourhood + 1) }

  public var tokens: Int { rows * columns }

  var transformer: SpaceTimeConfiguration {
    SpaceTimeConfiguration(
      width: channels, blocks: blocks, heads: heads, headWidth: headWidth, rows: rows, columns: columns,
      window: window)
  }
}

/// Predicts the tokens of the next frame from the frames before it and the latent action (a decoder-only MaskGIT;
/// Genie, section 2.1).
public final class Dynamics: Sendable {
  public let configuration: DynamicsConfiguration
  public let parameters: Parameters
  /// `[actions, actionWidth]`: the codebook of the latent action model; no gradient reaches it.
  public let actionVectors: Tensor
  /// One row for each code, and one for "masked".
  public let embedding: Embedding
  /// Of the tokens around a place in the frame before; nil where none are told.
  let neighbours: Linear?
  public let transformer: SpaceTimeTransformer
  public let head: Linear
  /// `[tokens]`: of a frame that nothing is known of.
  private let unknown: [Int32]

  /// - Parameter stored: values that are there already; what it does not hold starts from the seed.
  public init(_ configuration: DynamicsConfiguration, seed: UInt64, stored: StoredValues? = nil) {
    self.configuration = configuration
    let parameters = Parameters(seed: seed, stored: stored)
    self.parameters = parameters
    actionVectors = Tensor(shape: [configuration.actions, configuration.actionWidth])
    embedding = Embedding(
      parameters, "embedding", entries: configuration.vocabulary + 1, channels: configuration.channels)
    neighbours =
      configuration.neighbourhood == 0
      ? nil
      : Linear(
        parameters, "neighbours", inputs: configuration.neighbours * configuration.channels,
        outputs: configuration.channels, bias: false)
    transformer = SpaceTimeTransformer(
      parameters, "transformer", configuration.transformer,
      actions: (configuration.conditioning, configuration.conditions))
    head = Linear(
      parameters, "head", inputs: configuration.channels, outputs: configuration.vocabulary, role: .outer,
      deviation: 0.02)
    unknown = [Int32](repeating: Int32(configuration.vocabulary), count: configuration.tokens)
  }

  /// The code that stands for "not known yet".
  public var mask: Int32 { Int32(configuration.vocabulary) }

  /// The action that led to a frame where none did: the first of a clip, or of a prompt.
  public static let noAction: Int32 = -1

  /// - Parameters:
  ///   - tokens: `[batch, time, tokens]`, codes in `0..<vocabulary`, or ``mask``.
  ///   - actions: `[batch, time]`: the action that led to each frame, or ``noAction``.
  ///   - ages: `[batch, time]`: frames of the episode before each; nil where that is not known.
  /// - Returns: `[batch, time, tokens, channels]`, for ``head``.
  public func hidden(
    _ tape: Tape, tokens: [Int32], actions: [Int32], ages: [Int32]? = nil, batch: Int, time: Int
  ) -> Variable {
    let count = configuration.tokens
    var before: [Int32] = []
    if neighbours != nil {
      for clip in 0..<batch {
        let first = clip * time * count
        before += unknown
        before += tokens[first..<first + (time - 1) * count]
      }
    }
    let x = embedded(
      tape, tokens[...], rows: 0..<count, shape: [batch, time, count], before: before[...])
    return transformer(tape, x, actions: conditions(actions, ages, [batch, time], tape))
  }

  /// The same for one new frame, given the frames in the cache.
  /// - Parameters:
  ///   - tokens: `[tokens]`; a team's member computes its own of them.
  ///   - past: the world's, of which the frame will be the newest.
  /// - Returns: `[1, 1, tokens, channels]`, of a team's member its own.
  func hidden(
    _ tape: Tape, tokens: [Int32], action: Int32, past: WorldState, prepared: PreparedBiases
  ) -> Variable {
    transformer(
      tape, embedded(tape, tokens, past), actions: conditions(action, past.age, tape), cache: past.dynamics,
      prepared: prepared)
  }

  /// Puts one new frame, now known, into the cache.
  func remember(_ tape: Tape, tokens: [Int32], action: Int32, past: WorldState, prepared: PreparedBiases) {
    transformer.remember(
      tape, embedded(tape, tokens, past), actions: conditions(action, past.age, tape), cache: past.dynamics,
      prepared: prepared)
  }

  private func embedded(_ tape: Tape, _ tokens: [Int32], _ past: WorldState) -> Variable {
    let rows = tape.member?.rows ?? 0..<configuration.tokens
    return embedded(
      tape, tokens[rows], rows: rows, shape: [1, 1, rows.count],
      before: past.dynamics.frames == 0 ? unknown[...] : past.tokens[...])
  }

  /// - Parameters:
  ///   - rows: the tokens of each frame that are meant.
  ///   - before: of each frame all tokens of the one before it; ``unknown`` where there is none.
  private func embedded(
    _ tape: Tape, _ tokens: ArraySlice<Int32>, rows: Range<Int>, shape: Shape, before: ArraySlice<Int32>
  ) -> Variable {
    let x = embedding(tape, tokens, shape: shape)
    guard let neighbours else { return x }
    let around = tape.neighbours(
      tape.variable(embedding.table), before, rows: configuration.rows, columns: configuration.columns,
      reach: configuration.neighbourhood, outside: mask, places: rows)
    return neighbours(
      tape, tape.reshape(around, shape.appending(configuration.neighbours * configuration.channels)),
      residual: x)
  }

  private func conditions(_ action: Int32, _ age: Int32, _ tape: Tape) -> Variable {
    conditions(CollectionOfOne(action), CollectionOfOne(age), [1, 1], tape)
  }

  /// `[shape..., actionWidth + ages]`; zero for ``noAction``, and for an age that is not known.
  private func conditions(
    _ actions: some Collection<Int32>, _ ages: (some Collection<Int32>)?, _ shape: Shape, _ tape: Tape
  ) -> Variable {
    let (width, all) = (configuration.actionWidth, configuration.conditions)
    let result = tape.arena.zeros(shape.appending(all))
    precondition(
      actions.count == shape.count && ages?.count ?? shape.count == shape.count,
      "\(actions.count) actions for \(shape)")
    for (row, action) in actions.enumerated() where action != Self.noAction {
      precondition(
        action >= 0 && action < configuration.actions, "latent action \(action) of \(configuration.actions)")
      (result.pointer + row * all).update(from: actionVectors.pointer + Int(action) * width, count: width)
    }
    if let ages {
      for (row, age) in ages.enumerated() {
        EpisodeAge.tell(age, to: result.pointer + row * all + width, count: configuration.ages)
      }
    }
    return tape.constant(result)
  }

  /// Starts embeddings and head from what the tokens look like: codes of similar patches start alike, so that
  /// the model need not find out first which codes belong together.
  /// - Parameters:
  ///   - patches: `[vocabulary, values]`: the mean patch of each code.
  ///   - frequencies: how often each code occurs, as a share.
  public func ground(patches: [Float], values: Int, frequencies: [Float], key: RandomKey) {
    let (vocabulary, channels) = (configuration.vocabulary, configuration.channels)
    precondition(
      patches.count == vocabulary * values && frequencies.count == vocabulary, "patches of another codebook")
    var mean = [Float](repeating: 0, count: values)
    for code in 0..<vocabulary {
      for i in 0..<values { mean[i] += frequencies[code] * patches[code * values + i] }
    }
    // A random projection keeps distances, which is all that is wanted.
    let projection = Tensor(shape: [values, channels])
    for i in 0..<projection.count { projection[i] = key.normal(UInt64(i)) }
    let centred = Tensor(shape: [vocabulary, values])
    for code in 0..<vocabulary where frequencies[code] > 0 {
      for i in 0..<values { centred[code * values + i] = patches[code * values + i] - mean[i] }
    }
    let projected = Tensor(shape: [vocabulary, channels])
    projected.assignProduct(centred, projection)
    let used = max(1, frequencies.reduce(into: 0) { $0 += $1 > 0 ? 1 : 0 })
    let energy = projected.values.reduce(0) { $0 + $1 * $1 } / Float(used * channels)
    let scale = 0.5 / max(energy, 1e-12).squareRoot()
    for code in 0..<vocabulary {
      for c in 0..<channels {
        let value = projected[code * channels + c] * scale
        embedding.table.value[code * channels + c] =
          value + 0.02 * key.normal(UInt64(1 << 32 + code * channels + c))
        head.weight.value[c * vocabulary + code] = 0.1 * value
      }
      head.bias!.value[code] = max(-12, frequencies[code] > 0 ? log(frequencies[code]) : -12)
    }
  }

  /// Whether these can go on from where others came to: all is the same, but that the window may be longer, and ages and neighbours may be told.
  func canGoOn(from other: Dynamics) -> Bool {
    var wanted = other.configuration
    wanted.window = configuration.window
    if wanted.ages == 0 { wanted.ages = configuration.ages }
    if wanted.neighbourhood == 0 { wanted.neighbourhood = configuration.neighbourhood }
    return wanted == configuration && configuration.window >= other.configuration.window
  }

  /// Takes over all values of others. What lies further back than these looked is attended to as their farthest frame was; ages
  /// and neighbours that they were not told make no difference yet.
  func goOn(from other: Dynamics) {
    precondition(canGoOn(from: other), "dynamics of two shapes")
    for (name, tensor) in state {
      guard let source = other.state[name] else {
        tensor.fill(0)
        continue
      }
      if source.shape == tensor.shape {
        tensor.copy(from: source)
      } else if name.hasPrefix("transformer.actions.") {
        tensor.fill(0)
        tensor.slice(0..<source.shape[0]).copy(from: source)
      } else {
        transformer.extendTemporalBias(tensor, from: source)
      }
    }
  }

  /// What a checkpoint keeps.
  public var state: [String: Tensor] { parameters.state.merging(["actionVectors": actionVectors]) { $1 } }
}
