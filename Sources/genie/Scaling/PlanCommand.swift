import ArgumentParser
import Autograd
import Foundation
import NeuralNetwork
import Reporting
import WorldModel

struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan",
    abstract: "Tells what training a preset takes: parameters, memory, work, time, traffic and data.",
    discussion: """
      Nothing is trained, so that models can be planned that this machine could not hold. Time follows from the rate at which \
      this machine trains, measured for a few seconds (or --gflops), and the rate at which it imports video (or \
      --import-rate). Beside the paper's presets stands what the paper says. Without a preset, all sizes of the paper.
      """)

  @Argument(
    help: "The size of the models: \(GenieConfiguration.presets.keys.sorted().joined(separator: ", ")).")
  var preset: String?

  @Option(help: "Hours of video.")
  var dataHours = 200_000.0

  @Option(help: "Frames a second of the video, as it is trained on.")
  var fps = 10.0

  @Option(help: "Machines like this one.")
  var hosts = 1

  @Option(help: ArgumentHelp("What connects them.", valueName: "Gbit/s"))
  var network = 10.0

  @Option(help: ArgumentHelp("How long a message takes between them.", valueName: "microseconds"))
  var latency = 50.0

  @Option(help: "Clips of a step; the paper's, or 256.")
  var batch: Int?

  @Option(help: "Frames of a clip.")
  var time = PaperModel.time

  @Option(help: "Steps; the paper's, or 200000.")
  var steps: Int?

  @Option(help: "Threads of a machine; 0 takes one for each processor.")
  var workers = 0

  @Option(
    help: ArgumentHelp("Rate of one machine in training; measured if none is given.", valueName: "GFLOP/s"))
  var gflops: Double?

  @Option(
    help: ArgumentHelp("Rate of one machine's import; measured if none is given.", valueName: "frames/s"))
  var importRate: Double?

  @OptionGroup var precision: PrecisionOptions
  @OptionGroup var settings: SettingOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard preset.map({ GenieConfiguration.presets[$0] != nil }) ?? true else {
      let known = GenieConfiguration.presets.keys.sorted().joined(separator: ", ")
      throw ValidationError("No preset '\(preset!)'; there are: \(known).")
    }
    for (name, value) in [
      ("data-hours", dataHours), ("fps", fps), ("network", network), ("gflops", gflops ?? 1),
      ("import-rate", importRate ?? 1),
    ] where !(value > 0 && value < 1e12) { throw ValidationError("--\(name) is more than 0.") }
    guard settings.settings.allSatisfy({ $0.hasPrefix("model.") }) else {
      throw ValidationError("--set changes the model here: model.NAME=VALUE.")
    }
    guard latency >= 0, latency < 1e9 else { throw ValidationError("--latency is not negative.") }
    for (name, value, range) in [
      ("hosts", hosts, 1...1_000_000), ("batch", batch ?? 1, 1...1_000_000), ("time", time, 2...4096),
      ("steps", steps ?? 1, 1...1_000_000_000), ("workers", workers, 0...1024),
    ] where !range.contains(value) {
      throw ValidationError("--\(name) is \(range.lowerBound) to \(range.upperBound).")
    }
  }

  func run() throws {
    let probe = RateProbe(workers: workers, precision: precision.precision, style: output.progressStyle)
    let rates = MachineRates(
      trainingFlops: gflops.map { $0 * 1e9 } ?? probe.trainingFlops(),
      importFrames: try importRate ?? probe.importFrames())
    print(
      String(
        format: "one machine: %.0f GFLOP/s in training%@, %@%@", rates.trainingFlops / 1e9,
        gflops == nil ? ", measured" : "",
        rates.importFrames.map { String(format: "%.0f frames/s imported", $0) }
          ?? "no ffmpeg to measure import",
        importRate == nil && rates.importFrames != nil ? ", measured" : ""))
    guard let preset else {
      let names = PaperModel.ladder.map(\.preset)
      let plans = try names.map { try planned($0, rates) }
      print(PlanTables.ladder(zip(names, plans).map { ($0, $1) }))
      return try output.write(
        JSONReport(
          ["plan": .object(Dictionary(zip(names, plans).map { ($0, json($1, name: $0)) }) { $1 })]))
    }
    let plan = try planned(preset, rates)
    let optimizer = TrainingConfiguration().dynamics.optimizer
    let threads = workers > 0 ? workers : ProcessInfo.processInfo.activeProcessorCount
    print(
      PlanTables(
        plan: plan, paper: PaperModel.named(preset), workers: threads, precision: precision.precision,
        optimizer: optimizer
      ).text)
    try output.write(JSONReport(["plan": json(plan, name: preset)]))
  }

  private func planned(_ preset: String, _ rates: MachineRates) throws -> TrainingPlan {
    let paper = PaperModel.named(preset)
    let model = try settings.applied(to: GenieConfiguration.presets[preset]!, named: "model")
    if let problem = model.problem { throw GenieError.badConfiguration(problem) }
    return TrainingPlan(
      model,
      batch: batch ?? paper?.batch ?? 256, time: time, steps: steps ?? paper?.steps ?? 200_000, hosts: hosts,
      rates: rates,
      network: Network(bytesPerSecond: network * 1e9 / 8, latencySeconds: latency * 1e-6),
      dataHours: dataHours, framesPerSecond: fps)
  }

  private func json(_ plan: TrainingPlan, name: String) -> JSONValue {
    let paper = PaperModel.named(name)
    return [
      "dynamics_parameters": .integer(plan.configuration.dynamics.parameterCount),
      "tokenizer_parameters": .integer(plan.configuration.tokenizer.parameterCount),
      "latent_action_parameters": .integer(plan.configuration.latentActions.parameterCount),
      "paper_parameters": paper.map { .number($0.parameters) } ?? .null, "flops": .number(plan.flops),
      "paper_flops": paper?.flops.map { .number($0) } ?? .null,
      "training_seconds": .number(plan.trainingSeconds), "efficiency": .number(plan.efficiency),
      "step_traffic_bytes": .number(plan.stepTraffic), "clip_bytes": .number(plan.clipBytes),
      "token_bytes": .number(plan.tokenBytes),
      "import_seconds": plan.importSeconds.map { .number($0) } ?? .null,
      "encoding_seconds": .number(plan.encodingSeconds), "reading_rate": .number(plan.readingRate),
    ]
  }
}
