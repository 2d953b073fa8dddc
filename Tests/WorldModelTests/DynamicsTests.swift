import Autograd
import Foundation
import NeuralNetwork
import Testing

@testable import WorldModel

@Suite struct DynamicsTests {
  private let tape = Tape(arena: Arena())

  private func tokens(_ time: Int, seed: UInt64 = 1) -> [Int32] {
    let key = RandomKey(seed: seed)
    return (0..<time * 16).map { Int32(key.integer(UInt64($0), below: 12)) }
  }

  private func hidden(_ dynamics: Dynamics, _ tokens: [Int32], _ actions: [Int32]) -> Tensor {
    dynamics.hidden(tape, tokens: tokens, actions: actions, batch: 1, time: actions.count).value
  }

  @Test func laterFramesAreNotSeen() throws {
    let dynamics = try Genie.sample().dynamics
    var shown = tokens(6)
    let actions: [Int32] = [-1, 0, 1, 2, 3, 0]
    let before = hidden(dynamics, shown, actions)
    for token in 0..<16 { shown[3 * 16 + token] = (shown[3 * 16 + token] + 1) % 12 }
    let after = hidden(dynamics, shown, actions)
    for t in 0..<6 {
      if t < 3 {
        #expect(before.frame(t) == after.frame(t))
      } else {
        #expect(largestDifference(before.frame(t), after.frame(t)) > 1e-3)
      }
    }
  }

  @Test(arguments: ActionConditioningKind.allCases) func actionsMatterFromTheirFrameOn(
    kind: ActionConditioningKind
  ) throws {
    let dynamics = try Genie.sample(.sample(conditioning: kind)).dynamics
    let shown = tokens(5)
    let before = hidden(dynamics, shown, [-1, 0, 1, 2, 3])
    for other in [-1, 0, 2, 3] as [Int32] {
      let after = hidden(dynamics, shown, [-1, 0, other, 2, 3])
      for t in 0..<2 { #expect(before.frame(t) == after.frame(t)) }
      #expect(largestDifference(before.frame(2), after.frame(2)) > 1e-3, "action \(other) is like action 1")
    }
  }

  /// What is trained further begins as it was: a longer window sees the same until it sees more.
  @Test func aLongerWindowGoesOnFromAShorterOne() throws {
    let shorter = try Genie.sample(.sample(window: 3)).dynamics
    let longer = Dynamics(GenieConfiguration.sample(window: 5).dynamics, seed: 9)
    #expect(longer.canGoOn(from: shorter) && !shorter.canGoOn(from: longer))
    longer.goOn(from: shorter)
    let (shown, actions) = (tokens(6), [-1, 0, 1, 2, 3, 0] as [Int32])
    let (before, after) = (hidden(shorter, shown, actions), hidden(longer, shown, actions))
    for t in 0..<3 { #expect(before.frame(t) == after.frame(t)) }
    #expect(largestDifference(before.frame(5), after.frame(5)) > 1e-3)
    var other = GenieConfiguration.sample(window: 5).dynamics
    other.blocks += 1
    #expect(!Dynamics(other, seed: 1).canGoOn(from: shorter))
  }

  /// The vectors of the actions are those of the latent action model: no gradient reaches them, nor are they
  /// parameters.
  @Test func actionVectorsAreNotTrained() throws {
    let genie = try Genie.sample()
    #expect(!genie.dynamics.parameters.all.contains { $0.name.contains("actionVectors") })
    #expect(genie.dynamics.state["actionVectors"]!.values == genie.latentActions.quantizer.codebook.values)
  }

  @Test func codesOfSimilarPatchesStartAlike() throws {
    let dynamics = Dynamics(GenieConfiguration.sample().dynamics, seed: 1)
    // Codes 0 and 1 look the same, 2 is their opposite, 11 never occurs.
    var patches = Tensor.random([12, 48], seed: 2).values
    for i in 0..<48 { (patches[48 + i], patches[96 + i]) = (patches[i], -patches[i]) }
    var frequencies = [Float](repeating: 1.0 / 11, count: 12)
    frequencies[11] = 0
    dynamics.ground(patches: patches, values: 48, frequencies: frequencies, key: RandomKey(seed: 3))
    let table = dynamics.embedding.table.value.values
    func distance(_ a: Int, _ b: Int) -> Float {
      (0..<16).reduce(0) {
        $0 + (table[a * 16 + $1] - table[b * 16 + $1]) * (table[a * 16 + $1] - table[b * 16 + $1])
      }
    }
    #expect(distance(0, 1) < 0.1 * distance(0, 2))
    #expect(dynamics.parameters.all.allSatisfy { $0.value.values.allSatisfy { $0.isFinite } })
    let bias = dynamics.head.bias!.value.values
    #expect(abs(bias[0] - log(Float(1) / 11)) < 1e-5)
    #expect(bias[11] == -12)
  }

  @Test func accuracyIsMeasuredOnChangedTokensToo() throws {
    let dynamics = try Genie.sample().dynamics
    let clips = (0..<3).map { clip in
      let all = tokens(3, seed: UInt64(clip))
      return TokenClip(tokens: all[...], actions: [-1, 0, 1])
    }
    // What the model says itself is right everywhere.
    let answered = clips.map { clip in
      var shown = Array(clip.tokens)
      for token in 32..<48 { shown[token] = dynamics.mask }
      let logits = dynamics.head(tape, tape.constant(hidden(dynamics, shown, clip.actions))).value
      for token in 32..<48 {
        let row = Array(logits.values[token * 12..<(token + 1) * 12])
        shown[token] = Int32(row.indices.max { row[$0] < row[$1] }!)
      }
      return TokenClip(tokens: shown[...], actions: clip.actions)
    }
    let perfect = TokenAccuracy(dynamics, clips: answered)
    #expect(perfect.all == 1 && perfect.changed == 1)
    let measured = TokenAccuracy(dynamics, clips: clips)
    #expect(measured.all < 0.5)
    #expect(measured.crossEntropy > perfect.crossEntropy)
  }

  @Test func codesThatAreNoneTrap() async {
    await #expect(processExitsWith: .failure) {
      let dynamics = Dynamics(GenieConfiguration.sample().dynamics, seed: 1)
      _ = dynamics.hidden(
        Tape(arena: Arena()), tokens: [Int32](repeating: 13, count: 16), actions: [0], batch: 1, time: 1)
    }
    await #expect(processExitsWith: .failure) {
      let dynamics = Dynamics(GenieConfiguration.sample().dynamics, seed: 1)
      _ = dynamics.hidden(
        Tape(arena: Arena()), tokens: [Int32](repeating: 0, count: 16), actions: [4], batch: 1, time: 1)
    }
  }
}
