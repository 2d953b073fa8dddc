import Autograd
import NeuralNetwork

/// Rewards seeing what was not yet seen in the episode: 1 over the root of how often a frame like this one was seen.
///
/// Frames count as alike where a few random directions through the codes of all their tokens tell them apart no more
/// (SimHash): so a token that flickers is nothing new. There are no ends.
public final class NoveltyReward: RewardModel {
  private let codebook: [Float]
  private let width: Int
  /// `[bits][tokens * width]`.
  private let directions: [[Float]]

  /// - Parameter bits: directions, 1 to 64; fewer make more frames alike.
  public init(_ genie: Genie, bits: Int = 20, seed: UInt64 = 0) {
    precondition((1...64).contains(bits), "\(bits) bits")
    codebook = genie.tokenizer.quantizer.codebook.values
    width = genie.tokenizer.configuration.codebook.width
    let key = RandomKey(seed: seed).folded(in: "novelty")
    let size = genie.tokenizer.tokens * width
    directions = (0..<bits).map { bit in
      (0..<size).map { key.folded(in: UInt64(bit)).uniform(UInt64($0)) - 0.5 }
    }
  }

  /// Equal for frames that are alike.
  func signature(_ tokens: [Int32]) -> UInt64 {
    var signature: UInt64 = 0
    for direction in directions {
      var sum: Float = 0
      for (place, token) in tokens.enumerated() {
        for c in 0..<width { sum += codebook[Int(token) * width + c] * direction[place * width + c] }
      }
      signature = signature << 1 | (sum > 0 ? 1 : 0)
    }
    return signature
  }

  public func judge(
    previous: [Int32], action: Int32, tokens: [Int32], memory: inout EpisodeMemory, tape: Tape
  ) -> Judgement {
    Judgement(reward: 1 / Float(memory.visit(signature(tokens))).squareRoot(), ended: false)
  }
}
