import Foundation
import Safetensors

/// Lines over a common axis, as an SVG file that stands by itself.
///
/// ```swift
/// var chart = LineChart(title: "Validity", x: "frame", range: 0...1)
/// chart.append("random actions", values)
/// try chart.write(to: url)
/// ```
public struct LineChart: Sendable {
  private struct Line: Sendable {
    let name: String
    let points: [(x: Double, y: Double)]
    let isDashed: Bool
  }

  private static let (width, height) = (720.0, 320.0)
  private static let (left, right, top, bottom) = (52.0, 16.0, 36.0, 44.0)
  private static let colors = ["#2f6f4f", "#b5532a", "#3d5a98", "#8a6d1f", "#7a4a86", "#5d5f66"]

  private let title: String
  private let x: String
  private let range: ClosedRange<Double>?
  private var lines: [Line] = []

  /// - Parameters:
  ///   - x: what the horizontal axis counts.
  ///   - range: of the values; nil takes what the lines need.
  public init(title: String, x: String, range: ClosedRange<Double>? = nil) {
    self.title = title
    self.x = x
    self.range = range
  }

  /// Adds a line; values that are no numbers are left out.
  public mutating func append(_ name: String, _ points: [(x: Double, y: Double)], isDashed: Bool = false) {
    lines.append(
      Line(name: name, points: points.filter { $0.x.isFinite && $0.y.isFinite }, isDashed: isDashed))
  }

  /// Adds a line of values at 0, 1, 2, ...
  public mutating func append(_ name: String, _ values: [Double], isDashed: Bool = false) {
    append(name, values.enumerated().map { (Double($0), $1) }, isDashed: isDashed)
  }

  /// The drawing.
  public var svg: String {
    let points = lines.flatMap(\.points)
    let ys = Axis(
      from: range?.lowerBound ?? points.map(\.y).min() ?? 0,
      to: range?.upperBound ?? points.map(\.y).max() ?? 1)
    let xs = Axis(from: points.map(\.x).min() ?? 0, to: points.map(\.x).max() ?? 1, endsOnTick: false)
    func place(_ point: (x: Double, y: Double)) -> (x: String, y: String) {
      (
        number(Self.left + xs.share(point.x) * (Self.width - Self.left - Self.right)),
        number(Self.height - Self.bottom - ys.share(point.y) * (Self.height - Self.top - Self.bottom))
      )
    }
    let grid = ys.ticks.map { tick -> HTML in
      let y = place((0, tick)).y
      return """
        <path d="M\(number(Self.left)) \(y)H\(number(Self.width - Self.right))" stroke="#d9d7d0"/>\
        <text x="\(number(Self.left - 8))" y="\(y)" dy="4" text-anchor="end">\(ys.label(tick))</text>
        """
    }
    let columns = xs.ticks.map { tick -> HTML in
      """
      <text x="\(place((tick, 0)).x)" y="\(number(Self.height - 24))" text-anchor="middle">\(xs.label(tick))</text>
      """
    }
    let drawn = lines.enumerated().map { index, line -> HTML in
      let color = Self.colors[index % Self.colors.count]
      let path = line.points.enumerated().map { step, point in
        let place = place(point)
        return "\(step == 0 ? "M" : "L")\(place.x) \(place.y)"
      }.joined()
      let dashes: HTML = line.isDashed ? " stroke-dasharray=\"6 4\"" : ""
      let key = number(Self.left + Double(index) * 160)
      return """
        <path d="\(path)" fill="none" stroke="\(color)" stroke-width="2"\(dashes)/>\
        <text x="\(key)" y="28" fill="\(color)" font-weight="600">\(line.name)</text>
        """
    }
    let drawing: HTML = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(Self.width)) \(number(Self.height))" \
      font-family="system-ui, sans-serif" font-size="12" fill="#55565c" role="img">
      <rect width="100%" height="100%" fill="#ffffff"/>
      <text x="\(number(Self.left))" y="14" font-size="13">\(title)</text>
      \(grid)\(columns)
      <text x="\(number(Self.width - Self.right))" y="\(number(Self.height - 8))" text-anchor="end">\(x)</text>
      \(drawn)
      </svg>

      """
    return drawing.text
  }

  /// Writes ``svg`` atomically.
  /// - Throws: `AtomicFileError`
  public func write(to url: URL) throws(AtomicFileError) { try AtomicFile.write(Array(svg.utf8), to: url) }

  private func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
