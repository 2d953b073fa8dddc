import ReinforcementLearning
import Reporting

/// Policies side by side in one environment, over the same starts.
struct Comparison {
  struct Contender {
    /// In `report.json`.
    let key: String
    /// For a person, such as `random`.
    let title: String
    let evaluation: EvaluationReport
  }

  let environment: String
  /// The one that all is about.
  let trained: Contender
  let others: [Contender]
  /// Of the trained policy's episodes.
  let films: [Film]

  var contenders: [Contender] { [trained] + others }

  func other(_ key: String) -> Contender? { others.first { $0.key == key } }

  /// How the trained policy does against each other one.
  var verdicts: [Verdict] { others.map { Verdict(trained, over: $0) } }

  /// The contenders by their keys, and `improvement_over` the others.
  var figures: JSONValue {
    var figures: [String: JSONValue] = ["environment": .string(environment)]
    for contender in contenders {
      var own = contender.evaluation.figures
      let good = contender.evaluation.episodes.filter { $0.fault == nil }
      own["mean_length"] = .estimate(Scores(good.map { Double($0.length) }).estimate { $0.mean })
      own["title"] = .string(contender.title)
      figures[contender.key] = .object(own)
    }
    figures["improvement_over"] = .object(
      Dictionary(
        uniqueKeysWithValues: verdicts.map { verdict in
          let figures: JSONValue = [
            "probability": .estimate(verdict.improvement), "mean_difference": .estimate(verdict.difference),
            "verdict": .string(verdict.outcome.rawValue),
          ]
          return (verdict.other.key, figures)
        }))
    return .object(figures)
  }

  var table: Table {
    var table = Table(["policy", "return", "95%", "length", "success", "beaten by trained"])
    for contender in contenders {
      let evaluation = contender.evaluation
      let verdict = contender.key == trained.key ? nil : Verdict(trained, over: contender)
      table.append([
        contender.title, decimal(evaluation.meanReturn.value),
        "\(decimal(evaluation.meanReturn.low)) to \(decimal(evaluation.meanReturn.high))",
        "\(Int(evaluation.meanLength.rounded()))", evaluation.successRate.map { percent($0.value) } ?? "",
        verdict?.outcome.rawValue ?? "",
      ])
    }
    return table
  }
}

/// Whether one policy is better than another, as far as their episodes tell.
struct Verdict {
  enum Outcome: String {
    case yes, no
    /// The episodes are too few or too alike.
    case undecided
  }

  let trained: Comparison.Contender
  let other: Comparison.Contender
  /// The probability that an episode of the first earns more than one of the second, equal ones counted half.
  let improvement: ScoreEstimate
  /// What the first earns more, on average over the starts that both played.
  let difference: ScoreEstimate

  init(_ trained: Comparison.Contender, over other: Comparison.Contender) {
    self.trained = trained
    self.other = other
    // Of all episodes together: a level that was played once has no distribution of its own.
    improvement = Scores(trained.evaluation.returns.all)
      .estimateOfImprovement(over: Scores(other.evaluation.returns.all))
    let pairs = zip(trained.evaluation.episodes, other.evaluation.episodes)
    let differences = pairs.filter { $0.fault == nil && $1.fault == nil }.map { $0.return - $1.return }
    difference =
      differences.isEmpty
      ? ScoreEstimate(value: .nan, low: .nan, high: .nan) : Scores(differences).estimate { $0.mean }
  }

  var outcome: Outcome { improvement.low > 0.5 ? .yes : improvement.high < 0.5 ? .no : .undecided }

  /// In words, with the figures.
  var sentence: String {
    let claim =
      switch outcome {
      case .yes: "beats \(other.title)"
      case .no: "does worse than \(other.title)"
      case .undecided where difference.low > 0:
        "earns more than \(other.title), but is not reliably ahead in single episodes"
      case .undecided: "is not reliably better than \(other.title)"
      }
    let gain =
      "\(signed(difference.value)) on average (95%: \(signed(difference.low)) to \(signed(difference.high)))"
    let share = "\(percent(improvement.value)) of pairs of episodes"
    let interval = "(\(percent(improvement.low)) to \(percent(improvement.high)), equals counted half)"
    return "The trained policy \(claim): \(gain), and ahead in \(share) \(interval)."
  }
}

func decimal(_ value: Double) -> String { String(format: "%.2f", value) }

func percent(_ share: Double) -> String { share.isNaN ? "none" : String(format: "%.0f%%", 100 * share) }

func signed(_ value: Double) -> String { String(format: "%+.2f", value) }
