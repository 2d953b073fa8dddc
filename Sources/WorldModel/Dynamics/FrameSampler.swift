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
  /// Codes that are less likely than this share of the likeliest are never drawn (min-p): where the model is sure, what it all but
  /// excludes does not add up to a wrong token in every frame.
  public var leastShare: Float
  /// Of the order in which tokens are fixed: noise on their log-likelihoods, falling to 0 with the last step.
  public var orderNoise: Float
  /// Steps before those, each of which fixes the one token that the model is least sure of.
  ///
  /// Where two frames are possible (the hero goes on, or is stopped by a wall), tokens that are fixed together are each
  /// taken from either. The first uncertain token decides which frame it is, and the others then follow. Where no token
  /// is uncertain, the whole frame is fixed at once and no further step is needed.
  public var pilots: Int

  public init(
    steps: Int = 2, temperature: Float = 0, leastShare: Float = 0, orderNoise: Float = 0, pilots: Int = 0
  ) {
    self.steps = steps
    self.temperature = temperature
    self.leastShare = leastShare
    self.orderNoise = orderNoise
    self.pilots = pilots
  }

  /// What an older file does not tell is as it was then.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      steps: try values.decode(Int.self, forKey: .steps),
      temperature: try values.decode(Float.self, forKey: .temperature),
      leastShare: try values.decodeIfPresent(Float.self, forKey: .leastShare) ?? 0,
      orderNoise: try values.decode(Float.self, forKey: .orderNoise),
      pilots: try values.decodeIfPresent(Int.self, forKey: .pilots) ?? 0)
  }

  /// For a first frame that nothing is known of: tokens are drawn one after the other, in an order left almost to chance. Where the
  /// surest come first, every frame begins with the plainest sky.
  public static let level = SamplingConfiguration(
    steps: 64, temperature: 1, leastShare: 0.05, orderNoise: 10)
}

/// What was drawn for a frame.
public struct SampledFrame: Sendable {
  /// Mean log-likelihood of the drawn tokens, in nats, each when it was fixed.
  public var logLikelihood: Float
  /// Mean entropy of the predictions that the tokens were drawn from, in nats.
  public var entropy: Float
}

/// Dreams worlds frame by frame. A sampler belongs to one worker; the worlds' states are handed in. A sampled frame
/// allocates nothing.
///
/// A row of a product does not depend on how many there are, and random numbers come from (key, frame, step, token): so
/// a world is the same bit for bit whatever else is sampled beside it, on however many threads.
public final class FrameSampler {
  private let prepared: PreparedGenie
  private let tape: Tape
  private let decoderTape: Tape
  private let draft: FrameDraft
  private let member: TeamMember?
  /// Told what a frame's time goes to.
  public var profile: Profile? {
    get { tape.profile }
    set {
      tape.profile = newValue
      decoderTape.profile = newValue
    }
  }

  public init(_ prepared: PreparedGenie) {
    self.prepared = prepared
    tape = Tape(arena: Arena(), weights: prepared.dynamicsWeights)
    decoderTape = Tape(arena: Arena(), weights: prepared.decoderWeights)
    draft = FrameDraft(prepared.genie)
    member = nil
  }

  /// One of the samplers that dream a frame together.
  init(_ prepared: PreparedGenie, member: TeamMember, draft: FrameDraft) {
    self.prepared = prepared
    self.member = member
    self.draft = draft
    tape = Tape(arena: Arena(), weights: prepared.dynamicsWeights, member: member)
    decoderTape = Tape(arena: Arena(), weights: prepared.decoderWeights, member: member)
  }

