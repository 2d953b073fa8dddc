import Autograd

/// What was drawn for a frame.
public struct SampledFrame: Sendable {
  /// Mean log-likelihood of the drawn tokens, in nats, each when it was fixed.
  public var logLikelihood: Float
  /// Mean entropy of the predictions that the tokens were drawn from, in nats.
  public var entropy: Float
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
    var action = action
    if configuration.leastOdds > 0, state.dynamics.frames > 0, let odds = prepared.odds {
      oddsTape.reset()
      action = odds.instead(
        of: action, after: state.tokens, leastOdds: configuration.leastOdds, tape: oddsTape)
    }
    let result = draw(action: action, state: state, configuration: configuration, key: key, into: frame)
    state.advance(draft.tokens)
    return result
  }
}
