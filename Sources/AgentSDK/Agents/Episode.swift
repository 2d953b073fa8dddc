import Environments

/// An episode that an agent has played, from reset to its end.
public struct Episode: Sendable, Hashable {
  /// Why it is over.
  public enum Ending: Sendable, Hashable {
    case terminated
    case truncated
    /// The runner's own limit of steps.
    case stopped
  }

  /// The sum of its rewards.
  public var totalReward: Float = 0
  public var steps = 0
  public var ending: Ending = .stopped

  /// Plays one episode.
  /// - Parameters:
  ///   - stepLimit: ends the run, not the environment's episode, after so many steps.
  ///   - observe: sees every observation, the first one with no transition.
  /// - Throws: what the environment or the agent throws.
  public static func play<Player: Agent>(
    _ agent: inout Player, in environment: RemoteEnvironment, start: ResetOptions = ResetOptions(),
    stepLimit: Int = .max, observe: (_ observation: [UInt8], _ transition: Transition?) -> Void = { _, _ in }
  ) async throws -> Episode {
    let specification = try await environment.specification
    var episode = Episode()
    var observation = try await environment.reset(start)
    try await agent.begin(specification)
    observe(observation, nil)
    while episode.steps < stepLimit {
      let action = try await agent.act(on: observation, of: specification)
      let transition = try await environment.step(action)
      try await agent.learn(from: transition, after: action)
      observation = transition.observation
      observe(observation, transition)
      episode.steps += 1
      episode.totalReward += transition.reward
      if transition.isLast {
        episode.ending = transition.terminated ? .terminated : .truncated
        break
      }
    }
    return episode
  }
}
