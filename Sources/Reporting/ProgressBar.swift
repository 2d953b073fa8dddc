import Foundation

/// Shows how far a long job is: title, count, rate, time left and a few figures, on standard error.
///
/// On a terminal one line is redrawn in place, at most ten times a second. Elsewhere (a log file, a pipe) a
/// plain line is printed every 30 seconds and at the end.
///
/// ```swift
/// let bar = ProgressBar("tokenizer", total: 1000)
/// for step in 1...1000 { bar.update(to: step, figures: ["loss": train()]) }
/// bar.finish()
/// ```
public final class ProgressBar {
  /// Where and how the progress is shown.
  public enum Style: Sendable {
    /// Redraws on a terminal, prints plain lines elsewhere.
    case automatic
    /// Prints nothing.
    case quiet
  }

  /// The surroundings, replaced in tests.
  struct Surroundings {
    var isTerminal: Bool
    var width: Int
    var now: () -> Double
    var write: (String) -> Void

    static var standardError: Surroundings {
      var size = winsize()
      let known = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
      return Surroundings(
        isTerminal: isatty(STDERR_FILENO) == 1,
        width: known ? Int(size.ws_col) : 80,
        now: { Double(DispatchTime.now().uptimeNanoseconds) / 1e9 },
        // A terminal that is gone, or a full disk, costs no training.
        write: { text in try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) })
    }
  }

  private let title: String
  /// The count at the end, which may become known only on the way; nil if nobody knows.
  public var total: Int?
  private let unit: String
  private let first: Int
  private let style: Style
  private let surroundings: Surroundings
  private let startTime: Double
  private var shownTime: Double
  private var count: Int
  private var figures: [(name: String, value: Double)] = []
  private var isFinished = false

  /// - Parameters:
  ///   - title: what is being done.
  ///   - total: the count at the end; nil if nobody knows.
  ///   - start: the count at which this run begins, for a resumed job.
  ///   - unit: what is counted, such as `"steps"`.
  public convenience init(
    _ title: String, total: Int?, start: Int = 0, unit: String = "", style: Style = .automatic
  ) {
    self.init(
      title, total: total, start: start, unit: unit, style: style, surroundings: .standardError)
  }

  init(
    _ title: String, total: Int?, start: Int = 0, unit: String = "", style: Style = .automatic,
    surroundings: Surroundings
  ) {
    self.title = title
    self.total = total
    self.unit = unit
    first = start
    count = start
    self.style = style
    self.surroundings = surroundings
    startTime = surroundings.now()
    // A terminal shows the first update at once, a log only the one after 30 seconds.
    shownTime = surroundings.isTerminal ? -.infinity : startTime
  }

  /// Tells how far the job is; cheap enough for every step.
  /// - Parameters:
  ///   - count: what is done so far, in the units of `total`.
  ///   - figures: named numbers worth watching, shown in this order; empty keeps the last ones.
  public func update(to count: Int, figures: KeyValuePairs<String, Double>) {
    update(to: count, figures: figures.map { (name: $0.key, value: $0.value) })
  }

  public func update(to count: Int, figures: [(name: String, value: Double)] = []) {
    self.count = count
    if !figures.isEmpty { self.figures = figures }
    let now = surroundings.now()
    guard style != .quiet, !isFinished, now - shownTime >= (surroundings.isTerminal ? 0.1 : 30) else {
      return
    }
    show(at: now)
  }

  /// Prints a line of text without disturbing the bar.
  public func print(_ text: String) {
    guard style != .quiet else { return }
    surroundings.write(surroundings.isTerminal ? "\r\u{1B}[K\(text)\n" : text + "\n")
    if surroundings.isTerminal { shownTime = -.infinity }
  }

  /// Shows the last state and ends the line. Later calls do nothing.
  public func finish() {
    guard style != .quiet, !isFinished else { return }
    isFinished = true
    show(at: surroundings.now())
    if surroundings.isTerminal { surroundings.write("\n") }
  }

  private func show(at now: Double) {
    shownTime = now
    let line = line(elapsed: now - startTime)
    if surroundings.isTerminal {
      // A line that wrapped could not be redrawn in place.
      surroundings.write("\r\u{1B}[K\(line.prefix(max(surroundings.width - 1, 10)))")
    } else {
      surroundings.write(line + "\n")
    }
  }

  private func line(elapsed: Double) -> String {
    var parts = [title]
    let rate = elapsed > 0 ? Double(count - first) / elapsed : 0
    if let total {
      let fraction = total > 0 ? min(max(Double(count) / Double(total), 0), 1) : 1
      parts.append(String(format: "%3d%%", Int(fraction * 100)))
      if surroundings.isTerminal {
        let filled = Int(fraction * 20)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 20 - filled)
        parts.append("[\(bar)]")
      }
    }
    let counted = total.map { "\(count)/\($0)" } ?? "\(count)"
    parts.append(unit.isEmpty ? counted : "\(counted) \(unit)")
    if rate > 0 { parts.append("\(formatted(rate))/s") }
    if isFinished {
      parts.append("in \(duration(elapsed))")
    } else if let total, rate > 0, total > count {
      parts.append("\(duration(Double(total - count) / rate)) left")
    }
    parts += figures.map { "\($0.name) \(formatted($0.value))" }
    return parts.joined(separator: "  ")
  }
}

/// Four significant digits.
func formatted(_ value: Double) -> String { String(format: "%.4g", value) }

/// A time in seconds as `h:mm:ss` or `m:ss`.
func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e9 else { return "?" }
  let whole = Int(seconds.rounded())
  return whole >= 3600
    ? String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
    : String(format: "%d:%02d", whole / 60, whole % 60)
}
