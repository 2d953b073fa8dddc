import Autograd
import NeuralNetwork

// How many values a model trains, and how much memory it takes, told from its configuration alone: so that what no
// machine here can hold can be planned.

extension SpaceTimeConfiguration {
  /// Trained values of a transformer.
  /// - Parameter actions: how actions come in, and how many channels they have.
  func parameterCount(actions: (kind: ActionConditioningKind, channels: Int)? = nil) -> Int {
    let displacements = relativeBias ? (2 * rows - 1) * (2 * columns - 1) : 0
    // Full attention has no norm of its own along time.
    let vectors =
      (attention == .full ? 4 : 6) * width + heads * (displacements + window) + expansion * width + width
    let conditioning =
      switch actions?.kind {
      case .additive: (actions!.channels + 1) * width
      case .concatenated: (width + actions!.channels + 1) * width
      case .film: blocks * (actions!.channels + 1) * 2 * width
      case nil: 0
      }
    return matrixValues + blocks * vectors + conditioning + 2 * width + (positions ? tokens * width : 0)
  }

  /// Floats that a training step keeps of a clip until its backward pass is over: outputs of the layers, and gradients on
  /// their way. (What an arena was found to hold, over widths and lengths; within a fifth.)
  func activationCount(time: Int) -> Int { time * tokens * blocks * (20 * width + 12 * attentionWidth) }
}

extension DynamicsConfiguration {
  /// Trained values.
  public var parameterCount: Int {
    (2 * vocabulary + 1) * channels + vocabulary
      + (neighbourhood == 0 ? 0 : neighbours * channels * channels)
      + transformer.parameterCount(actions: (conditioning, conditions))
  }

  /// Bytes of the activations of one clip in training.
  public func activationBytes(time: Int) -> Int {
    // The head, for about as many tokens as are masked, and what cross-entropy makes of it.
    4
      * (transformer.activationCount(time: time) + 2 * time * tokens * vocabulary
        + (neighbourhood == 0 ? 0 : 2 * time * tokens * neighbours * channels))
  }
}

extension TokenizerConfiguration {
  /// Trained values, the codebook left out.
  public var parameterCount: Int {
    let (patch, code) = (patches.channels, codebook.width)
    return (patch + 1) * channels + (channels + 1) * code + (code + 1) * channels + (channels + 1) * patch
      + transformer(
        blocks: encoderBlocks, positions: encoderPositions, attention: encoderAttention ?? .factorised
      ).parameterCount()
      + transformer(blocks: decoderBlocks, positions: true).parameterCount()
  }
}

extension LatentActionConfiguration {
  /// Trained values, the codebook left out.
  public var parameterCount: Int {
    let (values, code) = (tokenWidth ?? patches.channels, codebook.width)
    let motion =
      tokenWidth.map { 2 * $0 }
      ?? MotionFeatures(radius: motionRadius).channels * patches.size * patches.size
    return (motion + 1) * channels + (2 * channels + 1) * code + (values + 1) * channels
      + ((bilinearHead ? channels * (1 + code) : channels) + 1) * values
      + transformer(blocks: encoderBlocks).parameterCount()
      + transformer(blocks: decoderBlocks).parameterCount(actions: (conditioning, code))
  }
}

extension GenieConfiguration {
  /// Turning one frame of video into tokens and a latent action: both encoders.
  public var encodingFlops: Double {
    let encoder = tokenizer.transformer(blocks: tokenizer.encoderBlocks, positions: true)
    let actions = latentActions.transformer(blocks: latentActions.encoderBlocks)
    let edges =
      2 * Double(tokenizer.channels * (tokenizer.patches.channels + tokenizer.codebook.width))
      + 2 * Double(tokenizer.codebook.width * tokenizer.codebook.codes)
    return Double(tokenizer.patches.count) * (encoder.flopsPerToken(seen: Double(tokenizer.window)) + edges)
      + Double(latentActions.patches.count)
      * actions.flopsPerToken(seen: Double(latentActions.window))
  }

  /// Bytes of one process that trains the dynamics model: values, a gradient for each worker, the optimizer's moments and the
  /// activations of a clip for each worker.
  /// - Parameter optimizer: Muon keeps one moment of a matrix, AdamW two.
  public func trainingBytes(time: Int, workers: Int, optimizer: OptimizerConfiguration) -> Int {
    let count = dynamics.parameterCount
    let second = optimizer.muonRate == nil ? count : count - dynamics.transformer.matrixValues
    return 4 * (count * (2 + workers) + second) + workers * dynamics.activationBytes(time: time)
  }

  /// Bytes that a server needs once, however many worlds it dreams.
  /// - Parameter precision: of the dynamics' packed matrices.
  public func servingBytes(precision: Precision) -> Int {
    let (t, l, d) = (tokenizer, latentActions, dynamics)
    let decoder = t.transformer(blocks: t.decoderBlocks, positions: true)
    let packed =
      d.transformer.matrixValues * (precision == .bfloat16 ? 2 : 4) + 4 * decoder.matrixValues
    return 4 * (t.parameterCount + l.parameterCount + d.parameterCount) + packed + biasBytes
  }

  /// Bytes of attention biases, spread out over all pairs of tokens.
  var biasBytes: Int {
    let decoder = tokenizer.transformer(blocks: tokenizer.decoderBlocks, positions: true)
    return 4
      * [dynamics.transformer, decoder].reduce(0) { $0 + $1.blocks * $1.heads * $1.tokens * $1.tokens }
  }

  /// Bytes of one world: the keys and values of its window.
  public func worldBytes(precision: Precision) -> Int {
    func cache(_ transformer: SpaceTimeConfiguration, _ size: Int) -> Int {
      2 * transformer.blocks * transformer.window * transformer.tokens * transformer.attentionWidth * size
    }
    let decoder = tokenizer.transformer(blocks: tokenizer.decoderBlocks, positions: true)
    return cache(dynamics.transformer, precision == .bfloat16 ? 2 : 4) + cache(decoder, 4)
  }
}
