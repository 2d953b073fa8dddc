import Autograd
import Environments
import Foundation
import WorldModel

/// One slot of a pool of generated worlds: a world's past, and where its episode is.
final class Dream: @unchecked Sendable {
  enum Phase: UInt8 { case fresh, playing, ended }

  var state: WorldState
  var seeds = SeedSequence()
  var phase = Phase.fresh
  /// Of the episode: what its random numbers come from.
  var episodeSeed: UInt64 = 0
  /// What the reward model remembers of the episode.
  var memory = EpisodeMemory()
  /// Steps since the last reset.
  var steps = 0
  let horizon: Int
  let auxiliaries: [String]
  var sampling: SamplingConfiguration
  /// Of each token of the last frame, in 0...1: how likely it was when it was fixed; 1 where nothing was
  /// sampled.
  var confidence: [Float]

  var key: RandomKey { RandomKey(seed: episodeSeed) }

  init(state: WorldState, horizon: Int, auxiliaries: [String], sampling: SamplingConfiguration) {
    self.state = state
    self.horizon = horizon
    self.auxiliaries = auxiliaries
    self.sampling = sampling
    confidence = [Float](repeating: 1, count: state.tokens.count)
  }
}

/// What one worker needs to dream any slot's next frame.
final class Dreamer: @unchecked Sendable {
  let sampler: FrameSampler
  /// All workers together, for a call of fewer worlds than workers.
  let team: TeamSampler?
  let tape = Tape(arena: Arena())

  init(_ prepared: PreparedGenie, team: TeamSampler? = nil) {
    sampler = FrameSampler(prepared)
    self.team = team
  }

  func next(
    _ dream: Dream, action: Int32, into frame: UnsafeMutablePointer<UInt8>
  ) -> SampledFrame {
    let (settings, key) = (dream.sampling, dream.key)
    let sampled =
      team?.next(action: action, state: &dream.state, configuration: settings, key: key, into: frame)
      ?? sampler.next(action: action, state: &dream.state, configuration: settings, key: key, into: frame)
    let likelihoods = team?.likelihoods ?? sampler.likelihoods
    for token in dream.confidence.indices { dream.confidence[token] = exp(likelihoods[token]) }
    return sampled
  }
}

/// What a row of a call became: a fault, or what goes into the batch.
struct DreamOutcome: Sendable {
  var reward: Float = 0
  var terminated = false
  var truncated = false
  var auxiliaries: [(String, Float)] = []
  var fault: EnvironmentError?
}