  /// Puts known frames at the end of a world's past.
  /// - Parameters:
  ///   - tokens: `[frames, tokens]`.
  ///   - actions: `[frames]`: what led to each.
  ///   - frame: receives the last frame as the decoder shows it, `[height, width, 3]`.
  public func commit(
    _ tokens: [Int32], actions: [Int32], to state: inout WorldState, into frame: UnsafeMutablePointer<UInt8>
  ) {
    let count = prepared.genie.tokenizer.tokens
    for (index, action) in actions.enumerated() {
      draft.fill(tokens[index * count..<(index + 1) * count])
      keep(action: action, in: state, into: frame)
      state.advance(draft.tokens)
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
    let result = dream(action: action, state: state, configuration: configuration, key: key, into: frame)
    state.advance(draft.tokens)
    return result
  }

  /// Log-likelihood of each token of the frame that was sampled last, when it was fixed, in nats: `[tokens]`.
  public var likelihoods: UnsafeBufferPointer<Float> { draft.fixedLikelihoods }

  /// As ``next(action:state:configuration:key:into:)``, but the state does not go on yet. All samplers of a team call it alike.
  func dream(
    action: Int32, state: WorldState, configuration: SamplingConfiguration, key: RandomKey,
    into frame: UnsafeMutablePointer<UInt8>
  ) -> SampledFrame {
    let dynamics = prepared.genie.dynamics
    let (count, vocabulary) = (dynamics.configuration.tokens, dynamics.configuration.vocabulary)
    let own = key.folded(in: UInt64(state.dynamics.frames))
    let rows = member?.rows ?? 0..<count
    together { draft.clear() }
    let steps = max(1, min(configuration.steps, count))
    let pilots = max(0, min(configuration.pilots, count - 1))
    for step in 0..<pilots + steps where !draft.isComplete {
      tape.reset()
      let hidden = dynamics.hidden(
        tape, tokens: draft.tokens, action: action, cache: state.dynamics, prepared: prepared.dynamics)
      let logits = dynamics.head(tape, hidden).value
      let numbers = own.folded(in: UInt64(step))
      for token in rows { draft.uniforms[token] = numbers.uniform(UInt64(token)) }
      let scratch = tape.arena.tensor([vocabulary])
      ck_sample_rows(
        logits.pointer, draft.uniforms + rows.lowerBound, configuration.temperature,
        configuration.leastShare,
        draft.drawn + rows.lowerBound, draft.likelihoods + rows.lowerBound,
        draft.entropies + rows.lowerBound, scratch.pointer, rows.count, vocabulary)
      profile?.mark("draw codes")
      if step < pilots {
        together { draft.fixPilot() }
      } else {
        let round = step - pilots
        let noise = configuration.orderNoise * (1 - Float(round + 1) / Float(steps))
        together {
          draft.fix(staying: MaskSchedule.masked(after: round, of: steps, tokens: count)) { token in
            noise > 0 ? noise * Self.gumbel(numbers.uniform(UInt64(count + token))) : 0
          }
        }
      }
      profile?.mark("order tokens")
    }
    keep(action: action, in: state, into: frame)
    return draft.result
  }

  /// Computes the past that the draft's frame will be, and its pixels.
  private func keep(action: Int32, in state: WorldState, into frame: UnsafeMutablePointer<UInt8>) {
    let genie = prepared.genie
    tape.reset()
    genie.dynamics.remember(
      tape, tokens: draft.tokens, action: action, cache: state.dynamics, prepared: prepared.dynamics)
    decoderTape.reset()
    genie.tokenizer.decode(
      draft.tokens, cache: state.decoder, prepared: prepared.decoder, tape: decoderTape, into: frame)
  }

  /// Runs `body` once for all samplers of a team, while the others wait.
  private func together(_ body: () -> Void) {
    guard let member else { return body() }
    member.meet()
    if member.leads { body() }
    member.meet()
  }

  private static func gumbel(_ uniform: Float) -> Float { -log(-log(max(uniform, 1e-9)) + 1e-9) }
}

extension FrameDraft {
  convenience init(_ genie: Genie) { self.init(tokens: genie.tokenizer.tokens, mask: genie.dynamics.mask) }

  var fixedLikelihoods: UnsafeBufferPointer<Float> { UnsafeBufferPointer(start: fixed, count: tokens.count) }
}

/// Samplers that dream the frames of one world together, each its own tokens: for fewer worlds than workers.
public final class TeamSampler: @unchecked Sendable {
  private let samplers: [FrameSampler]
  private let draft: FrameDraft
  private let workers: Workers

  public init(_ prepared: PreparedGenie, workers: Workers) {
    let genie = prepared.genie
    let tokens = genie.tokenizer.tokens
    let widest = max(
      genie.dynamics.transformer.configuration.attentionWidth,
      genie.tokenizer.decoder.configuration.attentionWidth)
    // A member without a token would have nothing to compute.
    let team = Team(count: min(workers.count, tokens), tokens: tokens, channels: 3 * widest)
    let draft = FrameDraft(genie)
    samplers = (0..<team.count).map {
      FrameSampler(prepared, member: TeamMember(team, index: $0), draft: draft)
    }
    self.draft = draft
    self.workers = workers
  }

  /// As ``FrameSampler/likelihoods``.
  public var likelihoods: UnsafeBufferPointer<Float> { draft.fixedLikelihoods }

  /// As ``FrameSampler/next(action:state:configuration:key:into:)``, bit for bit.
  public func next(
    action: Int32, state: inout WorldState, configuration: SamplingConfiguration, key: RandomKey,
    into frame: UnsafeMutablePointer<UInt8>
  ) -> SampledFrame {
    let past = state
    nonisolated(unsafe) let pixels = frame
    workers.run { [self] worker in
      guard worker < samplers.count else { return }
      _ = samplers[worker].dream(
        action: action, state: past, configuration: configuration, key: key, into: pixels)
    }
    state.advance(draft.tokens)
    return draft.result
  }
}
