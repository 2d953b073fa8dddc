import Autograd
import Foundation
import NeuralNetwork
import TestSupport
import Testing
import Video

@testable import WorldModel

/// Two shards, by default with episodes of 150, 1 and 70 frames, and of 90 and 40.
@Suite struct TrainingStageTests {
  private static let optimizer = OptimizerConfiguration(warmup: 2)

  private func configuration(_ withAll: Bool) -> TrainingConfiguration {
    var configuration = plain
    if withAll {
      configuration.rarityEmphasis = 0.5
      configuration.codePlacement = 0.5
      configuration.endShare = 0.5
      configuration.rareShare = 0.3
      configuration.masking = MaskingConfiguration(
        unseenActions: 0.2, firstFrame: 0.5, ownFrames: 0.3, pilots: 0.3)
    }
    return configuration
  }

  private var plain: TrainingConfiguration {
    TrainingConfiguration(
      tokenizer: .init(steps: 8, batch: 3, time: 3, optimizer: Self.optimizer),
      latentActions: .init(steps: 8, batch: 6, time: 3, optimizer: Self.optimizer),
      dynamics: .init(steps: 8, batch: 3, time: 5, optimizer: Self.optimizer),
      actionOdds: .init(steps: 8, batch: 8, time: 2, optimizer: Self.optimizer), continuousShare: 0.3,
      shortTime: 2,
      shortBatch: 4, shortShare: 0.4, heldOut: 0.2)
  }

  private func stage(
    _ name: String, _ video: ClipFolder, withAll: Bool, workers: Workers = Workers(count: 2)
  ) throws -> any TrainingStage {
    let configuration = configuration(withAll)
    let data = TrainingData(video, heldOut: 0.2)
    let genie = try Genie(.sample(), seed: 1)
    return switch name {
    case "tokenizer":
      try TokenizerStage(
        genie.tokenizer, training: configuration, data: data, workers: workers, seed: 3)
    case "latent_actions":
      try LatentActionStage(
        genie.latentActions, training: configuration, data: data, workers: workers, seed: 3)
    case "action_odds":
      try ActionOddsStage(
        try ActionOdds(genie, seed: 3), vectors: genie.latentActions.quantizer.codebook,
        training: configuration,
        store: TokenStore(genie, folder: video, workers: workers), data: data, workers: workers, seed: 3)
    default:
      try DynamicsStage(
        genie, training: configuration, store: TokenStore(genie, folder: video, workers: workers), data: data,
        unseen: withAll
          ? (stage("action_odds", video, withAll: true) as? ActionOddsStage)?.unseen() : nil,
        // Untrained: it takes some ends for ends of episodes.
        rewards: TokenRewardModel(
          TokenRewardConfiguration(
            rows: genie.dynamics.configuration.rows, columns: genie.dynamics.configuration.columns,
            vocabulary: genie.tokenizer.vocabulary, values: []), seed: 3), workers: workers, seed: 3)
    }
  }

