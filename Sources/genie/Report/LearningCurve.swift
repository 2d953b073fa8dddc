import Foundation
import Reporting

/// The returns of a learner's episodes over its steps, as it logged them.
struct LearningCurve {
  private static let tag = "charts/episodic_return"
  /// Of the drawing; the page scales it.
  private static let (width, height) = (720.0, 280.0)
  private static let (left, right, top, bottom) = (58.0, 14.0, 14.0, 40.0)

  let points: [EventFile.Scalar]

  /// - Returns: nil where the folder tells of fewer than two finished rollouts.
  /// - Throws: `EventFile.Unreadable`
  init?(folder: URL) throws {
    points = (try EventFile.read(folder)[Self.tag] ?? []).filter { $0.value.isFinite && $0.step >= 0 }
    guard points.count > 1 else { return nil }
  }

  /// Each point with its neighbours, up to two on either side.
  private var smoothed: [EventFile.Scalar] {
    points.indices.map { index in
      let near = points[max(0, index - 2)...min(points.count - 1, index + 2)]
      return .init(
        step: points[index].step, value: near.reduce(0) { $0 + $1.value } / Double(near.count))
    }
  }

  /// - Parameter baseline: what random actions earn, drawn as a line of its own.
  func drawing(baseline: Double) -> HTML {
    let values = points.map(\.value) + [baseline, 0]
    let ys = Axis(from: values.min()!, to: values.max()!)
    let xs = Axis(from: 0, to: Double(points.last!.step), endsOnTick: false)
    func x(_ step: Double) -> Double { Self.left + xs.share(step) * (Self.width - Self.left - Self.right) }
    func y(_ value: Double) -> Double {
      Self.height - Self.bottom - ys.share(value) * (Self.height - Self.top - Self.bottom)
    }
    func path(_ points: [EventFile.Scalar]) -> String {
      points.enumerated().map { index, point in
        "\(index == 0 ? "M" : "L")\(number(x(Double(point.step)))) \(number(y(point.value)))"
      }.joined()
    }
    let (start, end) = (number(Self.left), number(Self.width - Self.right))
    let rows = ys.ticks.map { tick -> HTML in
      let at = number(y(tick))
      return """
        <line class="grid" x1="\(start)" x2="\(end)" y1="\(at)" y2="\(at)"/>\
        <text class="y" x="\(number(Self.left - 10))" y="\(at)">\(ys.label(tick))</text>
        """
    }
    let columns = xs.ticks.map { tick -> HTML in
      """
      <text class="x" x="\(number(x(tick)))" y="\(number(Self.height - 12))">\(xs.label(tick))</text>
      """
    }
    let chance = number(y(baseline))
    return """
      <svg class="curve" viewBox="0 0 \(number(Self.width)) \(number(Self.height))" role="img" \
      aria-label="Return over steps of learning">
      \(rows)\(columns)
      <line class="chance" x1="\(start)" x2="\(end)" y1="\(chance)" y2="\(chance)"/>
      <path class="raw" d="\(path(points))"/><path class="smooth" d="\(path(smoothed))"/>
      </svg>
      """
  }

  private func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
