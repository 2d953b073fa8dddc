import Autograd

/// No reward and no end: dreams that go on whatever happens. What it is worth, the agent decides.
public struct NoRewards: RewardModel {
  public init() {}

  public func judge(
    previous: [Int32], action: Int32, tokens: [Int32], memory: inout EpisodeMemory, tape: Tape
  ) -> Judgement {
    Judgement(reward: 0, ended: false)
  }
}
