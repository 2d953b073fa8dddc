import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import Reporting
import WorldModel

struct BenchmarkCommand: ParsableCommand {
  enum Part: String, CaseIterable, ExpressibleByArgument { case sampling, training, transport }

  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Measures how fast this machine dreams, trains and serves.",
    discussion: "Medians over repeated runs. Leave the machine alone meanwhile.")

  @Argument(
    help:
      "What to measure: \(Part.allCases.map(\.rawValue).joined(separator: ", ")); all of them if none is named."
  )
  var parts: [Part] = []

  @Option(
    help: "The size of the models: \(GenieConfiguration.presets.keys.sorted().joined(separator: ", ")).")
  var preset = "tiny"

  @Option(help: "Worlds that are dreamt at once.")
  var worlds = 32

  @Option(help: "Threads; 0 takes one for each processor.")
  var workers = 0

  @Option(help: "Repetitions of each measurement.")
  var runs = 5

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard GenieConfiguration.presets[preset] != nil else { throw ValidationError("No preset '\(preset)'.") }
    guard (1...1024).contains(worlds) else { throw ValidationError("--worlds is 1 to 1024.") }
    guard (1...100).contains(runs) else { throw ValidationError("--runs is 1 to 100.") }
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
  }

  func run() throws {
    var figures: [String: JSONValue] = [:]
    var table = Table(["measurement", "median", "unit"])
    for part in parts.isEmpty ? Part.allCases : parts {
      let results: [(name: String, value: Double, unit: String)] =
        switch part {
        case .sampling: try sampling()
        case .training: training()
        case .transport: try TransportBenchmark(runs: runs).results()
        }
      for result in results {
        let digits = result.value < 10 ? "%.2f" : "%.0f"
        table.append(["\(part.rawValue).\(result.name)", String(format: digits, result.value), result.unit])
      }
      figures[part.rawValue] = .object(
        Dictionary(uniqueKeysWithValues: results.map { ($0.name, .number($0.value)) }).merging([
          "preset": .string(preset), "worlds": .integer(worlds),
          "threads": .integer(Workers(count: workers).count),
        ]) { $1 })
    }
    print(table)
    try output.write(JSONReport(figures))
  }

  private func sampling() throws -> [(name: String, value: Double, unit: String)] {
    let configuration = GenieConfiguration.presets[preset]!
    let t = configuration.tokenizer
    let levels = FrameBatch(
      clips: 1, time: 1, height: t.height, width: t.width,
      bytes: [UInt8](repeating: 90, count: t.height * t.width * 3))
    let world = World(
      genie: try Genie(configuration, seed: 0), rewards: nil, levels: levels,
      manifest: WorldManifest(name: "benchmark", sampling: configuration.sampling))
    var results: [(name: String, value: Double, unit: String)] = []
    for count in Set([1, worlds]).sorted() {
      var pool = GeneratedWorldPool(world, workers: Workers(count: workers))
      var slots: [Slot] = []
      for _ in 0..<count { slots.append(try pool.open(OpenOptions(horizon: 1 << 30))) }
      var batch = pool.makeBatch()
      try pool.reset(slots, slots.map { _ in ResetOptions(seed: 0) }, into: &batch)
      let actions = [Int32](repeating: 0, count: count)
      let steps = max(2, 64 / count)
      let seconds = try median { for _ in 0..<steps { try pool.step(slots, actions, into: &batch) } }
      let name = count == 1 ? "frames_per_second_one_world" : "frames_per_second"
      results.append((name, Double(steps * count) / seconds, "frames/s, \(count) worlds"))
    }
    return results
  }

  private func training() -> [(name: String, value: Double, unit: String)] {
    let benchmark = DynamicsBenchmark(
      GenieConfiguration.presets[preset]!.dynamics, clips: 4, time: 8, workers: Workers(count: workers))
    let seconds = median { for _ in 0..<4 { benchmark.step() } } / 4
    let tokens = Double(benchmark.tokensPerStep) / seconds
    return [
      ("tokens_per_second", tokens, "tokens/s"),
      ("gflops", 3 * tokens * benchmark.flopsPerToken * 1e-9, "GFLOP/s of the model"),
    ]
  }

  /// Seconds that `body` takes, the median of some runs after one to warm up.
  private func median(_ body: () throws -> Void) rethrows -> Double {
    try body()
    let times = try (0..<runs).map { _ in
      let start = ContinuousClock.now
      try body()
      let duration = ContinuousClock.now - start
      return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
    return times.sorted()[times.count / 2]
  }
}
