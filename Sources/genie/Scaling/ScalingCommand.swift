import ArgumentParser
import Autograd
import Foundation
import GeneratedWorlds
import Reporting
import Safetensors
import Video
import WorldModel

struct ScalingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract:
      "Trains dynamics models of several sizes on the same video, and tells how loss falls with compute.",
    discussion: """
      Every size and every batch is trained for the same number of steps. A power of the compute is fitted to the last losses; \
      what it predicts for the next size is written down before that size is trained, and compared with what comes of it. \
      Trainings that OUT holds already are not repeated; it takes those of one data set and one tokenizer.
      """)

  @Option(help: ArgumentHelp("The clips to learn from.", valueName: "clips"))
  var clips: String

  @Option(
    help: ArgumentHelp(
      "The world whose tokenizer and latent actions are used; the bundled world if none is named.",
      valueName: "world"))
  var tokensOf: String?

  @Option(help: ArgumentHelp("A folder for the figures and the plot.", valueName: "folder"))
  var out: String

  @Option(
    help: ArgumentHelp(
      "Sizes as CHANNELSxBLOCKSxHEADS, from small to large; the last is the one that is predicted.",
      valueName: "sizes"))
  var sizes = "48x2x4,80x3x4,128x4x4,192x5x6,240x6x6,320x7x8"

  @Option(
    help: ArgumentHelp(
      "Clips of a step; the first for all sizes, all of them for the middle size.", valueName: "clips"))
  var batches = "8,4,16"

  @Option(help: "Steps of each training.")
  var steps = 200

  @Option(help: ArgumentHelp("Frames of a clip.", valueName: "frames"))
  var time = 10

  @Option(help: "Determines initial values, batches and masks.")
  var seed: UInt64 = 1

  @Option(help: "Threads; 0 takes one for each processor.")
  var workers = 0

  @OptionGroup var output: OutputOptions

  private struct Size {
    var channels: Int
    var blocks: Int
    var heads: Int
  }

  private func parsedSizes() throws -> [Size] {
    try sizes.split(separator: ",").map { text in
      let numbers = text.split(separator: "x").compactMap { Int($0) }
      guard numbers.count == 3, numbers.allSatisfy({ (1...8192).contains($0) }), numbers[0] % numbers[2] == 0
      else { throw ValidationError("--sizes: '\(text)' is no size such as 128x4x4.") }
      return Size(channels: numbers[0], blocks: numbers[1], heads: numbers[2])
    }
  }

  private func parsedBatches() throws -> [Int] {
    let numbers = batches.split(separator: ",").compactMap { Int($0) }
    guard !numbers.isEmpty, numbers.allSatisfy({ (1...4096).contains($0) }) else {
      throw ValidationError("--batches is a list of numbers such as 8,4,16.")
    }
    return numbers
  }

  func validate() throws {
    guard try parsedSizes().count >= 3 else { throw ValidationError("--sizes names three sizes at least.") }
    _ = try parsedBatches()
    guard (10...1_000_000).contains(steps) else { throw ValidationError("--steps is 10 to 1000000.") }
    guard (2...1024).contains(time) else { throw ValidationError("--time is 2 to 1024.") }
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
  }

  func run() throws {
    let folder = URL(filePath: out)
    let threads = Workers(count: workers)
    let world = try World.named(tokensOf)
    let data = try ClipFolder(URL(filePath: clips))
    try world.check(data)
    try KeptSettings.check(["clips": data.fingerprint, "tokens of": world.identity], in: folder)
    let bar = ProgressBar("encoding", total: data.frameCount, unit: "frames", style: output.progressStyle)
    nonisolated(unsafe) let shown = bar
    let study = try ScalingStudy(
      world.genie, clips: data, folder: folder.appending(path: "tokens"), time: time, seed: seed,
      workers: threads
    ) { shown.update(to: $0) }
    bar.finish()
    let (sizes, batches) = (try parsedSizes(), try parsedBatches())
    let middle = sizes[(sizes.count - 1) / 2]
    func run(_ size: Size, batch: Int) throws -> ScalingStudy.Run {
      try train(study, size, batch: batch, folder: folder)
    }
    let fitted = try sizes.dropLast().map { try run($0, batch: batches[0]) }
    let byBatch = try batches.map { try run(middle, batch: $0) }.sorted { $0.batch < $1.batch }
    let law = PowerLaw(fitting: fitted.map { ($0.flops, $0.loss) })
    let last = sizes.last!
    // Told before it is trained.
    let next = study.dynamics(channels: last.channels, blocks: last.blocks, heads: last.heads)
    print(
      String(
        format: "loss = %.3g * FLOPs ^ %.4f over %d sizes (R2 %.3f); the next, of %.1fM, is to reach %.3f",
        law.constant, law.exponent, fitted.count, law.determination, Double(next.parameterCount) / 1e6,
        law(study.stepFlops(next, batch: batches[0]) * Double(steps))))
    let predicted = try run(last, batch: batches[0])
    let figures = ScalingFigures(bySize: fitted, byBatch: byBatch, predicted: predicted)
    print(figures.table)
    print(figures.summary)
    let plot = folder.appending(path: "scaling.svg")
    try AtomicFile.write(Array(figures.svg.text.utf8), to: plot)
    print("plot: \(plot.path)")
    try output.write(JSONReport(["scaling": figures.json]))
  }

  /// One training, or what is left of an earlier one like it.
  private func train(
    _ study: ScalingStudy, _ size: Size, batch: Int, folder: URL
  ) throws -> ScalingStudy.Run {
    let name =
      "\(size.channels)x\(size.blocks)x\(size.heads)-batch\(batch)-steps\(steps)-time\(time)-seed\(seed)"
    let file = folder.appending(path: name + ".json")
    if let data = try? Data(contentsOf: file),
      let run = try? JSONDecoder().decode(ScalingStudy.Run.self, from: data)
    {
      return run
    }
    let bar = ProgressBar(
      "\(size.channels)x\(size.blocks), batch \(batch)", total: steps, unit: "steps",
      style: output.progressStyle)
    let run = try study.train(
      study.dynamics(channels: size.channels, blocks: size.blocks, heads: size.heads), batch: batch,
      steps: steps
    ) { bar.update(to: $0, figures: ["loss": $1]) }
    bar.finish()
    try AtomicFile.write(try JSONEncoder().encode(run), to: file)
    return run
  }
}
