import Foundation

/// A linear scale with round ticks, for drawings.
public struct Axis: Sendable {
  public let ticks: [Double]
  private let low: Double
  private let high: Double

  /// - Parameter endsOnTick: whether the scale is lengthened to end on a tick.
  public init(from least: Double, to most: Double, endsOnTick: Bool = true) {
    let range = max(most - least, 1e-6)
    let magnitude = pow(10, floor(log10(range / 4)))
    let step = [1, 2, 5, 10].map { $0 * magnitude }.first { range / $0 <= 5 } ?? range
    let first = floor(least / step)
    let last = endsOnTick ? ceil(most / step) : floor(most / step)
    low = first * step
    high = endsOnTick ? max(last * step, low + step) : max(most, low + step)
    ticks = stride(from: first, through: last, by: 1).map { $0 * step }
  }

  /// Where a value lies, 0 at the beginning and 1 at the end.
  public func share(_ value: Double) -> Double { (value - low) / (high - low) }

  public func label(_ tick: Double) -> String {
    if abs(tick) >= 10_000 { return String(format: "%gk", tick / 1000) }
    return String(format: "%g", tick)
  }
}
