import Autograd
import Environments

/// What one episode of an evaluation came to.
public struct EpisodeResult: Codable, Sendable, Equatable {
  public var seed: UInt64
  /// The level, where one was named.
  public var level: Int?
  /// Sum of rewards.
  public var `return`: Double
  /// Steps.
  public var length: Int
  /// Whether it ended by itself rather than at the horizon.
  public var terminated: Bool
  /// By the evaluation's rule; nil without one.
  public var success: Bool?
  /// What went wrong with the environment; the figures are then those until it happened.
  public var fault: String?

  public init(
    seed: UInt64, level: Int? = nil, return: Double, length: Int, terminated: Bool, success: Bool? = nil,
    fault: String? = nil
  ) {
    self.seed = seed
    self.level = level
    self.return = `return`
    self.length = length
    self.terminated = terminated
    self.success = success
    self.fault = fault
  }
}

/// When an episode counts as a success.
public enum SuccessRule: Codable, Sendable, Equatable {
  /// Its last reward was at least this: reaching a goal pays.
  case lastReward(atLeast: Float)
  /// It earned at least this.
  case episodeReturn(atLeast: Double)

  func isMet(lastReward: Float, episodeReturn: Double) -> Bool {
    switch self {
    case .lastReward(let least): lastReward >= least
    case .episodeReturn(let least): episodeReturn >= least
    }
  }
}

/// Plays a policy over given starts and keeps what each episode came to.
///
/// Every episode is its own: what the policy draws in it follows from the seed of the episode and the
/// number of the step, not from the episodes beside it.
public struct Evaluation: Sendable {
  /// A start of an episode.
  public struct Start: Sendable, Hashable {
    /// Of the environment, and of what the policy draws.
    public var seed: UInt64
    public var level: Int?
    public var prompt: Prompt?

    public init(seed: UInt64, level: Int? = nil, prompt: Prompt? = nil) {
      self.seed = seed
      self.level = level
      self.prompt = prompt
    }
  }

  public var starts: [Start]
  /// Steps after which an episode is cut; nil leaves the pool's own horizon.
  public var horizon: Int?
  public var success: SuccessRule?
  /// Episodes played at a time.
  public var slots: Int

  public init(starts: [Start], horizon: Int? = nil, success: SuccessRule? = nil, slots: Int = 16) {
    self.starts = starts
    self.horizon = horizon
    self.success = success
    self.slots = max(1, slots)
  }

  /// One episode for each seed and level; without levels, one for each seed.
  public init(
    seeds: some Sequence<UInt64>, levels: [Int] = [], horizon: Int? = nil, success: SuccessRule? = nil,
    slots: Int = 16
  ) {
    let starts = seeds.flatMap { seed in
      levels.isEmpty ? [Start(seed: seed)] : levels.map { Start(seed: seed, level: $0) }
    }
    self.init(starts: starts, horizon: horizon, success: success, slots: slots)
  }

  /// Plays all episodes.
  /// - Parameters:
  ///   - policy: checked against the pool first.
  ///   - pool: `slots` of it are opened, and closed at the end. Frames are stacked here, as the policy
  ///     needs them.
  ///   - didFinish: called with the number of episodes that are done.
  /// - Returns: one result a start, in their order.
  /// - Throws: ``EvaluationError``; a fault of one slot is a fault of its episode and does not throw.
  public func run(
    _ policy: any Policy, on pool: any EnvironmentPool, didFinish: (Int) -> Void = { _ in }
  ) throws(EvaluationError) -> [EpisodeResult] {
    do { try policy.check(pool.specification) } catch { throw .policy(error) }
    do {
      var run = try EvaluationRun(self, policy, pool)
      defer { run.close() }
      while try run.startEpisodes() {
        try run.step()
        didFinish(run.finished)
      }
      return run.results
    } catch { throw .environment(error) }
  }
}

/// Why an evaluation could not be run.
public enum EvaluationError: Error, Sendable, Equatable, CustomStringConvertible {
  case policy(PolicyError)
  case environment(EnvironmentError)

  public var description: String {
    switch self {
    case .policy(let error): "\(error)"
    case .environment(let error): "\(error)"
    }
  }
}
