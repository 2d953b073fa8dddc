import Reporting

/// What an iteration of ``PPO`` measured.
public struct PPOFigures: Sendable, Equatable {
  /// Environment steps done when it ended.
  public var step = 0
  /// Episodes that ended in it.
  public var episodes = 0
  /// Mean return of those episodes; not a number where none ended.
  public var episodicReturn = Double.nan
  public var episodicLength = Double.nan
  /// Mean return of the last 100 episodes.
  public var recentReturn = Double.nan
  /// Environment steps a second, learning included.
  public var stepsPerSecond = 0.0
  /// The share of the time that was spent in the environments.
  public var environmentShare = 0.0
  public var learningRate = 0.0
  public var policyLoss = 0.0
  public var valueLoss = 0.0
  /// Of the policy, in nats.
  public var entropy = 0.0
  /// An estimate of how far the update moved the policy, in nats.
  public var approximateDivergence = 0.0
  /// The share of transitions whose ratio left the clip's range.
  public var clippedShare = 0.0
  public var explainedVariance = 0.0
  /// Before clipping.
  public var gradientNorm = 0.0

  /// Logs the figures under the names that other learners use.
  public func log(to events: EventFile) throws(EventFile.Failure) {
    if episodes > 0 {
      try events.scalars(
        ["charts/episodic_return": episodicReturn, "charts/episodic_length": episodicLength], step: step)
    }
    try events.scalars(
      [
        "charts/SPS": stepsPerSecond, "charts/learning_rate": learningRate,
        "charts/environment_share": environmentShare, "losses/policy_loss": policyLoss,
        "losses/value_loss": valueLoss, "losses/entropy": entropy,
        "losses/approx_kl": approximateDivergence, "losses/clipfrac": clippedShare,
        "losses/explained_variance": explainedVariance, "losses/gradient_norm": gradientNorm,
      ], step: step)
  }
}
