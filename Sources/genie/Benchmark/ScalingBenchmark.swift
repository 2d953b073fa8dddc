import Autograd
import Foundation
import GeneratedWorlds
import NeuralNetwork
import Reporting
import WorldModel

/// Cost against frames, tokens, worlds and parameters, one at a time, around the tiny model.
struct ScalingBenchmark {
  private let options: BenchmarkOptions
  private let style: ProgressBar.Style
  private let workers: Workers

  init(_ options: BenchmarkOptions, style: ProgressBar.Style) {
    self.options = options
    self.style = style
    workers = options.workers
  }

  /// What one curve is measured from: at each place, one measurement.
  private struct Sweep {
    let panel: String
    let curve: String
    var places: [(x: Double, measure: () throws -> Double)] = []
  }

  func run() throws -> (BenchmarkPart, ScalingPlot) {
    let sweeps = try [
      frames(), ages(), encoder(.factorised), encoder(.full), tokens(.sampling), tokens(.training), worlds(),
      parameters(.sampling),
      parameters(.training),
    ]
    let places = sweeps.flatMap(\.places)
    let times = try Stopwatch.interleaved(
      "scaling", repeats: options.repeats, style: style, places.map(\.measure)
    ).map(Stopwatch.median)
    var rest = times[...]
    let curves = sweeps.map { sweep in
      let points = zip(sweep.places, rest).map { (x: $0.x, seconds: $1) }
      rest = rest.dropFirst(points.count)
      return ScalingPlot.Curve(panel: sweep.panel, name: sweep.curve, points: points)
    }
    var part = BenchmarkPart(
      name: "scaling",
      configuration: [
        "threads": .integer(workers.count), "precision": .string(options.precision.rawValue),
        "repeats": .integer(options.repeats),
      ])
    var table = Table(["cost of", "against", "from", "to", "ms", "to ms", "exponent"])
    for curve in curves {
      let (first, last) = (curve.points.first!, curve.points.last!)
      table.append([
        curve.name, curve.panel, BenchmarkPart.number(first.x), BenchmarkPart.number(last.x),
        BenchmarkPart.number(first.seconds * 1e3), BenchmarkPart.number(last.seconds * 1e3),
        curve.exponentText,
      ])
    }
    part.tables = [
      ("cost = constant * size ^ exponent, fitted", table), ("memory of a pass of the encoder, MB", memory()),
    ]
    part.details["curves"] = .array(curves.map(\.json))
    return (part, ScalingPlot(curves: curves))
  }

  private enum Work: String { case sampling = "a frame", training = "a training step" }

  /// A training step against the length of its clips, the window the same.
  private func frames() throws -> Sweep {
    var sweep = Sweep(panel: "frames", curve: Work.training.rawValue)
    for time in [8, 16, 32, 64, 128] {
      sweep.places.append((Double(time), training(BenchmarkModel.configuration(), time: time)))
    }
    return sweep
  }

  private static let encoderFrames = [2, 4, 8, 16, 32]

  /// A pass of a video encoder against the length of its clip, all of which it sees: linear or quadratic (Genie, section 3.3).
  private func encoder(_ attention: AttentionKind) -> Sweep {
    var sweep = Sweep(panel: "frames that an encoder sees", curve: Self.name(attention))
    for frames in Self.encoderFrames {
      let pass = EncoderPass(attention, frames: frames)
      for _ in 0..<2 { pass.run() }
      sweep.places.append((Double(frames), { Stopwatch.secondsPerCall(over: 0.1) { pass.run() } }))
    }
    return sweep
  }

  private func memory() -> Table {
    var table = Table(["attention"] + Self.encoderFrames.map { "\($0) frames" })
    for attention in AttentionKind.allCases {
      table.append(
        [Self.name(attention)]
          + Self.encoderFrames.map {
            BenchmarkPart.number(Double(EncoderPass(attention, frames: $0).run()) / 1e6)
          })
    }
    return table
  }

  private static func name(_ attention: AttentionKind) -> String {
    switch attention {
    case .factorised: "space, then time"
    case .full: "all tokens at once"
    }
  }

  /// A frame against how many the world has lived through.
  private func ages() throws -> Sweep {
    var sweep = Sweep(panel: "frames", curve: Work.sampling.rawValue)
    for age in [8, 16, 32, 64, 128] {
      var dreams = try dreams(BenchmarkModel.configuration())
      for _ in 0..<age { try dreams.step() }
      sweep.places.append((Double(age), { try Stopwatch.seconds { try dreams.step() } }))
    }
    return sweep
  }

  /// A frame or a training step against the tokens of a frame.
  private func tokens(_ work: Work) throws -> Sweep {
    var sweep = Sweep(panel: "tokens", curve: work.rawValue)
    for grid in [4, 6, 8, 12, 16] {
      let configuration = BenchmarkModel.configuration(grid: grid)
      sweep.places.append((Double(grid * grid), try measurement(work, configuration)))
    }
    return sweep
  }

  /// A frame of every world against the number of worlds.
  private func worlds() throws -> Sweep {
    var sweep = Sweep(panel: "worlds", curve: Work.sampling.rawValue)
    for count in [1, 2, 4, 8, 16, 32] {
      sweep.places.append((Double(count), try sampling(BenchmarkModel.configuration(), worlds: count)))
    }
    return sweep
  }

  /// A frame or a training step against the parameters of the dynamics model.
  private func parameters(_ work: Work) throws -> Sweep {
    var sweep = Sweep(panel: "parameters", curve: work.rawValue)
    for channels in [64, 128, 192, 256, 384] {
      let configuration = BenchmarkModel.configuration(channels: channels)
      let model = Dynamics(configuration.dynamics, seed: 0)
      let count = model.parameters.all.reduce(0) { $0 + $1.shape.count }
      sweep.places.append((Double(count), try measurement(work, configuration)))
    }
    return sweep
  }

  private func measurement(_ work: Work, _ configuration: GenieConfiguration) throws -> () throws -> Double {
    switch work {
    case .sampling: try sampling(configuration, worlds: workers.count)
    case .training: training(configuration, time: 16)
    }
  }

  private func sampling(
    _ configuration: GenieConfiguration, worlds: Int
  ) throws -> () throws -> Double {
    var dreams = try dreams(configuration, worlds: worlds)
    return { try Stopwatch.secondsPerCall(over: 0.1) { try dreams.step() } }
  }

  private func dreams(_ configuration: GenieConfiguration, worlds: Int? = nil) throws -> PlayedWorlds {
    try PlayedWorlds(
      World(untrained: configuration), count: worlds ?? workers.count, sampling: configuration.sampling,
      workers: workers, precision: options.precision)
  }

  /// One clip for each thread.
  private func training(_ configuration: GenieConfiguration, time: Int) -> () throws -> Double {
    let benchmark = DynamicsBenchmark(
      configuration.dynamics, clips: workers.count, time: time, workers: workers,
      precision: options.precision)
    // The first step finds out how much memory it takes, the second touches it.
    for _ in 0..<2 { benchmark.step() }
    return { Stopwatch.secondsPerCall(over: 0.1) { benchmark.step() } }
  }
}
