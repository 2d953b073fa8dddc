import Autograd
import Foundation
import NeuralNetwork
import Reporting
import WorldModel

/// A plan for people.
struct PlanTables {
  let plan: TrainingPlan
  let paper: PaperModel?
  let workers: Int
  let precision: Precision
  let optimizer: OptimizerConfiguration

  var text: String {
    [models.description, notes, memory.description, work.description, data.description].filter { !$0.isEmpty }
      .joined(separator: "\n\n")
  }

  private var models: Table {
    let c = plan.configuration
    var table = Table(["model", "layers", "heads", "width", "key size", "parameters", "the paper's"])
    let (t, l, d) = (c.tokenizer, c.latentActions, c.dynamics)
    func row(_ name: String, _ layers: String, _ heads: Int, _ width: Int, _ head: Int?, _ count: Int) {
      let paper = name == "dynamics" ? self.paper.map { Self.count($0.parameters) } ?? "" : ""
      table.append([
        name, layers, "\(heads)", "\(width)", "\(head ?? width / heads)", Self.count(Double(count)), paper,
      ])
    }
    row(
      "tokenizer", "\(t.encoderBlocks) + \(t.decoderBlocks)", t.heads, t.channels, t.headWidth,
      t.parameterCount)
    row(
      "latent actions", "\(l.encoderBlocks) + \(l.decoderBlocks)", l.heads, l.channels, l.headWidth,
      l.parameterCount)
    row("dynamics", "\(d.blocks)", d.heads, d.channels, d.headWidth, d.parameterCount)
    return table
  }

  private var notes: String {
    guard let paper else { return "" }
    let d = plan.configuration.dynamics
    let attention = 8 * Double((d.headWidth ?? 0) * d.heads) / Double(d.channels)
    return String(
      format: """
        A layer here has a spatial and a temporal attention and one feed-forward of four times the width: %.1f + 8 squares of \
        the width. The paper's count leaves %.1f a layer; layers, heads, width and key size are its table's.
        """, attention, paper.squaresPerLayer)
  }

  private var memory: Table {
    let c = plan.configuration
    var table = Table(["memory", ""])
    table.append([
      "training, one process of \(workers) workers",
      Self.bytes(Double(c.trainingBytes(time: plan.time, workers: workers, optimizer: optimizer))),
    ])
    table.append(["serving, once", Self.bytes(Double(c.servingBytes(precision: precision)))])
    table.append(["serving, each world", Self.bytes(Double(c.worldBytes(precision: precision)))])
    return table
  }

  private var work: Table {
    var table = Table(["training of the dynamics", ""])
    table.append(["steps", "\(plan.steps) of \(plan.batch) clips of \(plan.time) frames"])
    table.append(["FLOPs", String(format: "%.2e", plan.flops)])
    if let flops = paper?.flops { table.append(["FLOPs, the paper's", String(format: "%.2e", flops)]) }
    table.append(["hosts", "\(plan.hosts)"])
    table.append(["a step computes", Self.duration(plan.computeSeconds)])
    if plan.hosts > 1 {
      table.append(["a step waits for the network", Self.duration(plan.networkSeconds)])
      table.append(["sent by a host in a step", Self.bytes(plan.stepTraffic)])
      table.append(["efficiency", String(format: "%.1f%%", 100 * plan.efficiency)])
    }
    table.append(["time", Self.duration(plan.trainingSeconds)])
    table.append(["a frame of one world", Self.duration(frameSeconds)])
    return table
  }

  /// As if sampling reached the rate of training.
  private var frameSeconds: Double {
    plan.configuration.frameFlops(steps: plan.configuration.sampling.steps) / plan.rates.trainingFlops
  }

  private var data: Table {
    var table = Table(["\(Self.count(plan.dataHours)) hours of video", ""])
    table.append(["frames", Self.count(plan.frames)])
    table.append(["as clips", Self.bytes(plan.clipBytes)])
    table.append(["as tokens", Self.bytes(plan.tokenBytes)])
    if let seconds = plan.importSeconds { table.append(["import", Self.duration(seconds)]) }
    table.append(["turning them into tokens", Self.duration(plan.encodingSeconds)])
    table.append(["tokens read by a host, training", Self.bytes(plan.readingRate) + "/s"])
    table.append(["each frame is seen", String(format: "%.3g times", plan.epochs)])
    return table
  }

  /// The paper's sizes, one a row.
  static func ladder(_ plans: [(name: String, plan: TrainingPlan)]) -> Table {
    var table = Table([
      "preset", "layers", "heads", "width", "key size", "parameters", "paper's", "d2 a layer", "paper's",
      "FLOPs",
      "paper's", "time",
    ])
    for (name, plan) in plans {
      let (d, paper) = (plan.configuration.dynamics, PaperModel.named(name))
      let ours = Double(d.parameterCount - 2 * d.vocabulary * d.channels)
      table.append([
        name, "\(d.blocks)", "\(d.heads)", "\(d.channels)", "\(d.headWidth ?? d.channels / d.heads)",
        count(Double(d.parameterCount)), paper.map { count($0.parameters) } ?? "",
        String(format: "%.1f", ours / Double(d.blocks * d.channels * d.channels)),
        paper.map { String(format: "%.1f", $0.squaresPerLayer) } ?? "", String(format: "%.2e", plan.flops),
        paper?.flops.map { String(format: "%.2e", $0) } ?? "", duration(plan.trainingSeconds),
      ])
    }
    return table
  }

  private static func scaled(_ value: Double, _ units: [(Double, String)], least: String) -> String {
    for (size, unit) in units where value >= size { return String(format: "%.3g%@", value / size, unit) }
    return String(format: "%.3g%@", value, least)
  }

  static func count(_ value: Double) -> String {
    scaled(value, [(1e9, "B"), (1e6, "M"), (1e3, "k")], least: "")
  }

  static func bytes(_ value: Double) -> String {
    scaled(value, [(1e15, " PB"), (1e12, " TB"), (1e9, " GB"), (1e6, " MB"), (1e3, " kB")], least: " B")
  }

  static func duration(_ seconds: Double) -> String {
    scaled(
      seconds,
      [(365.25 * 86_400, " years"), (86_400, " days"), (3600, " h"), (60, " min"), (1, " s"), (1e-3, " ms")],
      least: " s")
  }
}
