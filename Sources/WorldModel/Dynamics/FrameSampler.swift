import Autograd
import CKernels
import Foundation
import NeuralNetwork

/// Dreams worlds frame by frame. A sampler belongs to one worker; the worlds' states are handed in. A frame is drawn without any
/// allocation (asking for the odds of actions takes some).
///
/// A row of a product does not depend on how many there are, and random numbers come from (key, frame, step, token): so
/// a world is the same bit for bit whatever else is sampled beside it, on however many threads.
public final class FrameSampler: WorldSampler {
  public let prepared: PreparedGenie
  private let tape: Tape
  private let decoderTape: Tape
  public let draft: FrameDraft
  public let oddsTape = Tape(arena: Arena())
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

  /// All samplers of a team call it alike.
  public func draw(
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
        tape, tokens: draft.tokens, action: action, past: state, prepared: prepared.dynamics)
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
      tape, tokens: draft.tokens, action: action, past: state, prepared: prepared.dynamics)
    decoderTape.reset()
    genie.tokenizer.decode(
      draft.tokens, cache: state.decoder(before: draft.tokens), prepared: prepared.decoder,
      tape: decoderTape, into: frame)
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
public final class TeamSampler: WorldSampler, @unchecked Sendable {
  private let samplers: [FrameSampler]
  public let prepared: PreparedGenie
  public let draft: FrameDraft
  public let oddsTape = Tape(arena: Arena())
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
    self.prepared = prepared
    self.draft = draft
    self.workers = workers
  }

  /// As ``FrameSampler`` does it, bit for bit.
  public func draw(
    action: Int32, state: WorldState, configuration: SamplingConfiguration, key: RandomKey,
    into frame: UnsafeMutablePointer<UInt8>
  ) -> SampledFrame {
    nonisolated(unsafe) let pixels = frame
    workers.run { [self] worker in
      guard worker < samplers.count else { return }
      _ = samplers[worker].draw(
        action: action, state: state, configuration: configuration, key: key, into: pixels)
    }
    return draft.result
  }
}