  private func train(_ stage: any TrainingStage, _ steps: Range<Int>) throws {
    for step in steps {
      for figure in try stage.step(step, progress: Double(step) / 8) { #expect(figure.value.isFinite) }
    }
  }

  @Test(arguments: ["tokenizer", "latent_actions", "action_odds", "dynamics"], [false, true])
  func aResumedStageRepeatsTheUninterruptedOne(name: String, withAll: Bool) throws {
    let video = try SampleVideo()
    let whole = try stage(name, video.clips, withAll: withAll)
    #expect(whole.name == name)
    try train(whole, 0..<8)
    // Before and after the codes of the latent actions are placed.
    for stop in [1, 5] {
      let begun = try stage(name, video.clips, withAll: withAll)
      try train(begun, 0..<stop)
      let file = video.folder.file("\(name).checkpoint")
      try Checkpoint.write(
        begun.modelState.merging(begun.optimizer.state) { $1 }, configuration: stop, to: file)
      let resumed = try stage(name, video.clips, withAll: withAll)
      try Checkpoint.read(into: resumed.modelState.merging(resumed.optimizer.state) { $1 }, from: file)
      resumed.optimizer.didRestore(step: stop)
      try train(resumed, stop..<8)
      #expect(resumed.modelState.mapValues(\.values) == whole.modelState.mapValues(\.values))
      #expect(resumed.optimizer.state.mapValues(\.values) == whole.optimizer.state.mapValues(\.values))
    }
    for figure in try whole.validate() { #expect(figure.value.isFinite, "\(figure.name)") }
  }
}

extension TrainingStageTests {
  /// Two processes of one worker do to the bit what two workers of one process do.
  @Test(arguments: ["tokenizer", "latent_actions", "dynamics", "action_odds"])
  func processesTrainAsWorkersDo(name: String) throws {
    let video = try SampleVideo()
    let clips = video.clips
    let alone = try stage(name, clips, withAll: true)
    let expected = try (0..<8).map { try alone.step($0, progress: Double($0) / 8).map(\.value) }
    let all = try ThreadCollective.run(2) { collective in
      let stage = try stage(
        name, clips, withAll: true, workers: Workers(count: 1, collective: collective))
      let figures = try (0..<8).map { try stage.step($0, progress: Double($0) / 8).map(\.value) }
      return (figures, stage.modelState.mapValues(\.values))
    }
    for (figures, state) in all {
      for (own, other) in zip(figures, expected) {
        for (a, b) in zip(own, other) { #expect(abs(a - b) <= 1e-5 * (1 + abs(b)), "\(a), not \(b)") }
      }
      #expect(state == all[0].1, "all processes have the same model")
      for (key, tensor) in alone.modelState {
        #expect(largestDifference(state[key]!, tensor.values) < 1e-4, "\(key)")
      }
    }
  }

  /// What one process left is gone on with by two, and the other way round.
  @Test func aCheckpointBelongsToNoNumberOfProcesses() throws {
    let video = try SampleVideo()
    let (clips, folder) = (video.clips, video.folder.url.appending(path: "run"))
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    func run(_ steps: Int, _ ranks: Int) throws -> [String: [Float]] {
      try ThreadCollective.run(ranks) { collective in
        let workers = Workers(count: 1, collective: ranks > 1 ? collective : nil)
        let stage = try stage("dynamics", clips, withAll: false, workers: workers)
        var runner = TrainingRunner(
          folder: folder, events: nil, seconds: nil, collective: workers.collective, showsProgress: false)
        runner.lastStep = steps
        _ = try runner.run(stage)
        return stage.modelState.mapValues(\.values)
      }[0]
    }
    _ = try run(3, 1)
    _ = try run(5, 2)
    let mixed = try run(8, 1)
    try FileManager.default.removeItem(at: folder.appending(path: "dynamics.safetensors"))
    let whole = try run(8, 1)
    for (key, values) in whole { #expect(largestDifference(values, mixed[key]!) < 1e-3, "\(key)") }
  }
}

@Suite struct TokenLatentActionTests {
  private func configuration() -> GenieConfiguration {
    var configuration = GenieConfiguration.sample()
    configuration.latentActions.pooling = 1
    configuration.latentActions.patch = configuration.tokenizer.patch
    configuration.latentActions.tokenWidth = configuration.tokenizer.codebook.width
    return configuration
  }

  /// Latent actions of tokens are learned and inferred, and a picture whose tokens are the same has the same ones.
  @Test func tokensInThePlaceOfPixels() throws {
    let (video, genie) = (try SampleVideo(), try Genie(configuration(), seed: 1))
    let stage = try LatentActionStage(
      genie.latentActions,
      training: TrainingConfiguration(
        latentActions: .init(steps: 8, batch: 6, time: 3, optimizer: .init(warmup: 2)), heldOut: 0.2),
      data: TrainingData(video.clips, heldOut: 0.2), workers: Workers(count: 2), seed: 3)
    for step in 0..<8 {
      for figure in stage.step(step, progress: Double(step) / 8) { #expect(figure.value.isFinite) }
    }
    let clip = FrameBatch(
      clips: 1, time: 6, height: 16, width: 16, bytes: video.clips.shards[0].frames(0..<6))
    let seen = genie.latentActions.transitions(clip, arena: Arena())
    let width = genie.tokenizer.configuration.codebook.width
    #expect(seen.frames.shape == [1, 5, genie.tokenizer.tokens, width])
    #expect(seen.features.shape == [1, 5, genie.tokenizer.tokens, 2 * width])
    let codes = genie.tokenizer.encode(clip, arena: Arena())
    let vectors = genie.tokenizer.quantizer.vectors(codes[...], shape: [codes.count], arena: Arena()).values
    let size = genie.tokenizer.tokens * width
    #expect(seen.frames.values == Array(vectors.prefix(5 * size)))
    for i in 0..<5 * size { #expect(abs(seen.change[i] - vectors[size + i] + vectors[i]) < 1e-6) }
    let actions = genie.latentActions.infer(clip, arena: Arena())
    #expect(
      actions.count == 5 && actions.allSatisfy { (0..<Int32(genie.latentActions.actions)).contains($0) })
  }

  @Test func tokensOfAnotherWidthAreRefused() {
    var wrong = configuration()
    wrong.latentActions.tokenWidth! += 1
    #expect(wrong.problem?.contains("latent actions that see tokens") == true)
    var pooled = configuration()
    pooled.latentActions.pooling = 2
    #expect(pooled.problem != nil)
    #expect(configuration().problem == nil)
  }
}

@Suite struct TrainingConfigurationTests {
  /// A file of before the settings were there is read, and says what was so then.
  @Test func olderFilesAreRead() throws {
    var object = try #require(
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(TrainingConfiguration())) as? [String: Any])
    let newer = [
      "actionOdds", "rarityEmphasis", "codePlacement", "endShare", "rareShare", "beginShare",
      "tokenizerShare",
      "latentActionShare",
    ]
    for key in newer { object[key] = nil }
    var masking = try #require(object["masking"] as? [String: Any])
    for key in ["firstFrame", "unseenActions", "ownFrames", "pilots"] { masking[key] = nil }
    object["masking"] = masking
    let data = try JSONSerialization.data(withJSONObject: object)
    let read = try JSONDecoder().decode(TrainingConfiguration.self, from: data)
    #expect(
      read.masking.firstFrame == 0 && !read.masking.rehearses && read.rareShare == 0 && read.beginShare == 0)
    #expect(read.masking.unseenActions == 0 && read.masking.corruption == MaskingConfiguration().corruption)
  }
}

extension TrainingConfigurationTests {
  /// What no training can be made of is told by the name it is set by.
  @Test func whatMakesNoSenseIsNamed() throws {
    #expect(TrainingConfiguration().problem == nil)
    let changes: [(String, (inout TrainingConfiguration) -> Void)] = [
      ("training.beginShare", { $0.beginShare = 1.5 }), ("training.heldOut", { $0.heldOut = 1 }),
      ("training.masking.clean", { $0.masking.clean = -0.1 }),
      ("training.codePlacement", { $0.codePlacement = .nan }),
      ("training.codePlacement", { $0.codePlacement = 0 }),
      ("training.dynamics.time", { $0.dynamics.time = 1 }),
      ("training.rewards.batch", { $0.rewards.batch = 0 }),
      ("training.tokenizer.steps", { $0.tokenizer.steps = -1 }),
      ("training.shortBatch", { $0.shortBatch = 0 }), ("training.shortTime", { $0.shortTime = 1 }),
      ("training.latentActions.optimizer.rate", { $0.latentActions.optimizer.rate = 2 }),
      ("training.dynamics.optimizer.beta1", { $0.dynamics.optimizer.beta1 = 1 }),
      ("training.actionOdds.optimizer.clip", { $0.actionOdds.optimizer.clip = 0 }),
      ("training.motionEmphasis", { $0.motionEmphasis = .infinity }),
    ]
    for (name, change) in changes {
      var configuration = TrainingConfiguration()
      change(&configuration)
      #expect(configuration.problem?.hasPrefix(name + " is ") == true, "\(name)")
    }
    let video = try SampleVideo()
    var configuration = TrainingConfiguration()
    configuration.rareShare = 2
    #expect(throws: TrainingError.unusable("training.rareShare is 2.0: it is a share of 0 to 1")) {
      try GenieTraining(
        .sample(), configuration, clips: video.clips, folder: video.folder.file("run"), seed: 1,
        workers: Workers(count: 1))
    }
  }
}

@Suite struct RareTokenTests {
  /// Codes go where the video is served worst, also where it is late in it.
  @Test func theWholeVideoIsLookedThrough() throws {
    let video = try SampleVideo([400])
    let tokenizer = Tokenizer(GenieConfiguration.sample().tokenizer, seed: 1)
    // All patches are nearest to one code, and far from it.
    let codebook = tokenizer.quantizer.codebook
    var centres = [Float](repeating: 0, count: codebook.count)
    for code in 0..<12 { centres[4 * code] = code == 0 ? 1 : -1 }
    tokenizer.quantizer.place(centres: centres, uses: [Float](repeating: 1, count: 12))
    let clips = try ClipLoader(video.clips, frames: 2, batchSize: 1, seed: 1)
    let origins = video.clips.episodes.flatMap { episode in
      stride(from: episode.frames.lowerBound, to: episode.frames.upperBound - 1, by: 2).map {
        ClipLoader.Origin(shard: episode.shard, start: $0)
      }
    }
    var census = CodeCensus(
      tokenizer, clips: clips, origins: origins, mostStrangers: 20, workers: Workers(count: 2))
    let before = Set(census.windows.table.values)
    census.placeUnusedCodes(patches: 100)
    let found = Set(census.windows.table.values).subtracting(before).map { Int($0) - 1 }
    #expect(origins.count > 256 && found.contains { $0 >= 192 }, "\(found.sorted())")
  }

