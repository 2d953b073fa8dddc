import Foundation

/// How near one picture is to another.
public enum Fidelity {
  /// Mean of squared differences, of values in 0...1.
  public static func meanSquaredError(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Double {
    precondition(a.count == b.count && !a.isEmpty, "\(a.count) bytes against \(b.count)")
    var sum = 0
    for (x, y) in zip(a, b) {
      let difference = Int(x) - Int(y)
      sum += difference * difference
    }
    return Double(sum) / (65025 * Double(a.count))
  }

  /// Peak signal-to-noise ratio in dB, at most 60.
  public static func psnr(meanSquaredError: Double) -> Double {
    min(60, -10 * log10(max(meanSquaredError, 1e-12)))
  }
}
