import Autograd

/// Space-time blocks between a learned position and a last norm: the body of tokenizer, latent action model
/// and dynamics alike (Genie, section 2). The same definition serves training on whole sequences and sampling
/// frame by frame against a cache.
public final class SpaceTimeTransformer: Sendable {
  public let configuration: SpaceTimeConfiguration
  /// `[tokens, width]`.
  public let position: Parameter?
  let blocks: [SpaceTimeBlock]
  let conditioning: ActionConditioning?
  let norm: LayerNorm

  /// - Parameter actions: how actions come in and how many channels they have; nil where there are none.
  public init(
    _ parameters: Parameters, _ name: String, _ configuration: SpaceTimeConfiguration,
    actions: (kind: ActionConditioningKind, channels: Int)? = nil
  ) {
    self.configuration = configuration
    position =
      configuration.positions
      ? parameters.make(
        name + ".position", [configuration.tokens, configuration.width], .outer,
        .normal(standardDeviation: 0.1))
      : nil
    blocks = (0..<configuration.blocks).map {
      SpaceTimeBlock(parameters, "\(name).blocks.\($0)", configuration)
    }
    conditioning = actions.map {
      ActionConditioning(
        parameters, name + ".actions", kind: $0.kind, inputs: $0.channels, width: configuration.width,
        blocks: configuration.blocks)
    }
    norm = LayerNorm(parameters, name + ".norm", channels: configuration.width)
  }

  /// - Parameters:
  ///   - x: `[batch, time, tokens, width]`.
  ///   - actions: `[batch, time, channels]`: the action that led to each frame.
  /// - Returns: `[batch, time, tokens, width]`.
  public func callAsFunction(_ tape: Tape, _ x: Variable, actions: Variable? = nil) -> Variable {
    run(tape, x, actions: actions) { index, x in
      blocks[index](tape, x, spatialBias: blocks[index].expandedBias(tape))
    }
  }

  /// One new frame, given the frames in the cache. Runs of the same frame overwrite each other in the
  /// cache; ``SpaceTimeCache/advance()`` keeps the last.
  /// - Parameters:
  ///   - x: `[1, 1, tokens, width]`.
  ///   - actions: `[1, 1, channels]`.
  /// - Returns: `[1, 1, tokens, width]`.
  public func callAsFunction(
    _ tape: Tape, _ x: Variable, actions: Variable? = nil, cache: SpaceTimeCache, prepared: PreparedBiases
  ) -> Variable {
    run(tape, x, actions: actions) { index, x in
      blocks[index](
        tape, x, spatialBias: prepared.spatial[index].map(tape.constant),
        cache: (cache.rings[index], cache.place, prepared.ringBias(block: index, frames: cache.frames)))
    }
  }

  private func run(
    _ tape: Tape, _ x: Variable, actions: Variable?, block: (Int, Variable) -> Variable
  ) -> Variable {
    precondition(
      x.shape.rank == 4 && x.shape[2] == configuration.tokens && x.shape[3] == configuration.width,
      "a transformer of \(configuration.tokens) tokens of \(configuration.width) got \(x.shape)")
    precondition((actions == nil) == (conditioning == nil), "actions and conditioning come together")
    var x = position.map { tape.addPositions(x, tape.variable($0)) } ?? x
    if let actions { x = conditioning!.enter(tape, x, actions) }
    for index in blocks.indices {
      if let actions { x = conditioning!.enterBlock(index, tape, x, actions) }
      x = block(index, x)
    }
    return norm(tape, x)
  }
}
