import Foundation

/// How many tokens are still masked after each step of sampling a frame (MaskGIT's cosine schedule).
public enum MaskSchedule {
  /// - Returns: tokens that stay masked after step `step` of `steps`; 0 after the last.
  public static func masked(after step: Int, of steps: Int, tokens: Int) -> Int {
    step >= steps - 1 ? 0 : Int(Double(tokens) * cos(Double.pi / 2 * Double(step + 1) / Double(steps)))
  }
}