  /// A patch that is one in thousands keeps a code where codes are placed on what is served worst.
  @Test func aRarePatchGetsACodeOfItsOwn() throws {
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    // Two grey levels everywhere, and a red square in every hundredth frame.
    var frames = [UInt8]()
    for frame in 0..<400 {
      for y in 0..<16 {
        for x in 0..<16 {
          let isRed = frame % 100 == 7 && y / 4 == 1 && x / 4 == 2
          frames +=
            isRed ? [250, 0, 0] : [UInt8](repeating: (x / 4 + y / 4 + frame) % 2 == 0 ? 60 : 180, count: 3)
        }
      }
    }
    try ClipShard.write(
      Clip(height: 16, width: 16, frames: frames, episodeStarts: [0, 100, 200, 300]),
      to: folder.file("rare.safetensors"))
    func distinct(_ placement: Double?) throws -> Bool {
      var configuration = GenieConfiguration.sample()
      configuration.tokenizer.encoderBlocks = 0
      configuration.tokenizer.encoderPositions = false
      let tokenizer = Tokenizer(configuration.tokenizer, seed: 1)
      let stage = try TokenizerStage(
        tokenizer,
        training: TrainingConfiguration(
          tokenizer: .init(steps: 60, batch: 2, time: 2, optimizer: .init(warmup: 2)),
          codePlacement: placement),
        data: TrainingData(try ClipFolder(folder.url), heldOut: 0.2), workers: Workers(count: 1), seed: 1)
      for step in 0..<60 { _ = stage.step(step, progress: Double(step) / 60) }
      let red = FrameBatch(
        clips: 1, time: 1, height: 16, width: 16, bytes: Array(frames[107 * 768..<108 * 768]))
      let codes = tokenizer.encode(red, arena: Arena())
      return codes.count { $0 == codes[6] } == 1
    }
    #expect(try distinct(0.5))
    #expect(try !distinct(nil), "without placement it has none")
  }
}
