import Foundation
import Reporting

/// Costs against sizes, a panel for each kind of size; both axes logarithmic, so that a power is a line.
struct ScalingPlot {
  struct Curve {
    /// What the sizes are of.
    let panel: String
    /// What the costs are of.
    let name: String
    let points: [(x: Double, seconds: Double)]

    /// The power of the size that fits the costs best.
    var law: PowerLaw { PowerLaw(fitting: points.map { ($0.x, $0.seconds) }) }

    /// Two digits, and no -0.00.
    var exponentText: String { String(format: "%.2f", (law.exponent * 100).rounded() / 100 + 0) }

    var json: JSONValue {
      [
        "cost": .string(name), "against": .string(panel), "exponent": .number(law.exponent),
        "points": .array(points.map { ["size": .number($0.x), "milliseconds": .number($0.seconds * 1e3)] }),
      ]
    }
  }

  let curves: [Curve]

  private static let (width, height) = (360.0, 260.0)
  private static let (left, right, top, bottom) = (56.0, 18.0, 40.0, 44.0)

  private var names: [String] { Set(curves.map(\.name)).sorted() }

  /// The drawing, a document of its own that suits light and dark pages.
  var svg: HTML {
    var panels: [String] = []
    for curve in curves where !panels.contains(curve.panel) { panels.append(curve.panel) }
    let (columns, rows) = (2, (panels.count + 1) / 2)
    let drawn = panels.enumerated().map { index, panel -> HTML in
      let (x, y) = (Double(index % columns) * Self.width, Double(index / columns) * Self.height)
      return """
        <g transform="translate(\(number(x)) \(number(y)))">\(draw(panel))</g>

        """
    }
    let (width, height) = (number(Double(columns) * Self.width), number(Double(rows) * Self.height))
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" width="\(width)" \
      height="\(height)">
      <style>\(Self.style)</style>
      \(drawn)</svg>

      """
  }

  private static let style: HTML = """
    text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; fill: #6b6c72; }
    .title { font-weight: 600; } .y { text-anchor: end; dominant-baseline: middle; }
    .x { text-anchor: middle; } .grid { stroke: #8d8e94; stroke-opacity: 0.35; }
    path { fill: none; stroke-width: 1.6; } path.c0 { stroke: #2f8f5f; } path.c1 { stroke: #c0662f; }
    circle.c0, text.c0 { fill: #2f8f5f; } circle.c1, text.c1 { fill: #c0662f; }
    path.c2 { stroke: #3f6fb5; } path.c3 { stroke: #9a4fa0; }
    circle.c2, text.c2 { fill: #3f6fb5; } circle.c3, text.c3 { fill: #9a4fa0; }
    @media (prefers-color-scheme: dark) { text { fill: #a5a6ad; } }
    """

  private func draw(_ panel: String) -> HTML {
    let names = self.names
    let curves = curves.filter { $0.panel == panel }
    let xs = LogarithmicAxis(curves.flatMap { $0.points.map(\.x) })
    // Room above for the names of the curves.
    let ys = LogarithmicAxis(curves.flatMap { $0.points.map { $0.seconds * 1e3 } }, above: 0.42)
    func x(_ value: Double) -> Double { Self.left + xs.share(value) * (Self.width - Self.left - Self.right) }
    func y(_ value: Double) -> Double {
      Self.height - Self.bottom - ys.share(value) * (Self.height - Self.top - Self.bottom)
    }
    let (start, end, base) = (number(Self.left), number(Self.width - Self.right), Self.height - Self.bottom)
    let rows = ys.ticks.map { tick -> HTML in
      let at = number(y(tick))
      return """
        <line class="grid" x1="\(start)" x2="\(end)" y1="\(at)" y2="\(at)"/>\
        <text class="y" x="\(number(Self.left - 8))" y="\(at)">\(LogarithmicAxis.label(tick))</text>
        """
    }
    let columns = Set(curves.flatMap { $0.points.map(\.x) }).sorted().map { size -> HTML in
      """
      <text class="x" x="\(number(x(size)))" y="\(number(base + 18))">\(LogarithmicAxis.label(size))</text>
      """
    }
    let lines = curves.enumerated().map { row, curve -> HTML in
      // A color for each kind of work, the same in all panels.
      let index = names.firstIndex(of: curve.name)!
      let law = curve.law
      let ends = [curve.points.first!.x, curve.points.last!.x].map { size in
        "\(number(x(size))) \(number(y(law(size) * 1e3)))"
      }
      let dots = curve.points.map { point -> HTML in
        let (cx, cy) = (number(x(point.x)), number(y(point.seconds * 1e3)))
        return """
          <circle class="c\(index)" cx="\(cx)" cy="\(cy)" r="3.2"/>
          """
      }
      let line = number(Self.top + 12 + 16 * Double(row))
      return """
        <path class="c\(index)" d="M\(ends[0])L\(ends[1])"/>\(dots)\
        <text class="c\(index)" x="\(number(Self.left + 6))" y="\(line)">\
        \(curve.name), exponent \(curve.exponentText)</text>

        """
    }
    return """
      <text class="title" x="\(number(Self.left))" y="22">ms, against \(panel)</text>
      \(rows)\(columns)
      \(lines)
      """
  }

  private func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
