import Foundation

/// From a little below the least value to above the largest, with ticks at 1, 2 and 5 of each decade.
public struct LogarithmicAxis: Sendable {
  public let ticks: [Double]
  private let (low, high): (Double, Double)

  public init(_ values: [Double], above: Double = 0.05) {
    let (least, most) = (max(values.min() ?? 1, 1e-9), max(values.max() ?? 1, 1e-9))
    low = log(least) - 0.05 * max(log(most / least), 0.5)
    high = log(most) + above * max(log(most / least), 0.5)
    let (bottom, top) = (low, high)
    let all = (-9...24).flatMap { decade in [1, 2, 5].map { $0 * pow(10, Double(decade)) } }
    let inside = all.filter { (bottom...top).contains(log($0)) }
    ticks = inside.count > 7 ? inside.filter { log10($0).rounded() == log10($0) } : inside
  }

  /// Where a value lies, 0 at the beginning and 1 at the end.
  public func share(_ value: Double) -> Double { (log(value) - low) / (high - low) }

  public static func label(_ value: Double) -> String {
    if value >= 1e9 { return String(format: "%.0e", value) }
    if value >= 1e6 { return String(format: "%.1fM", value / 1e6) }
    if value >= 1e4 { return String(format: "%.0fk", value / 1e3) }
    return String(format: "%g", value)
  }
}
