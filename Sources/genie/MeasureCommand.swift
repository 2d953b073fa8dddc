import ArgumentParser
import Autograd
import Foundation
import GeneratedWorlds
import Reporting
import Video

/// The world that a command works on.
struct WorldOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("A world's folder; the bundled world if none is named.", valueName: "world"))
  var world: String?

  func load() throws -> World {
    try world.map { try World(URL(filePath: $0)) } ?? World.bundled()
  }
}

struct MeasureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "measure",
    abstract: "Measures a world on clips that it was not trained on.",
    discussion: """
      Dreams are sampled with the settings that are served. delta_psnr_t4 is what the inferred actions gain over \
      random ones at the fourth dreamt frame: how far the actions are in control.
      """)

  @OptionGroup var world: WorldOptions

  @Option(help: ArgumentHelp("Clips to measure on: held-out video of the same kind.", valueName: "clips"))
  var clips: String

  @Option(help: ArgumentHelp("Windows to measure on.", valueName: "windows"))
  var count = 512

  @Option(help: ArgumentHelp("Also draw contact sheets into this folder.", valueName: "folder"))
  var sheets: String?

  @Option(help: "Threads; 0 takes one for each processor.")
  var workers = 0

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (1...100_000).contains(count) else { throw ValidationError("--count is 1 to 100000.") }
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
  }

  func run() throws {
    let loaded = try world.load()
    let folder = try ClipFolder(URL(filePath: clips))
    let threads = Workers(count: workers)
    let bar = ProgressBar("measure", total: count, unit: "clips", style: output.progressStyle)
    let measured = try WorldMeasurement(loaded, folder: folder, count: count, workers: threads) { done, _ in
      bar.update(to: done)
    }
    bar.finish()
    func decimal(_ value: Double) -> String { String(format: "%.2f", value) }
    var table = Table(["figure", "value"])
    table.append(["tokenizer PSNR", decimal(measured.tokenizerPSNR) + " dB"])
    table.append(["codes used", "\(measured.codesUsed)"])
    table.append(["token accuracy", decimal(measured.accuracy.all)])
    table.append(["changed-token accuracy", decimal(measured.accuracy.changed)])
    table.append(["action usage", measured.actionUsage.map(decimal).joined(separator: " ")])
    table.append(["rollout PSNR, t = 1...8", measured.rolloutPSNR.map(decimal).joined(separator: " ")])
    table.append(["with random actions", measured.randomPSNR.map(decimal).joined(separator: " ")])
    let delta = measured.deltaPSNR
    table.append([
      "delta PSNR, t = 4", "\(decimal(delta.mean)) dB (95%: \(decimal(delta.low)) to \(decimal(delta.high)))",
    ])
    print(table)
    if let sheets {
      var drawn = try Sheets(loaded, folder: folder, workers: threads)
      _ = try drawn.write(to: URL(filePath: sheets))
    }
    try output.write(measured.report)
  }
}
