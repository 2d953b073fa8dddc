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

  /// Takes a table of temporal biases over into one of a longer window, whose farther frames get the farthest one's bias.
  /// - Parameters:
  ///   - table: `[heads, window]`, of this transformer.
  ///   - shorter: `[heads, window]`, of one with a shorter window.
  public func extendTemporalBias(_ table: Tensor, from shorter: Tensor) {
    let (heads, window, known) = (configuration.heads, configuration.window, shorter.shape[1])
    precondition(
      table.shape == [heads, window] && shorter.shape[0] == heads && known <= window,
      "biases \(shorter.shape) for \(table.shape)")
    for head in 0..<heads {
      for distance in 0..<window {
        table[head * window + distance] = shorter[head * known + min(distance, known - 1)]
      }
    }
  }

  /// - Parameters:
  ///   - x: `[batch, time, tokens, width]`.
  ///   - actions: `[batch, time, channels]`: the action that led to each frame.
  /// - Returns: `[batch, time, tokens, width]`.
  public func callAsFunction(_ tape: Tape, _ x: Variable, actions: Variable? = nil) -> Variable {
    norm(
      tape,
      run(tape, x, actions: actions) { index, x in
        blocks[index](tape, x, spatialBias: blocks[index].expandedBias(tape, time: x.shape[1]))
      })
  }

  /// One new frame, given the frames in the cache. Runs of the same frame overwrite each other in the
  /// cache; ``SpaceTimeCache/advance()`` keeps the last.
  /// - Parameters:
  ///   - x: `[1, 1, tokens, width]`; of a team's member its own tokens, here and in what is returned.
  ///   - actions: `[1, 1, channels]`.
  /// - Returns: `[1, 1, tokens, width]`.
  public func callAsFunction(
    _ tape: Tape, _ x: Variable, actions: Variable? = nil, cache: SpaceTimeCache, prepared: PreparedBiases
  ) -> Variable {
    norm(tape, run(tape, x, actions: actions, cache: cache, prepared: prepared, onlyRemembers: false))
  }

  /// Puts one new frame's keys and values into the cache, and computes nothing that this does not take.
  public func remember(
    _ tape: Tape, _ x: Variable, actions: Variable? = nil, cache: SpaceTimeCache, prepared: PreparedBiases
  ) {
    _ = run(tape, x, actions: actions, cache: cache, prepared: prepared, onlyRemembers: true)
  }

  private func run(
    _ tape: Tape, _ x: Variable, actions: Variable?, cache: SpaceTimeCache, prepared: PreparedBiases,
    onlyRemembers: Bool
  ) -> Variable {
    run(tape, x, actions: actions) { index, x in
      blocks[index](
        tape, x, spatialBias: prepared.spatial[index].map(tape.constant),
        cache: (cache.rings[index], cache.place, prepared.ringBias(block: index, frames: cache.frames)),
        onlyRemembers: onlyRemembers && index == blocks.count - 1)
    }
  }

  private func run(
    _ tape: Tape, _ x: Variable, actions: Variable?, block: (Int, Variable) -> Variable
  ) -> Variable {
    let rows = tape.member?.rows ?? 0..<configuration.tokens
    precondition(
      x.shape.rank == 4 && x.shape[2] == rows.count && x.shape[3] == configuration.width,
      "a transformer of \(configuration.tokens) tokens of \(configuration.width) got \(x.shape)")
    precondition((actions == nil) == (conditioning == nil), "actions and conditioning come together")
    var x = x
    if let position {
      let table =
        tape.member == nil ? tape.variable(position) : tape.constant(position.value.slice(rows))
      x = tape.addPositions(x, table)
    }
    if let actions { x = conditioning!.enter(tape, x, actions) }
    for index in blocks.indices {
      if let actions { x = conditioning!.enterBlock(index, tape, x, actions) }
      x = block(index, x)
    }
    return x
  }
}
