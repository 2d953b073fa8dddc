import Autograd
import Environments
import NeuralNetwork
import Reporting
import Video
import WorldModel

/// How good a world is, on clips that it was not trained on.
///
/// Dreams are sampled through the pool with the settings that are served, ends ignored.
public struct WorldMeasurement: Sendable {
  /// dB, decoded against real frames.
  public var tokenizerPSNR = 0.0
  /// Codes of the codebook in use.
  public var codesUsed = 0
  public var accuracy: TokenAccuracy
  /// Share of transitions of each latent action.
  public var actionUsage: [Double] = []
  /// Which of them do the same.
  public var likeness: ActionLikeness
  /// dB of the dreamt frame t against the real one, t = 1...8, with inferred actions; the mean over clips.
  public var rolloutPSNR: [Double] = []
  /// The same with uniformly random actions.
  public var randomPSNR: [Double] = []
  /// The same of the real frames, encoded and decoded: about as good as a dream of these tokens can be.
  public var decodedPSNR: [Double] = []
  /// The same of the last known frame, shown again: what a dream has to beat.
  public var unchangedPSNR: [Double] = []
  /// PSNR with inferred actions minus PSNR with random ones at t = 4 (Genie, section 3), with a 95% interval
  /// of the mean over clips.
  public var deltaPSNR = Estimate(mean: 0, low: 0, high: 0)
  public var clips = 0

  /// - Parameters:
  ///   - episodes: those to measure on; nil takes all.
  ///   - count: clips, or as many as there are; the interval of ``deltaPSNR`` wants 500.
  public init(
    _ world: World, folder: ClipFolder, episodes: [ClipFolder.Episode]? = nil, count: Int = 512,
    workers: Workers,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    try world.check(folder)
    let genie = world.genie
    let window = genie.configuration.dynamics.window
    let context = min(4, window)
    let clips = try HeldOutClips(
      world, folder: folder, episodes: episodes ?? folder.episodes, count: count, context: context,
      horizon: 8, least: 4, workers: workers)
    let count = clips.count
    self.clips = count

    let results = Slots<(error: Double, decoded: [Double], codes: [Int32])>(count: count)
    workers.run { [workerCount = workers.count] worker in
      let arena = Arena()
      for clip in stride(from: worker, to: count, by: workerCount) {
        arena.reset()
        let one = clips.frames.clips(clip..<clip + 1)
        let codes = genie.tokenizer.encode(one, arena: arena)
        let decoded = genie.tokenizer.decode(codes, clips: 1, time: one.time, arena: arena)
        results[clip] = (
          Fidelity.meanSquaredError(one.bytes, decoded.bytes),
          (context..<context + clips.horizon).map {
            Self.psnr(clips.frame(clip, $0), decoded.frames($0..<$0 + 1).bytes)
          }, codes
        )
      }
    }
    let errors = results.all.map(\.error)
    tokenizerPSNR = Fidelity.psnr(meanSquaredError: errors.reduce(0, +) / Double(count))
    codesUsed = Set(results.all.flatMap(\.codes)).count
    let time = max(2, min(window, clips.frames.time))
    accuracy = TokenAccuracy(
      genie.dynamics,
      clips: zip(results.all, clips.actions).map { result, actions in
        TokenClip(
          tokens: result.codes.prefix(time * genie.tokenizer.tokens),
          actions: [Dynamics.noAction] + actions.prefix(time - 1))
      })
    var uses = [Int](repeating: 0, count: world.actions)
    for action in clips.actions.joined() { uses[Int(action)] += 1 }
    actionUsage = uses.map { Double($0) / Double(max(1, uses.reduce(0, +))) }

    // Clips as long as those that latent actions are learned from.
    let span = TrainingConfiguration().latentActions.time
    likeness = ActionLikeness(
      genie.latentActions,
      clips: (0..<count).flatMap { clip in
        stride(from: 0, through: clips.frames.time - span, by: span).map {
          clips.frames.clips(clip..<clip + 1).frames($0..<$0 + span)
        }
      }, emphasis: (world.manifest.training?.configuration ?? .init()).motionEmphasis, workers: workers)

    var pool = GeneratedWorldPool(world, workers: workers, rewards: NoRewards())
    let key = RandomKey(seed: 0).folded(in: "random actions")
    var (inferred, random) = ([[Double]](), [[Double]]())
    for start in stride(from: 0, to: count, by: 64) {
      let rows = Array(start..<min(count, start + 64))
      let chosen = rows.map { Array(clips.actions[$0][(context - 1)...]) }
      let other = rows.map { row in
        (0..<clips.horizon).map { Int32(key.integer(UInt64(row * clips.horizon + $0), below: world.actions)) }
      }
      for (actions, add) in [(chosen, { inferred.append($0) }), (other, { random.append($0) })]
        as [([[Int32]], ([Double]) -> Void)]
      {
        let dreamt = try Rollout(&pool, clips: clips, rows: rows, actions: actions)
        for (place, row) in rows.enumerated() {
          add(
            dreamt.frames[place].enumerated().map { t, frame in
              Self.psnr(clips.frame(row, context + t), frame)
            })
        }
      }
      progress(rows.last! + 1, count)
    }
    func mean(_ rows: [[Double]], _ t: Int) -> Double { rows.reduce(0) { $0 + $1[t] } / Double(rows.count) }
    rolloutPSNR = (0..<clips.horizon).map { mean(inferred, $0) }
    randomPSNR = (0..<clips.horizon).map { mean(random, $0) }
    decodedPSNR = (0..<clips.horizon).map { mean(results.all.map(\.decoded), $0) }
    let unchanged = (0..<count).map { row in
      (0..<clips.horizon).map { Self.psnr(clips.frame(row, context + $0), clips.frame(row, context - 1)) }
    }
    unchangedPSNR = (0..<clips.horizon).map { mean(unchanged, $0) }
    deltaPSNR = Estimate(bootstrapping: zip(inferred, random).map { $0[3] - $1[3] }, key: key.folded(in: 1))
  }

