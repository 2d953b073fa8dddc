import Autograd
import NeuralNetwork

/// Rewards getting nearer to a picture: a goal that somebody shows instead of describing it.
///
/// Nearness is the mean cosine between the codes of the frame's tokens and those of the goal's, token by token. The
/// reward is what a step gained in nearness, so that all rewards of an episode add up to no more than 1 and a detour
/// earns nothing; the episode ends where the goal is reached.
public final class GoalReward: RewardModel {
  private let tokens: [Int32]
  /// `[codes, width]`, rows of length 1.
  private let codebook: [Float]
  private let width: Int
  private let reached: Float

  /// - Parameters:
  ///   - goal: one frame, of the world's size.
  ///   - reached: the nearness, up to 1, at which the episode ends.
  public init(_ genie: Genie, goal: FrameBatch, reached: Float = 0.98) {
    precondition(goal.clips == 1 && goal.time == 1, "a goal of \(goal.clips) clips of \(goal.time) frames")
    tokens = genie.tokenizer.encode(goal, arena: Arena())
    codebook = genie.tokenizer.quantizer.codebook.values
    width = genie.tokenizer.configuration.codebook.width
    self.reached = reached
  }

  /// -1...1; 1 for the goal itself.
  public func nearness(_ frame: [Int32]) -> Float {
    precondition(frame.count == tokens.count, "\(frame.count) tokens, the goal has \(tokens.count)")
    var sum: Float = 0
    for (mine, goals) in zip(frame, tokens) {
      for c in 0..<width { sum += codebook[Int(mine) * width + c] * codebook[Int(goals) * width + c] }
    }
    return sum / Float(tokens.count)
  }

  public func judge(
    previous: [Int32], action: Int32, tokens: [Int32], memory: inout EpisodeMemory, tape: Tape
  ) -> Judgement {
    let now = nearness(tokens)
    return Judgement(reward: (now - nearness(previous)) / 2, ended: now >= reached)
  }
}
