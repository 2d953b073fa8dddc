import Autograd
import Foundation
import NeuralNetwork
import TestSupport
import Testing

@testable import WorldModel

@Suite struct ActionOddsTests {
  private let genie: Genie
  private let prompt: [Int32]
  private let careful = SamplingConfiguration(steps: 2, temperature: 0.8, leastOdds: 0.5)

  init() throws {
    genie = try Genie.sample()
    for i in 0..<genie.dynamics.head.weight.value.count { genie.dynamics.head.weight.value[i] *= 3 }
    let key = RandomKey(seed: 8)
    prompt = (0..<16).map { Int32(key.integer(UInt64($0), below: 12)) }
  }

  /// Of random weights: it finds some actions impossible, for no reason.
  private func odds() throws -> ActionOdds {
    let odds = try ActionOdds(genie, seed: 5)
    let key = RandomKey(seed: 6)
    for head in odds.parameters.all where head.name.hasSuffix("head.weight") {
      for i in 0..<head.value.count { head.value[i] = 0.3 * key.normal(UInt64(i)) }
    }
    return odds
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

  @Test func everyActionIsAsItIsWhereNothingElseIsAsked() throws {
    let plain = PreparedGenie(genie, precision: .float32)
    let watched = PreparedGenie(genie, precision: .float32, odds: try odds())
    var unasked = careful
    unasked.leastOdds = 0
    let expected = play(plain, with: FrameSampler(plain), careful)
    #expect(play(watched, with: FrameSampler(watched), unasked) == expected)
    #expect(play(watched, with: FrameSampler(watched), careful) != expected)
  }

  /// A frame is what the action leads to that the odds name.
  @Test func whatIsImpossibleDoesWhatAnotherDoes() throws {
    let odds = try odds()
    let prepared = PreparedGenie(genie, precision: .float32, odds: odds)
    let (tape, sampler) = (Tape(arena: Arena()), FrameSampler(prepared))
    var unasked = careful
    unasked.leastOdds = 0
    var (kept, replaced) = (0, 0)
    var frame = [UInt8](repeating: 0, count: 768)
    _ = play(prepared, with: FrameSampler(prepared), careful) { before, action, after in
      tape.reset()
      let instead = odds.instead(of: action, after: before.tokens, leastOdds: 0.5, tape: tape)
      var state = before
      frame.withUnsafeMutableBufferPointer {
        _ = sampler.next(
          action: instead, state: &state, configuration: unasked, key: RandomKey(seed: 3),
          into: $0.baseAddress!)
      }
      #expect(after.tokens == state.tokens)
      if instead == action { kept += 1 } else { replaced += 1 }
    }
    #expect(kept > 2 && replaced > 2, "\(kept) kept, \(replaced) replaced")
  }

  @Test(arguments: [1, 2, 3]) func aTeamDreamsTheSameWorld(threads: Int) throws {
    let prepared = PreparedGenie(genie, precision: .float32, odds: try odds())
    let alone = play(prepared, with: FrameSampler(prepared), careful)
    #expect(play(prepared, with: FrameSampler(prepared), careful) == alone)
    #expect(play(prepared, with: TeamSampler(prepared, workers: Workers(count: threads)), careful) == alone)
  }

  /// The most similar of the actions that are shown; where none is, the action itself.
  @Test func theMostSimilarShownActionIsTaken() throws {
    genie.latentActions.quantizer.codebook.copy(
      from: Tensor([1, 0, 0, 0, 0.8, 0.6, 0, 0, -1, 0, 0, 0, 0, 1, 0, 0], shape: [4, 4]))
    let odds = try ActionOdds(genie, seed: 5)
    // Whatever the frame: of 4 actions with a quarter each, these are the odds.
    func instead(of action: Int32, odds shown: [Float], leastOdds: Float = 0.1) -> Int32 {
      for parameter in odds.parameters.all where parameter.name.contains("head") {
        for i in 0..<parameter.value.count {
          parameter.value[i] = parameter.name.hasSuffix("bias") ? log(shown[i]) : 0
        }
      }
      return odds.instead(of: action, after: prompt, leastOdds: leastOdds, tape: Tape(arena: Arena()))
    }
    #expect(instead(of: 0, odds: [1, 1, 1, 1]) == 0)
    #expect(instead(of: 0, odds: [0.01, 1, 1, 1]) == 1)
    #expect(instead(of: 0, odds: [0.01, 0.01, 1, 1]) == 3)
    #expect(instead(of: 0, odds: [0.01, 0.01, 1, 0.01]) == 2)
    #expect(instead(of: 2, odds: [1, 1, 0.01, 1]) == 3)
    #expect(instead(of: 0, odds: [0.01, 1, 1, 1], leastOdds: 0.001) == 0)
    #expect(instead(of: 0, odds: [1, 1, 1, 1], leastOdds: 2) == 0, "none is shown")
    #expect(instead(of: 0, odds: [0.01, 0.1, 1, 1]) == 3, "1 is neither possible nor impossible for sure")
    // An obstacle adds no motion: 1 is most like 0, and changes twice as much.
    odds.relate(genie.latentActions.quantizer.codebook, changes: [10, 20, 2, 0])
    #expect(instead(of: 0, odds: [0.01, 1, 1, 1]) == 3)
    #expect(
      instead(of: 1, odds: [1, 0.01, 1, 1]) == 3,
      "0.6 and hardly any change, instead of 0.8 and half of its own")
    odds.relate(genie.latentActions.quantizer.codebook, changes: [10, 10, 10, 10])
    #expect(instead(of: 0, odds: [0.01, 1, 1, 1]) == 1)
    // An action that is hardly ever done is not impossible because of that.
    odds.use.copy(from: Tensor([0.01, 0.39, 0.3, 0.3], shape: [4]))
    #expect(instead(of: 0, odds: [0.9, 1, 1, 1], leastOdds: 0.5) == 0)
  }

  @Test func filesComeBackAndLiesAreFound() throws {
    let folder = try TemporaryFolder()
    let odds = try odds()
    odds.use.copy(from: Tensor([0.1, 0.2, 0.3, 0.4], shape: [4]))
    #expect(try ActionOdds.found(in: folder.url) == nil)
    try odds.save(to: folder.url)
    let read = try #require(try ActionOdds.found(in: folder.url))
    #expect(read.configuration == odds.configuration)
    #expect(read.state.mapValues(\.values) == odds.state.mapValues(\.values))
    for change: (inout ActionOddsConfiguration) -> Void in [
      { $0.rows = 0 }, { $0.vocabulary = 1 << 20 }, { $0.filters = -1 }, { $0.actions = 0 },
    ] {
      var bad = odds.configuration
      change(&bad)
      #expect(throws: GenieError.self) { try ActionOdds(bad, seed: 1) }
    }
    let file = folder.file(ActionOdds.file)
    var giant = odds.configuration
    (giant.vocabulary, giant.filters) = (65_536, 4_096)
    try Checkpoint.write(odds.state, configuration: giant, to: file)
    let refusal = #expect(throws: GenieError.self) { try ActionOdds.found(in: folder.url) }
    #expect("\(refusal!)".contains("values or more"))
    try odds.save(to: folder.url)
    try Data(try Data(contentsOf: file).dropLast(9)).write(to: file)
    #expect(throws: GenieError.self) { try ActionOdds.found(in: folder.url) }
  }
}
