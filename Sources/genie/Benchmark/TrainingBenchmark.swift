import Autograd
import Reporting
import WorldModel

/// Whole training steps of the dynamics model: forward, backward, update.
struct TrainingBenchmark {
  private let options: BenchmarkOptions
  private let baseline: TorchBaseline?
  private let style: ProgressBar.Style
  private let dynamics: DynamicsConfiguration
  private let workers: Workers
  private let clips: Int

  init(_ options: BenchmarkOptions, _ baseline: TorchBaseline?, style: ProgressBar.Style) throws {
    self.options = options
    self.baseline = baseline
    self.style = style
    dynamics = try options.model.configuration().dynamics
    workers = options.workers
    clips = options.clips ?? options.model.clips
  }

  func run() throws -> BenchmarkPart {
    var part = BenchmarkPart(
      name: "training",
      configuration: [
        "model": .string(options.model.rawValue), "clips": .integer(clips), "frames": .integer(options.time),
        "tokens": .integer(dynamics.tokens), "threads": .integer(workers.count),
        "precision": .string(options.precision.rawValue), "repeats": .integer(options.repeats),
      ])
    ProcessMemory.forgetPeak()
    let ours = benchmark(workers)
    ours.step()
    ours.step()
    let memory = ProcessMemory.peak
    part.configuration["parameters"] = .integer(ours.parameterCount)

    let peak = PeakRate(workers: workers, precision: options.precision)
    let request = TorchBaseline.Request(training: clips, time: options.time, dynamics)
    let others =
      baseline?.contestants(request, threads: workers.count, precision: options.precision) ?? []
    let alone = workers.count > 1 ? benchmark(Workers(count: 1)) : nil
    let times = try Stopwatch.interleaved(
      "training", repeats: options.repeats, style: style,
      [
        { peak.measure() },
        { Stopwatch.secondsPerCall(over: 0.3) { ours.step() } },
        { alone.map { one in Stopwatch.secondsPerCall(over: 0.3) { one.step() } } ?? 0 },
      ] + others
    ).map(Stopwatch.median)
    let tokens = Double(ours.tokensPerStep)
    part.append("tokens_per_second", tokens / times[1], "tokens/s")
    part.append("milliseconds", times[1] * 1e3, "ms a step")
    part.append(flops: ours.flopsPerStep / times[1], peak: peak)
    if alone != nil {
      part.append("ratio_to_one_thread", times[2] / times[1], "times one thread of ours")
    }
    if let fastest = times.dropFirst(3).min() {
      part.append("torch_tokens_per_second", tokens / fastest, "tokens/s")
      part.append("ratio_to_torch", fastest / times[1], "times PyTorch")
      part.configuration["torch"] = .string(baseline?.version ?? "")
    }
    if let memory { part.append("peak_memory_megabytes", memory * 1e-6, "MB of the process") }
    if options.profile { part.append(profile(ours)) }
    return part
  }

  private func benchmark(_ workers: Workers) -> DynamicsBenchmark {
    DynamicsBenchmark(
      dynamics, clips: clips, time: options.time, workers: workers, precision: options.precision)
  }

  private func profile(_ benchmark: DynamicsBenchmark) -> ProfileTable {
    let steps = 4
    let profiles = (0..<steps).flatMap { _ in benchmark.profiledStep() }
    return ProfileTable("a training step, all threads together", profiles, steps: steps)
  }
}
