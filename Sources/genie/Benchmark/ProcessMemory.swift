import Foundation

/// What this process holds in memory, as Linux tells it; nil elsewhere.
enum ProcessMemory {
  /// Most bytes in memory since ``forgetPeak()``, or since the process began.
  static var peak: Double? { field("VmHWM") }

  static func forgetPeak() {
    try? Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
  }

  private static func field(_ name: String) -> Double? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
    let line = status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
    return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) }.map {
      $0 * 1024
    }
  }
}
