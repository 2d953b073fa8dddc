import Autograd
import CKernels
import Foundation
import NeuralNetwork

/// How a frame is sampled.
public struct SamplingConfiguration: Codable, Sendable, Equatable, Hashable {
  /// MaskGIT steps; each fixes the tokens that the model is surest of.
  public var steps: Int
  /// Of the drawn codes; 0 takes the likeliest.
  public var temperature: Float
  /// Of the order in which tokens are fixed: noise on their log-likelihoods, falling to 0 with the last step.
  public var orderNoise: Float

  public init(steps: Int = 2, temperature: Float = 0, orderNoise: Float = 0) {
    self.steps = steps
    self.temperature = temperature
    self.orderNoise = orderNoise
  }
}

/// The past of one world, as the model keeps it: nothing but the caches of its transformers.
public struct WorldState: Sendable {
  public var dynamics: SpaceTimeCache
  public var decoder: SpaceTimeCache
  /// `[tokens]` of the newest frame.
  public var tokens: [Int32]

  public init(_ genie: Genie) {
    dynamics = SpaceTimeCache(genie.dynamics.transformer.configuration)
    decoder = SpaceTimeCache(genie.tokenizer.decoder.configuration)
    tokens = [Int32](repeating: 0, count: genie.tokenizer.tokens)
  }

  public mutating func clear() {
    dynamics.clear()
    decoder.clear()
  }

  public mutating func copy(from other: WorldState) {
    dynamics.copy(from: other.dynamics)
    decoder.copy(from: other.decoder)
    tokens = other.tokens
  }
}

/// What was drawn for a frame.
public struct SampledFrame: Sendable {
  /// Mean log-likelihood of the drawn tokens, in nats, each when it was fixed.
  public var logLikelihood: Float
  /// Mean entropy of the predictions that the tokens were drawn from, in nats.
  public var entropy: Float
}

/// Dreams one world frame by frame. A sampler belongs to one worker; the worlds' states are handed in.
///
/// All matrices have the shape of one frame of one world, and random numbers come from (key, frame, step, token): so a
/// world is the same bit for bit whatever else is sampled beside it, on however many threads.
public final class FrameSampler {
  private let genie: Genie
  private let biases: SamplingBiases
  private let tape = Tape(arena: Arena())
  /// Told what a frame's time goes to.
  public var profile: Profile? {
    get { tape.profile }
    set { tape.profile = newValue }
  }

  public init(_ genie: Genie, biases: SamplingBiases) {
    self.genie = genie
    self.biases = biases
  }

  /// Puts known frames at the end of a world's past.
  /// - Parameters:
  ///   - tokens: `[frames, tokens]`.
  ///   - actions: `[frames]`: what led to each.
  ///   - frame: receives the last frame as the decoder shows it, `[height, width, 3]`.
  public func commit(
    _ tokens: [Int32], actions: [Int32], to state: inout WorldState, into frame: UnsafeMutablePointer<UInt8>
  ) {
    let count = genie.tokenizer.tokens
    for (index, action) in actions.enumerated() {
      keep(Array(tokens[index * count..<(index + 1) * count]), action: action, in: &state, into: frame)
    }
  }

  /// Dreams the next frame.
  /// - Parameters:
  ///   - action: in `0..<actions`.
  ///   - key: of the world's episode; the frame's number is taken from the state.
  ///   - frame: receives the pixels, `[height, width, 3]`.
  public func next(
    action: Int32, state: inout WorldState, configuration: SamplingConfiguration, key: RandomKey,
    into frame: UnsafeMutablePointer<UInt8>
  ) -> SampledFrame {
    let dynamics = genie.dynamics
    let (count, vocabulary) = (dynamics.configuration.tokens, dynamics.configuration.vocabulary)
    let own = key.folded(in: UInt64(state.dynamics.frames))
    var tokens = [Int32](repeating: dynamics.mask, count: count)
    var drawn = [Int32](repeating: 0, count: count)
    var likelihoods = [Float](repeating: 0, count: count)
    var entropies = [Float](repeating: 0, count: count)
    var uniforms = [Float](repeating: 0, count: count)
    var result = SampledFrame(logLikelihood: 0, entropy: 0)
    let steps = max(1, min(configuration.steps, count))
    for step in 0..<steps {
      tape.reset()
      let hidden = dynamics.hidden(
        tape, tokens: tokens, action: action, cache: state.dynamics, prepared: biases.dynamics)
      let logits = dynamics.head(tape, hidden).value
      let numbers = own.folded(in: UInt64(step))
      for token in 0..<count { uniforms[token] = numbers.uniform(UInt64(token)) }
      let scratch = tape.arena.tensor([vocabulary])
      ck_sample_rows(
        logits.pointer, uniforms, configuration.temperature, &drawn, &likelihoods, &entropies,
        scratch.pointer,
        count, vocabulary)
      profile?.mark("draw codes")
      var open = (0..<count).filter { tokens[$0] == dynamics.mask }
      let staying = MaskSchedule.masked(after: step, of: steps, tokens: count)
      if staying > 0 {
        let noise = configuration.orderNoise * (1 - Float(step + 1) / Float(steps))
        let surety = open.map { token in
          noise > 0
            ? likelihoods[token] + noise * gumbel(numbers.uniform(UInt64(count + token))) : likelihoods[token]
        }
        let order = open.indices.sorted { (surety[$0], -open[$0]) > (surety[$1], -open[$1]) }
        open = order.prefix(max(1, open.count - staying)).map { open[$0] }
      }
      for token in open {
        tokens[token] = drawn[token]
        result.logLikelihood += likelihoods[token] / Float(count)
        result.entropy += entropies[token] / Float(count)
      }
      profile?.mark("order tokens")
    }
    keep(tokens, action: action, in: &state, into: frame)
    return result
  }

  private func keep(
    _ tokens: [Int32], action: Int32, in state: inout WorldState, into frame: UnsafeMutablePointer<UInt8>
  ) {
    tape.reset()
    _ = genie.dynamics.hidden(
      tape, tokens: tokens, action: action, cache: state.dynamics, prepared: biases.dynamics)
    state.dynamics.advance()
    state.tokens = tokens
    tape.reset()
    genie.tokenizer.decode(tokens, cache: &state.decoder, prepared: biases.decoder, tape: tape, into: frame)
  }

  private func gumbel(_ uniform: Float) -> Float { -log(-log(max(uniform, 1e-9)) + 1e-9) }
}

/// The attention biases of a Genie, spread out once for all samplers.
public struct SamplingBiases: Sendable {
  let dynamics: PreparedBiases
  let decoder: PreparedBiases

  public init(_ genie: Genie) {
    dynamics = PreparedBiases(genie.dynamics.transformer)
    decoder = PreparedBiases(genie.tokenizer.decoder)
  }
}
