import AllocationCounter
import Autograd
import Foundation
import NeuralNetwork
import Testing

@testable import WorldModel

@Suite struct FrameSamplerTests {
  private let genie: Genie
  private let prepared: PreparedGenie
  private let prompt: [Int32]
  private let warm = SamplingConfiguration(steps: 3, temperature: 1, orderNoise: 0.5)

  init() throws {
    genie = try Genie.sample(.sample(neighbourhood: 1))
    // Decided predictions: no two codes are nearly as likely, on any processor.
    for i in 0..<genie.dynamics.head.weight.value.count { genie.dynamics.head.weight.value[i] *= 3 }
    prepared = PreparedGenie(genie, precision: .float32)
    let key = RandomKey(seed: 8)
    prompt = (0..<16).map { Int32(key.integer(UInt64($0), below: 12)) }
  }

  /// One world: its state and all that came out of it.
  private final class World: @unchecked Sendable {
    var state: WorldState
    var frame = [UInt8](repeating: 0, count: 768)
    var tokens: [[Int32]] = []
    var frames: [[UInt8]] = []
    var figures: [SampledFrame] = []
    let key: RandomKey

    init(_ prepared: PreparedGenie, seed: UInt64) {
      state = WorldState(prepared.genie, precision: prepared.precision)
      key = RandomKey(seed: seed)
    }

    func begin(_ prompt: [Int32], _ sampler: FrameSampler) {
      sampler.commit(prompt, actions: [Dynamics.noAction], to: &state, into: &frame)
      keep()
    }

    func step(_ action: Int32, _ sampler: FrameSampler, _ configuration: SamplingConfiguration) {
      figures.append(
        sampler.next(action: action, state: &state, configuration: configuration, key: key, into: &frame))
      keep()
    }

    private func keep() {
      tokens.append(state.tokens)
      frames.append(frame)
    }
  }

