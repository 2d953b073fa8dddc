import Autograd

/// What was drawn for a frame.
public struct SampledFrame: Sendable {
  /// Mean log-likelihood of the drawn tokens, in nats, each when it was fixed.
  public var logLikelihood: Float = 0
  /// Mean entropy of the predictions that the tokens were drawn from, in nats.
  public var entropy: Float = 0
  /// Entropy of the one of them that was least certain, in nats.
  public var mostEntropy: Float = 0
}

/// What dreams worlds frame by frame: one worker, or several together.
public protocol WorldSampler: AnyObject {
  var prepared: PreparedGenie { get }
  /// The frame that was drawn last.
  var draft: FrameDraft { get }
  /// For the odds of actions.
  var oddsTape: Tape { get }

  /// Samples a next frame with just this action; the state does not go on yet.
  func draw(
    action: Int32, state: WorldState, configuration: SamplingConfiguration, key: RandomKey,
    into frame: UnsafeMutablePointer<UInt8>
  ) -> SampledFrame
}

extension WorldSampler {
  /// Log-likelihood of each token of the frame that was sampled last, when it was fixed, in nats: `[tokens]`.
  public var likelihoods: UnsafeBufferPointer<Float> { draft.fixedLikelihoods }

  /// Dreams the next frame.
  /// - Parameters:
  ///   - action: in `0..<actions`.
  ///   - key: of the world's episode; the frame's number is taken from the state.
  ///   - frame: receives the pixels, `[height, width, 3]`.
  public func next(
    action: Int32, state: inout WorldState, configuration: SamplingConfiguration, key: RandomKey,
    into frame: UnsafeMutablePointer<UInt8>
  ) -> SampledFrame {
    let result = drawPossible(action, state, configuration, key, into: frame)
    state.advance(draft.tokens)
    return result
  }

  /// Draws what the action leads to; where video shows nothing of the kind, what one leads to that stands in for it.
  private func drawPossible(
    _ action: Int32, _ state: WorldState, _ configuration: SamplingConfiguration, _ key: RandomKey,
    into frame: UnsafeMutablePointer<UInt8>
  ) -> SampledFrame {
    guard configuration.leastOdds > 0, state.dynamics.frames > 0, let odds = prepared.odds else {
      return draw(action: action, state: state, configuration: configuration, key: key, into: frame)
    }
    oddsTape.reset()
    var shown = odds.odds(after: state.tokens, tape: oddsTape)
    var taken = odds.instead(of: action, odds: shown, leastOdds: configuration.leastOdds)
    var result = draw(action: taken, state: state, configuration: configuration, key: key, into: frame)
    var tries = Self.mostStandIns
    while configuration.mostEntropy > 0, result.mostEntropy > configuration.mostEntropy, tries > 0 {
      (shown[Int(action)], shown[Int(taken)]) = (0, 0)
      let other = odds.instead(of: action, odds: shown, leastOdds: configuration.leastOdds)
      guard other != action else { break }
      taken = other
      result = draw(action: taken, state: state, configuration: configuration, key: key, into: frame)
      tries -= 1
    }
    return result
  }

  /// Frames that are drawn anew for an action, at most.
  private static var mostStandIns: Int { 2 }
}
