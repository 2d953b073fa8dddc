import Autograd
import Environments
import GeneratedWorlds
import NeuralNetwork
import Reporting
import WorldModel

/// Whole steps of a pool of worlds: from actions to pixels, the window full.
struct SamplingBenchmark {
  private let options: BenchmarkOptions
  private let baseline: TorchBaseline?
  private let style: ProgressBar.Style
  private let world: World
  private let sampling: SamplingConfiguration
  private let workers: Workers

  init(_ options: BenchmarkOptions, _ baseline: TorchBaseline?, style: ProgressBar.Style) throws {
    self.options = options
    self.baseline = baseline
    self.style = style
    world = try options.model.world()
    var sampling = world.manifest.sampling
    sampling.steps = options.steps ?? (options.model == .bundled ? sampling.steps : options.model.steps)
    self.sampling = sampling
    workers = options.workers
  }

  private var dynamics: DynamicsConfiguration { world.genie.configuration.dynamics }

  func run() throws -> BenchmarkPart {
    var part = BenchmarkPart(
      name: "sampling",
      configuration: [
        "model": .string(options.model.rawValue), "worlds": .integer(options.worlds),
        "steps": .integer(sampling.steps), "threads": .integer(workers.count),
        "precision": .string(options.precision.rawValue), "tokens": .integer(dynamics.tokens),
        "window": .integer(dynamics.window), "repeats": .integer(options.repeats),
      ])
    var dreams = try played(options.worlds)
    let peak = PeakRate(workers: workers, precision: options.precision)
    let request = TorchBaseline.Request(sampling: options.worlds, steps: sampling.steps, dynamics)
    let others =
      baseline?.contestants(request, threads: workers.count, precision: options.precision) ?? []
    let times = try Stopwatch.interleaved(
      "sampling", repeats: options.repeats, style: style,
      [
        { peak.measure() },
        { try Stopwatch.secondsPerCall(over: 0.3) { try dreams.step() } },
      ] + others
    ).map(Stopwatch.median)
    part.append("frames_per_second", Double(options.worlds) / times[1], "frames/s of all worlds")
    part.append("milliseconds", times[1] * 1e3, "ms for a frame of every world")
    // With pilots a frame takes as many passes as it needs.
    let flops = sampling.pilots > 0 ? nil : world.genie.configuration.frameFlops(steps: sampling.steps)
    part.append(flops: flops.map { $0 * Double(options.worlds) / times[1] }, peak: peak)
    if let fastest = times.dropFirst(2).min() {
      part.append("torch_cached_frames_per_second", Double(options.worlds) / fastest, "frames/s")
      part.append("ratio_to_torch_cached", fastest / times[1], "times PyTorch, cached")
      part.configuration["torch"] = .string(baseline?.version ?? "")
    }
    let bytes = Double(WorldState(world.genie, precision: options.precision).byteCount)
    part.append("world_megabytes", bytes * 1e-6, "MB a world")
    if options.frames > 0 {
      let (early, late) = try longDream()
      part.append("first_quarter_milliseconds", early * 1e3, "ms a frame, one world")
      part.append("last_quarter_milliseconds", late * 1e3, "ms a frame")
      part.append("last_to_first_quarter", late / early, "of \(options.frames) frames")
    }
    if options.profile { part.append(try profile()) }
    return part
  }

  private func played(_ count: Int) throws -> PlayedWorlds {
    try PlayedWorlds(
      world, count: count, sampling: sampling, workers: workers, precision: options.precision)
  }

  /// Medians of the seconds a frame in the first and the last quarter of a world's life.
  private func longDream() throws -> (first: Double, last: Double) {
    var dreams = try played(1)
    let bar = ProgressBar("one long dream", total: options.frames, unit: "frames", style: style)
    var times: [Double] = []
    for frame in 1...options.frames {
      times.append(try Stopwatch.seconds { try dreams.step() })
      bar.update(to: frame)
    }
    bar.finish()
    let quarter = max(1, times.count / 4)
    return (Stopwatch.median(Array(times.prefix(quarter))), Stopwatch.median(Array(times.suffix(quarter))))
  }

  /// One world on one thread.
  private func profile() throws -> ProfileTable {
    let genie = world.genie
    let sampler = FrameSampler(PreparedGenie(genie, precision: options.precision))
    var state = WorldState(genie, precision: options.precision)
    let t = genie.configuration.tokenizer
    var frame = [UInt8](repeating: 0, count: t.height * t.width * 3)
    let count = max(4, Int(0.3 / (try Stopwatch.seconds { try next() })))
    for _ in 0..<dynamics.window { try next() }
    let profile = Profile()
    sampler.profile = profile
    for _ in 0..<count { try next() }
    return ProfileTable("a frame of one world, on one thread", [profile], steps: count)

    func next() throws {
      sampler.profile?.begin()
      _ = frame.withUnsafeMutableBufferPointer { pixels in
        sampler.next(
          action: 0, state: &state, configuration: sampling, key: RandomKey(seed: 0),
          into: pixels.baseAddress!)
      }
    }
  }
}

/// Some worlds of a pool whose window is full, under random actions. Nobody says when they end: a world that has ended
/// would not be dreamt on.
struct PlayedWorlds {
  private var pool: GeneratedWorldPool
  private var slots: [Slot] = []
  private var batch: StepBatch
  private var random = SplitMix64(seed: 0)

  init(
    _ world: World, count: Int, sampling: SamplingConfiguration, workers: Workers, precision: Precision
  ) throws {
    pool = GeneratedWorldPool(
      world.at(precision), workers: workers, sampling: sampling, rewards: NoRewards(), slotLimit: 1024)
    batch = pool.makeBatch()
    try open(count)
    for _ in 0..<world.genie.configuration.dynamics.window { try step() }
  }

  /// Opens more of them, each at a level of the world's own.
  mutating func open(_ count: Int) throws {
    var new: [Slot] = []
    for _ in 0..<count { new.append(try pool.open(OpenOptions(horizon: 1 << 30))) }
    try pool.reset(new, new.map { ResetOptions(seed: UInt64($0.index)) }, into: &batch)
    if let fault = batch.faults.compactMap({ $0 }).first { throw fault }
    slots += new
  }

  /// Dreams the next frame of all.
  mutating func step() throws {
    let actions = slots.map { _ in Int32(random.next(below: pool.actionSpace.count)) }
    try pool.step(slots, actions, into: &batch)
  }
}
