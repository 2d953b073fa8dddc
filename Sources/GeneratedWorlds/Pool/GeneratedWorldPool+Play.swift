import Environments
import Foundation

/// What a person can turn while a dream goes on: how a frame is sampled (Genie, section 2.1).
extension GeneratedWorldPool: Tunable {
  private static let steps = "MaskGIT steps"
  private static let temperature = "temperature"
  private static let leastShare = "least share"

  public var tunings: [Tuning] {
    [
      Tuning(
        Self.steps, summary: "Passes in which a frame's tokens are fixed: more are slower and surer.",
        in: 1...Double(max(25, sampling.steps)),
        step: 1, standard: Double(sampling.steps)),
      Tuning(
        Self.temperature, summary: "Of the drawn tokens: 0 takes the likeliest.",
        in: 0...Double(max(3, sampling.temperature)),
        step: 0.05, standard: Double(sampling.temperature)),
      Tuning(
        Self.leastShare, summary: "Tokens less likely than this share of the likeliest are not drawn.",
        in: 0...1, step: 0.01, standard: Double(sampling.leastShare)),
    ]
  }

  public mutating func tune(_ slot: Slot, _ values: [String: Double]) throws(EnvironmentError) {
    try check(values)
    try dreams.check(slot)
    if let steps = values[Self.steps] { dreams[slot].sampling.steps = Int(steps.rounded()) }
    if let temperature = values[Self.temperature] { dreams[slot].sampling.temperature = Float(temperature) }
    if let share = values[Self.leastShare] { dreams[slot].sampling.leastShare = Float(share) }
  }
}

/// What is behind a dreamt frame: its tokens (codes of the tokenizer), and how likely each was when it was
/// fixed.
extension GeneratedWorldPool: Charting {
  public var charts: [String] { ["confidence", "tokens"] }

  public func chart(_ name: String, of slot: Slot) throws(EnvironmentError) -> FrameChart {
    try dreams.check(slot)
    let d = world.genie.configuration.dynamics
    let dream = dreams[slot]
    switch name {
    case "confidence": return FrameChart(rows: d.rows, columns: d.columns, values: dream.confidence)
    case "tokens":
      return FrameChart(rows: d.rows, columns: d.columns, values: dream.state.tokens.map(Float.init))
    default: throw .unsupported("a chart of '\(name)'")
    }
  }
}
