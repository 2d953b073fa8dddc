import Autograd
import Foundation
import NeuralNetwork
import TestSupport
import Testing

@testable import WorldModel

@Suite struct FrameCriticTests {
  private let genie: Genie
  private let prompt: [Int32]
  /// Three frames to try with the same action.
  private let careful = SamplingConfiguration(steps: 2, temperature: 0.8, retries: 3, unreal: 0)

  init() throws {
    genie = try Genie.sample()
    for i in 0..<genie.dynamics.head.weight.value.count { genie.dynamics.head.weight.value[i] *= 3 }
    let key = RandomKey(seed: 8)
    prompt = (0..<16).map { Int32(key.integer(UInt64($0), below: 12)) }
  }

  /// Of random weights: it finds some frames unreal, for no reason.
  private func critic() throws -> FrameCritic {
    let d = genie.dynamics.configuration
    let critic = try FrameCritic(
      FrameCriticConfiguration(
        rows: d.rows, columns: d.columns, vocabulary: d.vocabulary, channels: 4, filters: 8), seed: 5)
    let head = critic.parameters.all.first { $0.name == "head.weight" }!
    let key = RandomKey(seed: 6)
    for i in 0..<head.value.count { head.value[i] = 4 * key.normal(UInt64(i)) }
    return critic
  }

  private func prepared() throws -> PreparedGenie {
    PreparedGenie(genie, precision: .float32, critic: try critic())
  }

  private func play(
    _ prepared: PreparedGenie, with sampler: any WorldSampler, _ configuration: SamplingConfiguration,
    each: (_ before: WorldState, _ action: Int32, _ after: WorldState) -> Void = { _, _, _ in }
  ) -> [[Int32]] {
    var frame = [UInt8](repeating: 0, count: 768)
    var state = WorldState(prepared.genie, precision: prepared.precision)
    var seen: [[Int32]] = []
    frame.withUnsafeMutableBufferPointer { frame in
      FrameSampler(prepared).commit(
        prompt, actions: [Dynamics.noAction], to: &state, into: frame.baseAddress!)
      for step in 0..<20 {
        var before = WorldState(prepared.genie, precision: prepared.precision)
        before.copy(from: state)
        let action = Int32(step % 4)
        _ = sampler.next(
          action: action, state: &state, configuration: configuration, key: RandomKey(seed: 3),
          into: frame.baseAddress!)
        each(before, action, state)
        seen.append(state.tokens)
      }
    }
    return seen
  }

  @Test func whatPassesIsLeftAsItIs() throws {
    let plain = PreparedGenie(genie, precision: .float32)
    let expected = play(plain, with: FrameSampler(plain), careful)
    let watched = try prepared()
    var (lenient, unasked) = (careful, careful)
    lenient.unreal = 100
    unasked.retries = 0
    #expect(play(watched, with: FrameSampler(watched), lenient) == expected)
    #expect(play(watched, with: FrameSampler(watched), unasked) == expected, "nobody asked for it")
    #expect(play(watched, with: FrameSampler(watched), careful) != expected)
  }

  /// A frame is never less real than the one that would have been drawn, and another one only where that one was rejected.
  @Test func framesAreDrawnAnewUntilOnePasses() throws {
    let prepared = try prepared()
    let critic = prepared.critic!
    let (tape, plain) = (Tape(arena: Arena()), FrameSampler(prepared))
    func unreality(_ tokens: [Int32]) -> Float {
      tape.reset()
      return critic.unreality(tokens, tape: tape)
    }
    var (kept, replaced) = (0, 0)
    var frame = [UInt8](repeating: 0, count: 768)
    _ = play(prepared, with: FrameSampler(prepared), careful) { before, action, after in
      var (state, unasked) = (before, careful)
      unasked.retries = 0
      let previous = unreality(before.tokens)
      frame.withUnsafeMutableBufferPointer {
        _ = plain.next(
          action: action, state: &state, configuration: unasked, key: RandomKey(seed: 3),
          into: $0.baseAddress!)
      }
      let (first, found) = (unreality(state.tokens), unreality(after.tokens))
      if first <= max(0, previous) {
        #expect(after.tokens == state.tokens)
        kept += 1
      } else {
        #expect(found <= first)
        replaced += after.tokens == state.tokens ? 0 : 1
      }
    }
    #expect(kept > 2 && replaced > 2, "\(kept) kept, \(replaced) replaced")
  }

  @Test(arguments: [1, 2, 3]) func aTeamDreamsTheSameWorld(threads: Int) throws {
    let prepared = try prepared()
    let alone = play(prepared, with: FrameSampler(prepared), careful)
    #expect(play(prepared, with: FrameSampler(prepared), careful) == alone)
    #expect(
      play(prepared, with: TeamSampler(prepared, workers: Workers(count: threads)), careful) == alone)
  }

  @Test func otherActionsAreTriedBySimilarity() {
    let vectors = genie.dynamics.actionVectors
    for (action, vector) in [[1, 0, 0, 0], [0.8, 0.6, 0, 0], [-1, 0, 0, 0], [0, 1, 0, 0]].enumerated() {
      for (channel, value) in vector.enumerated() { vectors[action * 4 + channel] = Float(value) }
    }
    #expect(genie.dynamics.similarActions == [[1, 3, 2], [0, 3, 2], [3, 1, 0], [1, 0, 2]])
  }

  @Test func filesComeBackAndLiesAreFound() throws {
    let folder = try TemporaryFolder()
    let critic = try critic()
    try critic.save(to: folder.url)
    let read = try FrameCritic(folder: folder.url)
    #expect(read.configuration == critic.configuration)
    let tape = Tape(arena: Arena())
    #expect(read.unreality(prompt, tape: tape) == critic.unreality(prompt, tape: tape))
    for change: (inout FrameCriticConfiguration) -> Void in [
      { $0.rows = 0 }, { $0.vocabulary = 1 << 20 }, { $0.filters = -1 },
    ] {
      var bad = critic.configuration
      change(&bad)
      #expect(throws: GenieError.self) { try FrameCritic(bad, seed: 1) }
    }
    let file = folder.file(FrameCritic.file)
    try Data(try Data(contentsOf: file).dropLast(9)).write(to: file)
    #expect(throws: GenieError.self) { try FrameCritic(folder: folder.url) }
  }
}
