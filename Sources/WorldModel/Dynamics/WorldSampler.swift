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
  /// The frame that was proposed last.
  var draft: FrameDraft { get }
  /// For the critic.
  var criticTape: Tape { get }

  /// Samples a next frame; the state does not go on yet, and another frame can be proposed in its place.
  func propose(
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
    let result = settle(
      FrameProposal(action: action, configuration: configuration, key: key), state: state, into: frame)
    state.advance(draft.tokens)
    return result
  }

  /// Proposes frames until the critic lets one pass; the least unreal of all, if none does.
  ///
  /// A frame is rejected that is more unreal than the one before it by ``SamplingConfiguration/unreal``: of a world that has been
  /// unreal already (a sketch was its start) there is nothing better to be had.
  private func settle(
    _ first: FrameProposal, state: WorldState, into frame: UnsafeMutablePointer<UInt8>
  ) -> SampledFrame {
    var result = propose(first, state: state, into: frame)
    guard first.configuration.retries > 0, let critic = prepared.critic else { return result }
    var limit = first.configuration.unreal
    var (best, least) = (first, unreality(draft.tokens, critic))
    guard least > limit else { return result }
    let begins = state.dynamics.frames == 0
    if !begins { limit += max(0, unreality(state.tokens, critic)) }
    guard least > limit else { return result }
    for other in first.others(similar: begins ? [] : prepared.similarActions[Int(first.action)]) {
      result = propose(other, state: state, into: frame)
      let found = unreality(draft.tokens, critic)
      guard found > limit else { return result }
      if found < least { (best, least) = (other, found) }
    }
    return propose(best, state: state, into: frame)
  }

  private func propose(
    _ proposal: FrameProposal, state: WorldState, into frame: UnsafeMutablePointer<UInt8>
  ) -> SampledFrame {
    propose(
      action: proposal.action, state: state, configuration: proposal.configuration, key: proposal.key,
      into: frame)
  }

  private func unreality(_ tokens: [Int32], _ critic: FrameCritic) -> Float {
    criticTape.reset()
    return critic.unreality(tokens, tape: criticTape)
  }
}

/// What a frame may be sampled with.
private struct FrameProposal {
  var action: Int32
  var configuration: SamplingConfiguration
  var key: RandomKey

  /// What to try in its place: the same at temperature 1, then other actions.
  func others(similar: [Int32]) -> [FrameProposal] {
    var warm = self
    warm.configuration.temperature = max(1, configuration.temperature)
    return (0..<configuration.retries).map { retry in
      var again = warm
      again.key = key.folded(in: "retry").folded(in: UInt64(retry))
      return again
    }
      + similar.map { action in
        var other = self
        other.action = action
        return other
      }
  }
}
