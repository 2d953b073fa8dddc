import Environments

/// What the environments showed and the policy did between two updates.
///
/// Row `step * environments + environment` of every array is one transition.
// The workers of an update only read; what changes it runs before and after them.
final class Rollout: @unchecked Sendable {
  let steps: Int
  let environments: Int
  let space: Box
  /// `[steps, environments, H, W, C]`, UInt8.
  private(set) var observations: [UInt8]
  var actions: [Int32]
  /// Of the actions, under the policy that chose them.
  var logLikelihoods: [Float]
  /// What the future was thought to be worth, where each transition starts.
  var values: [Float]
  /// ... and where it leads. At a horizon that is the last frame of the episode, not the first of the next.
  private(set) var nextValues: [Float]
  var rewards: [Float]
  /// The episode ended by itself: nothing follows.
  var terminated: [Bool]
  /// The episode ended or was cut: what follows belongs to another.
  var ended: [Bool]
  var advantages: [Float]
  /// What the value is to become.
  var returns: [Float]

  init(steps: Int, environments: Int, space: Box) {
    self.steps = steps
    self.environments = environments
    self.space = space
    let count = steps * environments
    observations = Array(repeating: 0, count: count * space.byteCount)
    actions = Array(repeating: 0, count: count)
    logLikelihoods = Array(repeating: 0, count: count)
    values = Array(repeating: 0, count: count)
    nextValues = Array(repeating: 0, count: count)
    rewards = Array(repeating: 0, count: count)
    terminated = Array(repeating: false, count: count)
    ended = Array(repeating: false, count: count)
    advantages = Array(repeating: 0, count: count)
    returns = Array(repeating: 0, count: count)
  }

  var count: Int { steps * environments }

  /// Keeps what all environments show before a step.
  func setObservations(_ all: [UInt8], step: Int) {
    precondition(
      all.count == environments * space.byteCount,
      "\(all.count) bytes for \(environments) observations of \(space.byteCount)")
    observations.withUnsafeMutableBufferPointer { target in
      all.withUnsafeBufferPointer { source in
        (target.baseAddress! + step * all.count).update(from: source.baseAddress!, count: all.count)
      }
    }
  }

  /// Calls `body` with pointers to some transitions' observations.
  func withObservations<Result>(_ rows: [Int], _ body: ([UnsafePointer<UInt8>]) -> Result) -> Result {
    observations.withUnsafeBufferPointer { bytes in
      body(rows.map { bytes.baseAddress! + $0 * space.byteCount })
    }
  }

  /// Where a step leads is where the next one starts, except where an episode was cut.
  /// - Parameters:
  ///   - last: values of what the environments show after the last step.
  ///   - cuts: values of the last frames of episodes that were cut, by row.
  func setNextValues(afterLast last: [Float], ofCuts cuts: [Int: Float]) {
    precondition(last.count == environments, "\(last.count) values for \(environments) environments")
    nextValues = values.dropFirst(environments) + last
    for (row, value) in cuts { nextValues[row] = value }
  }

  /// Generalised advantage estimation (Schulman et al. 2016), backwards in time:
  ///
  ///     delta(t) = reward(t) + discount * nextValue(t) * (1 - terminated(t)) - value(t)
  ///     advantage(t) = delta(t) + discount * decay * (1 - ended(t)) * advantage(t + 1)
  ///
  /// A horizon is not a death: a cut episode keeps the value of where it was cut.
  func estimateAdvantages(discount: Float, decay: Float) {
    for environment in 0..<environments {
      var advantage: Float = 0
      for step in (0..<steps).reversed() {
        let row = step * environments + environment
        let future = terminated[row] ? 0 : nextValues[row]
        let delta = rewards[row] + discount * future - values[row]
        advantage = delta + (ended[row] ? 0 : discount * decay * advantage)
        advantages[row] = advantage
        returns[row] = advantage + values[row]
      }
    }
  }

  /// The share of the returns' variance that the values explain: 1 is all, 0 no better than their mean.
  var explainedVariance: Double {
    func variance(_ values: [Float]) -> Double {
      let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
      return values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)
    }
    let total = variance(returns)
    return total > 0 ? 1 - variance(zip(returns, values).map { $0 - $1 }) / total : .nan
  }
}
