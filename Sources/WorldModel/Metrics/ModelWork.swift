import NeuralNetwork

// How much a model has to compute, whoever computes it: multiply-adds of its matrices and attentions, times
// two. Norms, activations, softmaxes and tables are not counted; nor is anything that an engine does twice,
// or more of than it needs to.

extension SpaceTimeConfiguration {
  /// Of all blocks, for each token.
  /// - Parameter seen: frames that a token's frame sees, itself included.
  func flopsPerToken(seen: Double) -> Double { Double(blocks) * blockFlopsPerToken(seen: seen) }

  private func blockFlopsPerToken(seen: Double) -> Double {
    let (width, inner) = (Double(width), Double(attentionWidth))
    return 2 * (8 * width * inner + 2 * Double(expansion) * width * width)
      + 4 * inner * (Double(tokens) + seen)
  }

  /// What brings a frame whose tokens are known into the cache, for each token: of the last block, nothing
  /// after its temporal keys and values is needed.
  func commitFlopsPerToken(seen: Double) -> Double {
    let (width, inner) = (Double(width), Double(attentionWidth))
    let last = 2 * (4 * width * inner + 2 * width * inner) + 4 * inner * Double(tokens)
    return Double(blocks - 1) * blockFlopsPerToken(seen: seen) + last
  }
}

extension DynamicsConfiguration {
  /// Of what each token is told of the frame before.
  private var neighbourFlopsPerToken: Double {
    neighbourhood == 0 ? 0 : 2 * Double(neighbours * channels * channels)
  }

  /// One training step: forward, and backward, which is twice as much.
  /// - Parameters:
  ///   - time: frames of a clip.
  ///   - predicted: tokens of the step that have to be predicted: only those need the head.
  public func trainingFlops(clips: Int, time: Int, predicted: Int) -> Double {
    // The first frames of a clip see fewer than the window.
    let seen = (0..<time).reduce(0.0) { $0 + Double(min($1 + 1, window)) } / Double(time)
    let body =
      Double(clips * time * tokens) * (neighbourFlopsPerToken + transformer.flopsPerToken(seen: seen))
    return 3 * (body + 2 * Double(predicted * channels * vocabulary))
  }

  /// Drawing the tokens of one frame whose window is full: all tokens run in every MaskGIT step, the head
  /// where a token is still masked; then the frame is committed.
  public func frameFlops(steps: Int) -> Double {
    let seen = Double(window)
    let steps = max(1, min(steps, tokens))
    let open = (0..<steps).reduce(0) { sum, step in
      sum + (step == 0 ? tokens : MaskSchedule.masked(after: step - 1, of: steps, tokens: tokens))
    }
    return Double(tokens)
      * (Double(steps) * transformer.flopsPerToken(seen: seen) + transformer.commitFlopsPerToken(seen: seen)
        + Double(steps + 1) * neighbourFlopsPerToken)
      + 2 * Double(open * channels * vocabulary)
  }
}

extension GenieConfiguration {
  /// One frame of a world whose window is full, from action to pixels: dynamics and decoder.
  public func frameFlops(steps: Int) -> Double {
    let decoder = tokenizer.transformer(blocks: tokenizer.decoderBlocks, positions: true)
    let edges = 2 * Double(tokenizer.channels * (tokenizer.codebook.width + tokenizer.patches.channels))
    let decoding = decoder.flopsPerToken(seen: Double(tokenizer.window)) + edges
    return dynamics.frameFlops(steps: steps) + Double(tokenizer.patches.count) * decoding
  }
}
