/// The running deviation of the discounted return, by which rewards are divided.
struct RewardScale: Codable, Sendable, Equatable {
  /// The discounted sum of rewards of each environment, back from now.
  private var discounted: [Double]
  private var count = 0.0
  private var mean = 0.0
  private var squares = 0.0

  init(environments: Int) {
    discounted = Array(repeating: 0, count: environments)
  }

  /// What a reward is to be multiplied by: 1 until there is something to go by.
  var factor: Float {
    let variance = count > 1 ? squares / count : 0
    return variance > 1e-8 ? Float(1 / variance.squareRoot()) : 1
  }

  /// Takes in one step of all environments.
  mutating func observe(_ rewards: [Float], ended: [Bool], discount: Float) {
    for (index, reward) in rewards.enumerated() {
      discounted[index] = discounted[index] * Double(discount) + Double(reward)
      count += 1
      let difference = discounted[index] - mean
      mean += difference / count
      squares += difference * (discounted[index] - mean)
      if ended[index] { discounted[index] = 0 }
    }
  }

  /// Forgets the episodes that were going on.
  mutating func startEpisodes(environments: Int) {
    discounted = Array(repeating: 0, count: environments)
  }
}
