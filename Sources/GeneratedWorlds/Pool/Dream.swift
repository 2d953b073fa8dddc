import Autograd
import Environments
import WorldModel

/// One slot of a pool of generated worlds: a world's past, and where its episode is.
final class Dream: @unchecked Sendable {
  enum Phase: UInt8 { case fresh, playing, ended }

  var state: WorldState
  var seeds = SeedSequence()
  var phase = Phase.fresh
  /// Of the episode: what its random numbers come from.
  var episodeSeed: UInt64 = 0
  /// Steps since the last reset.
  var steps = 0
  let horizon: Int
  let auxiliaries: [String]
  let sampling: SamplingConfiguration

  var key: RandomKey { RandomKey(seed: episodeSeed) }

  init(state: WorldState, horizon: Int, auxiliaries: [String], sampling: SamplingConfiguration) {
    self.state = state
    self.horizon = horizon
    self.auxiliaries = auxiliaries
    self.sampling = sampling
  }
}

/// What one worker needs to dream any slot's next frame.
final class Dreamer: @unchecked Sendable {
  let sampler: FrameSampler
  let tape = Tape(arena: Arena())

  init(_ genie: Genie, biases: SamplingBiases) {
    sampler = FrameSampler(genie, biases: biases)
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
