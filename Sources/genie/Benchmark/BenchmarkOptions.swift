import ArgumentParser
import Autograd
import Reporting

/// What is measured, and how often.
struct BenchmarkOptions: ParsableArguments {
  @Option(help: "The models: \(BenchmarkModel.allCases.map(\.rawValue).joined(separator: ", ")).")
  var model = BenchmarkModel.tiny

  @Option(help: "MaskGIT steps of a frame; if none are given, 25 for S, a world's own, 4 for others.")
  var steps: Int?

  @Option(help: "Worlds that are dreamt at once.")
  var worlds = 32

  @Option(help: "Frames of one long dream, to see whether frames become dearer; 0 leaves it out.")
  var frames = 0

  @Option(help: "Clips of a training step; 4 for S-256, 8 for the others if none are given.")
  var clips: Int?

  @Option(help: "Frames of a training clip.")
  var time = 16

  @Option(help: "Threads; 0 takes one for each processor.")
  var threads = 0

  @OptionGroup var precisionOptions: PrecisionOptions
  var precision: Precision { precisionOptions.precision }

  @Option(help: "Repetitions of each measurement; the median counts.")
  var repeats = 5

  @Option(
    help: ArgumentHelp(
      "Measure PyTorch in the same run: a Python that has torch. Only for sampling and training.",
      valueName: "python"))
  var baseline: String?

  @Flag(help: "Also tell where the time of a frame and of a training step goes, by operation.")
  var profile = false

  @Option(help: ArgumentHelp("Where 'scaling' draws its plot, an SVG.", valueName: "file"))
  var plot: String?

  func validate() throws {
    for (name, value, range) in [
      ("steps", steps ?? 1, 1...256), ("worlds", worlds, 1...1024), ("frames", frames, 0...1_000_000),
      ("clips", clips ?? 1, 1...1024), ("time", time, 2...1024), ("threads", threads, 0...256),
      ("repeats", repeats, 1...100),
    ] where !range.contains(value) {
      throw ValidationError("--\(name) is \(range.lowerBound) to \(range.upperBound).")
    }
  }

  var workers: Workers { Workers(count: threads) }
}
