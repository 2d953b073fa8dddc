import Foundation
import Reporting
import WorldModel

/// What came of a scaling study: trainings by size and by batch, the law that the sizes follow, and the size that was
/// predicted from it.
struct ScalingFigures {
  let bySize: [ScalingStudy.Run]
  let byBatch: [ScalingStudy.Run]
  let predicted: ScalingStudy.Run

  /// Loss against compute, over the sizes.
  var law: PowerLaw { PowerLaw(fitting: bySize.map { ($0.flops, $0.loss) }) }
  /// Loss against parameters.
  var byParameters: PowerLaw { PowerLaw(fitting: bySize.map { (Double($0.parameters), $0.loss) }) }
  /// Loss against compute, over the batches of one size; nil where there is only one.
  var batchLaw: PowerLaw? {
    byBatch.count > 1 ? PowerLaw(fitting: byBatch.map { ($0.flops, $0.loss) }) : nil
  }

  var table: Table {
    var table = Table([
      "parameters", "channels x blocks", "batch", "FLOPs", "seconds", "loss", "the law says",
    ])
    for run in bySize + byBatch.filter({ $0.batch != bySize[0].batch }) + [predicted] {
      table.append([
        String(format: "%.2fM", Double(run.parameters) / 1e6), "\(run.channels) x \(run.blocks)",
        "\(run.batch)", String(format: "%.2e", run.flops), String(format: "%.0f", run.seconds),
        String(format: "%.3f", run.loss),
        run.batch == bySize[0].batch ? String(format: "%.3f", law(run.flops)) : "",
      ])
    }
    return table
  }

  var summary: String {
    let expected = law(predicted.flops)
    var text = String(
      format: "loss = %.3g * FLOPs ^ %.4f = %.3g * parameters ^ %.4f", law.constant, law.exponent,
      byParameters.constant, byParameters.exponent)
    if let batchLaw { text += String(format: "; over batches FLOPs ^ %.4f", batchLaw.exponent) }
    return text
      + String(
        format: "\npredicted for %.1fM: %.3f; trained: %.3f (%+.1f%%)", Double(predicted.parameters) / 1e6,
        expected, predicted.loss, 100 * (predicted.loss / expected - 1))
  }

  var json: JSONValue {
    func runs(_ runs: [ScalingStudy.Run]) -> JSONValue {
      .array(
        runs.map {
          [
            "parameters": .integer($0.parameters), "batch": .integer($0.batch), "flops": .number($0.flops),
            "loss": .number($0.loss), "seconds": .number($0.seconds), "steps": .integer($0.losses.count),
          ]
        })
    }
    return [
      "by_size": runs(bySize), "by_batch": runs(byBatch), "predicted": runs([predicted]),
      "exponent": .number(law.exponent), "constant": .number(law.constant),
      "batch_exponent": batchLaw.map { .number($0.exponent) } ?? .null,
      "predicted_loss": .number(law(predicted.flops)), "trained_loss": .number(predicted.loss),
    ]
  }

  private static let (width, height) = (430.0, 330.0)
  private static let (left, right, top, bottom) = (52.0, 20.0, 36.0, 44.0)
  private static let colors = ["#8d8e94", "#3d5a98", "#2f8f5f", "#8a6d1f", "#7a4a86", "#c0662f"]

  /// Loss against compute: while each size trains, with the law through the ends; and for each batch.
  var svg: HTML {
    func million(_ run: ScalingStudy.Run) -> String { String(format: "%.1fM", Double(run.parameters) / 1e6) }
    let sizes = (bySize + [predicted]).map { ($0, million($0)) }
    let batches = byBatch.map { ($0, "batch \($0.batch)") }
    let lawText = String(format: "FLOPs ^ %.3f", law.exponent)
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(number(2 * Self.width)) \(number(Self.height))" \
      width="\(number(2 * Self.width))" height="\(number(Self.height))">
      <style>text { font: 12px system-ui, sans-serif; fill: #6b6c72; } .title { font-weight: 600; }
      .y { text-anchor: end; dominant-baseline: middle; } .x { text-anchor: middle; }
      .grid { stroke: #8d8e94; stroke-opacity: 0.35; } path { fill: none; stroke-width: 1.4; }
      @media (prefers-color-scheme: dark) { text { fill: #a5a6ad; } }</style>
      \(panel("Loss against FLOPs, by size (the last was predicted: \(lawText))", sizes, law))
      <g transform="translate(\(number(Self.width)) 0)">\
      \(panel("by batch, \(byBatch.first.map(million) ?? "") parameters", batches, batchLaw))</g>
      </svg>

      """
  }

  private func panel(_ title: String, _ runs: [(run: ScalingStudy.Run, name: String)], _ law: PowerLaw?)
    -> HTML
  {
    let curves = runs.map { Self.smoothed($0.run) }
    let xs = LogarithmicAxis(curves.flatMap { $0.map(\.x) })
    let ys = LogarithmicAxis(curves.flatMap { $0.map(\.y) })
    func x(_ value: Double) -> Double { Self.left + xs.share(value) * (Self.width - Self.left - Self.right) }
    func y(_ value: Double) -> Double {
      Self.height - Self.bottom - ys.share(value) * (Self.height - Self.top - Self.bottom)
    }
    let rows = ys.ticks.map { tick -> HTML in
      """
      <line class="grid" x1="\(number(Self.left))" x2="\(number(Self.width - Self.right))" \
      y1="\(number(y(tick)))" y2="\(number(y(tick)))"/>\
      <text class="y" x="\(number(Self.left - 8))" y="\(number(y(tick)))">\(LogarithmicAxis.label(tick))</text>
      """
    }
    let columns = xs.ticks.map { tick -> HTML in
      """
      <text class="x" x="\(number(x(tick)))" y="\(number(Self.height - Self.bottom + 18))">\
      \(LogarithmicAxis.label(tick))</text>
      """
    }
    let lines = zip(runs, curves).enumerated().map { index, pair -> HTML in
      let color = Self.colors[index % Self.colors.count]
      let path = pair.1.enumerated().map { step, point in
        "\(step == 0 ? "M" : "L")\(number(x(point.x))) \(number(y(point.y)))"
      }.joined()
      let end = pair.0.run
      return """
        <path d="\(path)" stroke="\(color)"/>\
        <circle cx="\(number(x(end.flops)))" cy="\(number(y(end.loss)))" r="3.4" fill="\(color)"/>\
        <text x="\(number(Self.width - Self.right - 70))" y="\(number(Self.top + 14 + 16 * Double(index)))" \
        style="fill:\(color)">\(pair.0.name)</text>

        """
    }
    var line: HTML = ""
    if let law, let first = runs.map(\.run.flops).min(), let last = runs.map(\.run.flops).max() {
      line = """
        <path d="M\(number(x(first))) \(number(y(law(first))))L\(number(x(last))) \(number(y(law(last))))" \
        stroke="#6b6c72" stroke-dasharray="5 4"/>
        """
    }
    return """
      <text class="title" x="\(number(Self.left))" y="22">\(title)</text>\(rows)\(columns)\(lines)\(line)
      """
  }

  /// A run's losses against the compute spent so far, means of twentieths.
  private static func smoothed(_ run: ScalingStudy.Run) -> [(x: Double, y: Double)] {
    let size = max(1, run.losses.count / 20)
    return stride(from: 0, to: run.losses.count, by: size).map { start in
      let part = run.losses[start..<min(run.losses.count, start + size)]
      let middle = Double(start) + Double(part.count) / 2
      return (run.stepFlops * middle, part.reduce(0, +) / Double(part.count))
    }
  }

  private func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
