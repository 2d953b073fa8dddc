import Foundation

/// y = constant * x ^ exponent, the least squares of the logarithms.
public struct PowerLaw: Sendable, Equatable {
  public let constant: Double
  public let exponent: Double
  /// The share of the logarithms' variance that the law explains; 1 where all points lie on it.
  public let determination: Double

  /// - Precondition: two points at least, all of them above 0.
  public init(fitting points: [(x: Double, y: Double)]) {
    precondition(points.count >= 2 && points.allSatisfy { $0.x > 0 && $0.y > 0 }, "no law fits \(points)")
    let logs = points.map { (x: log($0.x), y: log($0.y)) }
    let count = Double(logs.count)
    let (meanX, meanY) = (logs.reduce(0) { $0 + $1.x } / count, logs.reduce(0) { $0 + $1.y } / count)
    let covariance = logs.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) }
    let variance = logs.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
    let slope = variance > 0 ? covariance / variance : 0
    exponent = slope
    constant = exp(meanY - slope * meanX)
    let spread = logs.reduce(0) { $0 + ($1.y - meanY) * ($1.y - meanY) }
    determination = spread > 0 && variance > 0 ? covariance * covariance / (variance * spread) : 1
  }

  public func callAsFunction(_ x: Double) -> Double { constant * pow(x, exponent) }
}