  /// A frame in which nothing changes is drawn as the one before, and what comes after it as if it had not been.
  @Test func whatStandsStillStaysAsItIs() {
    let sampler = FrameSampler(prepared)
    let other = prompt.map { ($0 + 5) % 12 }
    func shown(_ frames: [[Int32]]) -> [[UInt8]] {
      var state = WorldState(genie, precision: .float32)
      var frame = [UInt8](repeating: 0, count: 768)
      return frames.map {
        sampler.commit($0, actions: [Dynamics.noAction], to: &state, into: &frame)
        return frame
      }
    }
    let still = shown([prompt, other, other, other, other, prompt])
    let moving = shown([prompt, other, prompt])
    #expect(still[0..<2].elementsEqual(moving[0..<2]))
    for frame in still[2...4] { #expect(frame == moving[1]) }
    #expect(still[5] == moving[2])
    #expect(moving[0] != moving[1] && moving[2] != moving[0], "the decoder sees no past")
  }

  private func play(seed: UInt64, steps: Int = 10, _ configuration: SamplingConfiguration) -> World {
    play(prepared, seed: seed, steps: steps, configuration)
  }

  private func play(
    _ prepared: PreparedGenie, seed: UInt64, steps: Int, _ configuration: SamplingConfiguration
  ) -> World {
    let (world, sampler) = (World(prepared, seed: seed), FrameSampler(prepared))
    world.begin(prompt, sampler)
    for t in 0..<steps { world.step(Int32(t % 4), sampler, configuration) }
    return world
  }

  @Test func theSameKeyGivesTheSameWorld() {
    let (one, same, other) = (play(seed: 1, warm), play(seed: 1, warm), play(seed: 2, warm))
    #expect(one.tokens == same.tokens && one.frames == same.frames)
    #expect(one.figures.map(\.logLikelihood) == same.figures.map(\.logLikelihood))
    #expect(one.tokens != other.tokens)
    #expect(one.tokens[0] == prompt)
    let cold = SamplingConfiguration(steps: 3, temperature: 0)
    #expect(play(seed: 1, cold).tokens == play(seed: 2, cold).tokens, "without temperature nothing is drawn")
  }

  /// Whatever other worlds a sampler dreams in between, and on whatever thread.
  @Test(arguments: [1, 2]) func worldsDoNotDisturbEachOther(threads: Int) {
    let alone = (0..<5).map { play(seed: UInt64($0), warm) }
    let worlds = (0..<5).map { World(prepared, seed: UInt64($0)) }
    let workers = Workers(count: threads)
    let (prompt, configuration) = (prompt, warm)
    nonisolated(unsafe) let made = (0..<threads).map { _ in FrameSampler(prepared) }
    for t in -1..<10 {
      workers.run { worker in
        // Another worker takes a world in every round.
        for index in worlds.indices where (index + t + 1) % threads == worker {
          if t < 0 {
            worlds[index].begin(prompt, made[worker])
          } else {
            worlds[index].step(Int32(t % 4), made[worker], configuration)
          }
        }
      }
    }
    for (index, world) in worlds.enumerated() {
      #expect(world.tokens == alone[index].tokens)
      #expect(world.frames == alone[index].frames)
    }
  }

  /// Workers that share a frame dream what one would, bit for bit.
  @Test(arguments: [1, 2, 3], Precision.allCases) func aTeamDreamsTheSameWorld(
    threads: Int, precision: Precision
  ) {
    let prepared = PreparedGenie(genie, precision: precision)
    let alone = play(prepared, seed: 4, steps: 10, warm)
    let world = World(prepared, seed: 4)
    world.begin(prompt, FrameSampler(prepared))
    let team = TeamSampler(prepared, workers: Workers(count: threads))
    for t in 0..<10 {
      let figures = team.next(
        action: Int32(t % 4), state: &world.state, configuration: warm, key: world.key, into: &world.frame)
      #expect(world.state.tokens == alone.tokens[t + 1] && world.frame == alone.frames[t + 1])
      #expect(figures.logLikelihood == alone.figures[t].logLikelihood)
      #expect(figures.entropy == alone.figures[t].entropy)
    }
  }

  @Test(.enabled(if: allocation_count() >= 0), arguments: Precision.allCases)
  func aFrameAllocatesNothing(precision: Precision) {
    let prepared = PreparedGenie(genie, precision: precision)
    let (world, sampler) = (World(prepared, seed: 1), FrameSampler(prepared))
    sampler.commit(prompt, actions: [Dynamics.noAction], to: &world.state, into: &world.frame)
    func frames(_ count: Int) {
      for t in 0..<count {
        _ = sampler.next(
          action: Int32(t % 4), state: &world.state, configuration: warm, key: world.key, into: &world.frame)
      }
    }
    // The arena has found its size after the first.
    frames(3)
    let before = allocation_count()
    frames(20)
    #expect(allocation_count() == before, "\(allocation_count() - before) allocations in 20 frames")
  }

  /// With 8 bits of mantissa a world is about the same.
  @Test func bfloat16IsClose() {
    let cold = SamplingConfiguration(steps: 2, temperature: 0)
    let rounded = PreparedGenie(genie, precision: .bfloat16)
    let (exact, close) = (play(seed: 1, steps: 1, cold), play(rounded, seed: 1, steps: 1, cold))
    let same = zip(exact.tokens[1], close.tokens[1]).count { $0 == $1 }
    #expect(same >= 13, "\(same) of 16 tokens")
    #expect(exact.frames[0] == close.frames[0], "the decoder is exact")
    let likelihoods = (exact.figures[0].logLikelihood, close.figures[0].logLikelihood)
    #expect(abs(likelihoods.0 - likelihoods.1) < 0.05)
    // Where the processor has no such products, the cached keys and values are rounded all the same.
    #expect(likelihoods.0 != likelihoods.1)
    let (whole, half) = (World(prepared, seed: 0), World(rounded, seed: 0))
    #expect(half.state.dynamics.byteCount * 2 == whole.state.dynamics.byteCount)
  }

  /// Each step of each frame of three windows and more against a pass without any cache, with exactly as many
  /// tokens fixed as the schedule says.
  @Test(arguments: [1, 3, 16, 40]) func theCachedSamplerEqualsAnUncachedPass(steps: Int) {
    let configuration = SamplingConfiguration(steps: steps, temperature: 0)
    let world = play(seed: 1, steps: 11, configuration)
    let (dynamics, tape) = (genie.dynamics, Tape(arena: Arena()))
    let used = min(steps, 16)
    for t in 1...11 {
      let actions = [Dynamics.noAction] + (0..<t).map { Int32($0 % 4) }
      var tokens = [Int32](repeating: dynamics.mask, count: 16)
      var likelihood: Float = 0
      for step in 0..<used {
        tape.reset()
        let hidden = dynamics.hidden(
          tape, tokens: world.tokens[..<t].flatMap { $0 } + tokens, actions: actions, batch: 1, time: t + 1)
        let logits = Array(dynamics.head(tape, hidden).value.values.suffix(16 * 12))
        let answers = (0..<16).map { token -> (code: Int32, likelihood: Float) in
          let row = Array(logits[token * 12..<(token + 1) * 12])
          let best = row.indices.max { row[$0] < row[$1] }!
          return (Int32(best), row[best] - log(row.reduce(0) { $0 + exp($1) }))
        }
        let open = tokens.indices.filter { tokens[$0] == dynamics.mask }
        // At least one a step; the rest as the schedule has it.
        let staying = min(MaskSchedule.masked(after: step, of: used, tokens: 16), open.count - 1)
        let surest = open.sorted { answers[$0].likelihood > answers[$1].likelihood }.prefix(
          open.count - staying)
        for token in surest {
          tokens[token] = answers[token].code
          likelihood += answers[token].likelihood / 16
        }
      }
      #expect(tokens == world.tokens[t], "frame \(t)")
      #expect(abs(world.figures[t - 1].logLikelihood - likelihood) < 1e-3)
    }
    let decoded = genie.tokenizer.decode(world.tokens.flatMap { $0 }, clips: 1, time: 12, arena: Arena())
    let difference = zip(decoded.bytes, world.frames.flatMap { $0 }).map { abs(Int($0) - Int($1)) }.max()!
    #expect(difference <= 1)
  }

  @Test func everyTokenIsFixed() {
    for steps in [1, 2, 7, 16, 100] {
      let world = play(seed: 3, SamplingConfiguration(steps: steps, temperature: 2, orderNoise: 4))
      for tokens in world.tokens { #expect(tokens.allSatisfy { (0..<12).contains($0) }) }
      for figures in world.figures {
        #expect(figures.logLikelihood <= 0 && figures.logLikelihood.isFinite)
        #expect(figures.entropy >= 0 && figures.entropy <= log(12) + 1e-4)
      }
    }
  }

  @Test func actionsMatter() {
    let sampler = FrameSampler(prepared)
    let futures = (0..<4).map { action in
      let world = World(prepared, seed: 1)
      world.begin(prompt, sampler)
      for _ in 0..<4 { world.step(Int32(action), sampler, SamplingConfiguration(steps: 2, temperature: 0)) }
      return world.tokens
    }
    #expect(Set(futures).count > 1)
  }

  /// A world goes on from its own frames as from a prompt of these: the past is all in the state.
  @Test func aPromptOfManyFrames() {
    let sampler = FrameSampler(prepared)
    let world = play(seed: 1, steps: 7, warm)
    let prompted = World(prepared, seed: 1)
    let actions = [Dynamics.noAction] + (0..<7).map { Int32($0 % 4) }
    sampler.commit(world.tokens.flatMap { $0 }, actions: actions, to: &prompted.state, into: &prompted.frame)
    #expect(prompted.frame == world.frame)
    var copy = WorldState(genie, precision: .float32)
    copy.copy(from: world.state)
    for t in 7..<10 {
      world.step(Int32(t % 4), sampler, warm)
      prompted.step(Int32(t % 4), sampler, warm)
    }
    #expect(prompted.tokens == Array(world.tokens[8...]))
    #expect(prompted.frames == Array(world.frames[8...]))
    // And a copy of the state is independent of what it was copied from.
    let copied = World(prepared, seed: 1)
    copied.state = copy
    for t in 7..<10 { copied.step(Int32(t % 4), sampler, warm) }
    #expect(copied.tokens == prompted.tokens)
    // A cleared state begins anew.
    world.state.clear()
    world.begin(prompt, sampler)
    world.step(0, sampler, warm)
    #expect(world.frames.last == play(seed: 1, steps: 1, warm).frames.last)
  }
}

@Suite struct PilotTests {
  private func draft(entropies: [Float]) -> FrameDraft {
    let draft = FrameDraft(tokens: entropies.count, mask: 99)
    draft.clear()
    for (token, entropy) in entropies.enumerated() {
      draft.drawn[token] = Int32(token)
      draft.likelihoods[token] = -entropy
      draft.entropies[token] = entropy
    }
    return draft
  }

  @Test func theLeastCertainTokenIsFixedFirst() {
    let draft = draft(entropies: [0, 0.3, 0.9, 0.1])
    draft.fixPilot()
    #expect(draft.tokens == [99, 99, 2, 99] && !draft.isComplete)
    draft.fixPilot()
    #expect(draft.tokens == [99, 1, 2, 99] && !draft.isComplete)
    // The rest is certain.
    draft.fixPilot()
    #expect(draft.tokens == [0, 1, 2, 3] && draft.isComplete)
    draft.clear()
    #expect(!draft.isComplete)
  }

  @Test func olderFilesHaveNoPilots() throws {
    let text = Data(#"{"steps": 3, "temperature": 0.5, "orderNoise": 0}"#.utf8)
    let read = try JSONDecoder().decode(SamplingConfiguration.self, from: text)
    #expect(read == SamplingConfiguration(steps: 3, temperature: 0.5))
    let kept = SamplingConfiguration(steps: 2, pilots: 4)
    #expect(try JSONDecoder().decode(SamplingConfiguration.self, from: JSONEncoder().encode(kept)) == kept)
  }
}
