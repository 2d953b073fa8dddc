/// A number of an environment that may be turned while it is played, such as the temperature of a dream.
public struct Tuning: Codable, Sendable, Hashable {
  public var name: String
  /// What it does, in a few words for a person.
  public var summary: String
  public var lowest: Double
  public var highest: Double
  /// Between values that differ; 1 where only whole numbers mean something.
  public var step: Double
  /// What a slot opens with.
  public var standard: Double

  /// - Precondition: `standard` lies in `range`, and `step` is above 0.
  public init(_ name: String, summary: String, in range: ClosedRange<Double>, step: Double, standard: Double)
  {
    precondition(range.contains(standard) && step > 0, "\(name): \(standard) in \(range) by \(step)")
    self.name = name
    self.summary = summary
    lowest = range.lowerBound
    highest = range.upperBound
    self.step = step
    self.standard = standard
  }
}

/// A pool whose environments have numbers to turn. Values hold from the next step on, through resets, until
/// they are turned again; a snapshot does not carry them.
public protocol Tunable: EnvironmentPool {
  var tunings: [Tuning] { get }

  /// Sets some of a slot's numbers and leaves the others.
  /// - Throws: ``EnvironmentError/invalidOption(name:reason:)`` for a name that is not offered or a value out
  ///   of its range.
  mutating func tune(_ slot: Slot, _ values: [String: Double]) throws(EnvironmentError)
}

extension Tunable {
  /// Checks what every pool must check before it turns anything.
  public func check(_ values: [String: Double]) throws(EnvironmentError) {
    for (name, value) in values {
      guard let tuning = tunings.first(where: { $0.name == name }) else {
        throw .invalidOption(
          name: name, reason: "not offered; offered: \(tunings.map(\.name).joined(separator: ", "))")
      }
      guard tuning.lowest <= value, value <= tuning.highest else {
        throw .invalidOption(name: name, reason: "\(value) is outside \(tuning.lowest)...\(tuning.highest)")
      }
    }
  }
}
