import ArgumentParser
import Conformance
import Foundation
import Reporting

extension Chaos.Trial: ExpressibleByArgument {}

struct ChaosCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chaos",
    abstract: "Puts the server and its clients through faults, and prints what came of it.",
    discussion: """
      Steps through a proxy that loses, doubles, reorders and cuts; servers that are killed and frozen; mutated
      messages; clients that do not read; wrong keys; thousands of sessions. Exit code 1 where a figure is not met.
      --scale 1 is the full length (hours); the default takes some minutes.
      """)

  @Argument(
    help: ArgumentHelp(
      "Trials: \(Chaos.Trial.allCases.map(\.rawValue).joined(separator: ", ")); all of them if none is named.",
      valueName: "trial"))
  var trials: [Chaos.Trial] = []

  @Option(help: "How much of the full length, above 0.")
  var scale = 0.01

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard scale > 0, scale <= 100 else { throw ValidationError("--scale is above 0.") }
  }

  func run() throws {
    let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    var chaos = try Chaos(scale: scale, genie: program)
    defer { chaos.removeFiles() }
    var table = Table(["check", "demanded", "measured", ""])
    var figures: [String: JSONValue] = [:]
    var failed = false
    for trial in trials.isEmpty ? Chaos.Trial.allCases : trials {
      let bar = ProgressBar(trial.rawValue, total: 1_000, style: output.progressStyle)
      chaos.progress = { _, done, total in
        bar.update(to: min(1_000, 1_000 * done / max(1, total)), figures: [:])
      }
      let row = try chaos.run(trial)
      bar.finish()
      table.append([row.check, row.demanded, row.measured, row.passed ? "met" : "NOT MET"])
      figures[trial.rawValue] = .object(
        row.figures.mapValues { .number($0) }.merging(["passed": .bool(row.passed)]) { $1 })
      failed = failed || !row.passed
    }
    print(table)
    try output.write(JSONReport(figures))
    if failed { throw ExitCode.failure }
  }
}
