import Autograd
import Foundation

/// The clipped objective of proximal policy optimisation (Schulman et al. 2017), with gradients by hand.
struct PPOLoss: Sendable {
  var clip: Float
  var entropyCoefficient: Float
  var clipsValues: Bool

  /// Sums over the rows of a part, for the figures of an update.
  struct PolicySums: Sendable {
    var loss = 0.0
    var entropy = 0.0
    /// Of (ratio - 1) - log ratio: an estimate of KL(old | new) that is never negative (Schulman 2020).
    var divergence = 0.0
    /// Rows whose ratio left the range of the clip.
    var clipped = 0
  }

  /// scale * sum of [max(-advantage ratio, -advantage held ratio) - entropyCoefficient entropy], the held ratio
  /// being within 1 - clip and 1 + clip.
  ///
  /// With p = softmax(logits), the ratio is p[action] / exp(old log-likelihood); d log p[a] / d logit j is
  /// [j = a] - p[j], and d entropy / d logit j is -p[j] (log p[j] + entropy).
  /// - Parameters:
  ///   - logits: `[rows, actions]`.
  ///   - oldLogLikelihoods: of the actions, under the policy of the rollout.
  func policy(
    _ tape: Tape, logits: Variable, actions: [Int32], oldLogLikelihoods: [Float], advantages: [Float],
    scale: Float
  ) -> (loss: Variable, sums: PolicySums) {
    let (rows, count) = (logits.shape.rows, logits.shape[-1])
    precondition(
      actions.count == rows && oldLogLikelihoods.count == rows && advantages.count == rows,
      "policy loss: logits \(logits.shape) with \(actions.count) actions")
    let gradient = tape.arena.tensor(logits.shape)
    var sums = PolicySums()
    var p = [Float](repeating: 0, count: count)
    var logP = p
    for row in 0..<rows {
      let source = logits.value.pointer + row * count
      var largest = source[0]
      for j in 1..<max(1, count) { largest = max(largest, source[j]) }
      var total: Float = 0
      for j in 0..<count { total += exp(source[j] - largest) }
      let logTotal = log(total) + largest
      var entropy: Float = 0
      for j in 0..<count {
        logP[j] = source[j] - logTotal
        p[j] = exp(logP[j])
        entropy -= p[j] * logP[j]
      }
      let action = Int(actions[row])
      let advantage = advantages[row]
      let logRatio = logP[action] - oldLogLikelihoods[row]
      let ratio = exp(logRatio)
      let free = -advantage * ratio
      let held = -advantage * min(max(ratio, 1 - clip), 1 + clip)
      // Where the clipped objective is the larger one, it does not depend on the policy.
      let slope = free >= held ? free : 0
      let target = gradient.pointer + row * count
      for j in 0..<count {
        target[j] = scale * (-slope * p[j] + entropyCoefficient * p[j] * (logP[j] + entropy))
      }
      target[action] += scale * slope
      sums.loss += Double(max(free, held))
      sums.entropy += Double(entropy)
      sums.divergence += Double(ratio - 1 - logRatio)
      if abs(ratio - 1) > clip { sums.clipped += 1 }
    }
    let value = scale * Float(sums.loss - Double(entropyCoefficient) * sums.entropy)
    return (tape.scalar(value, of: logits, gradient: gradient), sums)
  }

  /// scale * sum of (value - return)^2 / 2, or of the larger of this and the same with the value held within
  /// `clip` of the old one.
  /// - Parameter values: `[rows, 1]`.
  /// - Returns: the loss, and the sum before scaling.
  func value(
    _ tape: Tape, values: Variable, oldValues: [Float], returns: [Float], scale: Float
  ) -> (loss: Variable, sum: Double) {
    let rows = values.value.count
    precondition(
      oldValues.count == rows && returns.count == rows,
      "value loss: \(values.shape), \(returns.count) returns")
    let gradient = tape.arena.tensor(values.shape)
    var sum = 0.0
    for row in 0..<rows {
      let error = values.value.pointer[row] - returns[row]
      let moved = values.value.pointer[row] - oldValues[row]
      let heldError = oldValues[row] + min(max(moved, -clip), clip) - returns[row]
      let isHeld = clipsValues && abs(heldError) > abs(error)
      sum += Double(isHeld ? heldError * heldError : error * error) / 2
      gradient.pointer[row] = isHeld ? 0 : scale * error
    }
    return (tape.scalar(scale * Float(sum), of: values, gradient: gradient), sum)
  }
}
