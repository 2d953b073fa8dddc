import Foundation
import Reporting

/// Measures times, many of them, and believes the median.
enum Stopwatch {
  static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) * 1e-18
  }

  /// - Precondition: there are values.
  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  /// Mean seconds of one call, over as many calls as fill the given time.
  static func secondsPerCall(over time: Double, _ body: () throws -> Void) rethrows -> Double {
    let first = try seconds(body)
    let calls = max(0, Int((time - first) / max(first, 1e-9)))
    let rest = try seconds { for _ in 0..<calls { try body() } }
    return (first + rest) / Double(calls + 1)
  }

  /// Takes several measurements in turn (A, B, C, A, B, C), so that what else the machine does at a time
  /// meets all of them.
  /// - Returns: what each gave, `repeats` times.
  static func interleaved(
    _ title: String, repeats: Int, style: ProgressBar.Style, _ measurements: [() throws -> Double]
  ) throws -> [[Double]] {
    let bar = ProgressBar(title, total: repeats * measurements.count, style: style)
    var values = measurements.map { _ in [Double]() }
    for round in 0..<repeats {
      for (index, measurement) in measurements.enumerated() {
        values[index].append(try measurement())
        bar.update(to: round * measurements.count + index + 1)
      }
    }
    bar.finish()
    return values
  }
}
