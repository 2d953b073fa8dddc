import ReinforcementLearning
import Reporting

extension JSONValue {
  /// `{"value": ..., "low": ..., "high": ...}`
  static func estimate(_ estimate: ScoreEstimate) -> JSONValue {
    ["value": .number(estimate.value), "low": .number(estimate.low), "high": .number(estimate.high)]
  }
}

extension EvaluationReport {
  /// The statistics, as JSON files show them.
  var figures: [String: JSONValue] {
    var figures: [String: JSONValue] = [
      "policy": .string(policy), "environment": .string(environment),
      "episodes": .integer(episodes.count), "faults": .integer(faults),
      "mean_return": .estimate(meanReturn),
      "interquartile_mean_return": .estimate(interquartileMeanReturn),
      "mean_length": .number(meanLength),
    ]
    if let successRate { figures["success_rate"] = .estimate(successRate) }
    return figures
  }
}