  private static func psnr(_ real: ArraySlice<UInt8>, _ shown: some Collection<UInt8>) -> Double {
    Fidelity.psnr(meanSquaredError: Fidelity.meanSquaredError(real, shown))
  }

  /// The figures as JSON.
  public var report: JSONReport {
    func byTime(_ values: [Double]) -> JSONValue {
      .object(Dictionary(uniqueKeysWithValues: values.enumerated().map { ("\($0 + 1)", .number($1)) }))
    }
    return JSONReport([
      "clips": .integer(clips),
      "tokenizer_psnr": .number(tokenizerPSNR), "codes_used": .integer(codesUsed),
      "changed_token_accuracy": .number(accuracy.changed), "token_accuracy": .number(accuracy.all),
      "token_cross_entropy": .number(accuracy.crossEntropy),
      "action_usage": .array(actionUsage.map { .number($0) }),
      "action_likeness": .array(likeness.changes.map { .array($0.map { .number($0) }) }),
      "rollout_psnr": byTime(rolloutPSNR), "random_psnr": byTime(randomPSNR),
      "decoded_psnr": byTime(decodedPSNR), "unchanged_psnr": byTime(unchangedPSNR),
      "delta_psnr_t4": .number(deltaPSNR.mean),
      "delta_psnr_t4_interval": .array([.number(deltaPSNR.low), .number(deltaPSNR.high)]),
    ])
  }
}

/// A mean with a 95% interval.
public struct Estimate: Sendable, Equatable {
  public var mean: Double
  public var low: Double
  public var high: Double

  public init(mean: Double, low: Double, high: Double) {
    self.mean = mean
    self.low = low
    self.high = high
  }

  /// The percentile bootstrap of the mean, 2,000 times.
  public init(bootstrapping values: [Double], key: RandomKey) {
    precondition(!values.isEmpty, "the mean of nothing")
    let means = (0..<2000).map { round -> Double in
      let own = key.folded(in: UInt64(round))
      var sum = 0.0
      for i in values.indices { sum += values[own.integer(UInt64(i), below: values.count)] }
      return sum / Double(values.count)
    }.sorted()
    self.init(mean: values.reduce(0, +) / Double(values.count), low: means[50], high: means[1949])
  }
}
