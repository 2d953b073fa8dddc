import ArgumentParser
import Foundation
import MessagePassing
import Reporting
import Safetensors

struct BenchmarkCommand: ParsableCommand {
  enum Part: String, CaseIterable, ExpressibleByArgument {
    case engine, sampling, training, transport, scaling, processes

    /// What is measured where nothing is named.
    static let usual: [Part] = [.engine, .sampling, .training, .transport]
  }

  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Measures how fast this machine dreams, trains and serves, and how far that is from its limit.",
    discussion: """
      engine: each kernel by itself. sampling: whole steps of a pool of worlds, from actions to pixels. \
      training: whole steps of the dynamics model. transport: a served world that does nothing. scaling: \
      cost against frames, tokens, worlds and parameters. processes: training steps of the processes that mpirun started \
      ('mpirun -n 2 genie benchmark processes --threads 1').

      Medians over repeated runs. Fractions are of what the processor can do at most in that precision, \
      measured in the same run; so is PyTorch, in turn with us. Leave the machine alone meanwhile.
      """)

  @Argument(
    help: """
      What to measure: \(Part.allCases.map(\.rawValue).joined(separator: ", ")); the first four if \
      nothing is named.
      """)
  var parts: [Part] = []

  @OptionGroup var options: BenchmarkOptions

  @OptionGroup var output: OutputOptions

  func run() throws {
    let baseline = try options.baseline.map { try TorchBaseline(python: $0) }
    var figures: [String: JSONValue] = [:]
    defer { MessagePassing.leave() }
    for part in parts.isEmpty ? Part.usual : parts {
      let result: BenchmarkPart? =
        switch part {
        case .engine: try EngineBenchmark(options, style: output.progressStyle).run()
        case .sampling: try SamplingBenchmark(options, baseline, style: output.progressStyle).run()
        case .training: try TrainingBenchmark(options, baseline, style: output.progressStyle).run()
        case .transport: try TransportBenchmark(options, style: output.progressStyle).run()
        case .scaling: try scaling()
        case .processes: try processes()
        }
      guard let result else { continue }
      print(result.text + "\n")
      figures[part.rawValue] = result.json
    }
    if !figures.isEmpty { try output.write(JSONReport(figures)) }
  }

  /// - Returns: nil on all processes but the first, which speaks for all.
  private func processes() throws -> BenchmarkPart? {
    guard let collective = try MessagePassing.join() else {
      throw ValidationError("'processes' needs several: mpirun -n 2 genie benchmark processes --threads 1")
    }
    let part = try ProcessesBenchmark(options, collective).run()
    return collective.rank == 0 ? part : nil
  }

  private func scaling() throws -> BenchmarkPart {
    let (part, plot) = try ScalingBenchmark(options, style: output.progressStyle).run()
    if let file = options.plot { try AtomicFile.write(Array(plot.svg.text.utf8), to: URL(filePath: file)) }
    return part
  }
}
