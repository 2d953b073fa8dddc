import Autograd
import Foundation
import NeuralNetwork
import Reporting
import Video

/// How long each stage took, and how it ended: what a world's file tells about its making.
public struct StageRecord: Codable, Sendable, Equatable {
  public var name: String
  public var steps: Int
  public var seconds: Double
  /// Figures on held-out clips at the end.
  public var figures: [String: Double]
}

/// What a training takes of a Genie that is there already.
public enum TakenModels: Sendable {
  /// The tokenizer and the latent actions.
  case tokens
  /// The dynamics, too.
  case dynamics
  /// All there is, and the dynamics are trained further.
  case beginning
}

/// The training of a Genie from clips, stage by stage; every stage resumes where it was stopped.
public final class GenieTraining {
  public let genie: Genie
  public let configuration: TrainingConfiguration
  private let data: TrainingData
  private let folder: URL
  private let workers: Workers
  private let seed: UInt64
  private let seconds: Double?
  private let events: EventFile?
  private let showsProgress: Bool
  private var taken: TakenModels?
  private var takenHeads: (rewards: TokenRewardModel?, odds: ActionOdds?)

  /// - Parameters:
  ///   - folder: for checkpoints and TensorBoard events; what it holds of an earlier run is gone on with.
  ///   - minutes: for all stages together; nil takes the configured numbers of steps.
  ///   - workers: where they are of several processes, all of these make the same training over the same clips and the same
  ///     folder, and it is one.
  public init(
    _ model: GenieConfiguration, _ configuration: TrainingConfiguration, clips: ClipFolder, folder: URL,
    seed: UInt64,
    minutes: Double? = nil, workers: Workers, showsProgress: Bool = true
  ) throws {
    if let problem = configuration.problem { throw TrainingError.unusable(problem) }
    guard clips.height == model.tokenizer.height, clips.width == model.tokenizer.width else {
      throw TrainingError.unusable(
        "the clips are \(clips.height) x \(clips.width), the preset needs \(model.tokenizer.height) x "
          + "\(model.tokenizer.width): import them again with --size \(model.tokenizer.width)")
    }
    genie = try Genie(model, seed: seed)
    self.configuration = configuration
    data = TrainingData(clips, heldOut: configuration.heldOut)
    guard !data.split.heldOut.isEmpty else {
      throw TrainingError.unusable("the clips are too few to hold any out for validation")
    }
    self.folder = folder
    self.seed = seed
    self.workers = workers
    self.showsProgress = showsProgress
    seconds = minutes.map { $0 * 60 }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    events = workers.rank == 0 ? try EventFile(folder: folder) : nil
  }

  /// - Throws: `OtherSettings` where the folder holds an unfinished run of other clips or settings.
  private func checkSettings() throws {
    var settings = try Self.named("model", genie.configuration)
    // What may change on the way: how fast is learned, and with what numbers is reckoned.
    settings.merge(
      try Self.named("training", configuration).filter { name, _ in
        !name.contains(".optimizer.") && !name.hasSuffix(".precision")
      }
    ) { $1 }
    settings["seed"] = "\(seed)"
    // How many may change, too: `genie dream` has fewer left where it imported first.
    settings["minutes"] = seconds.map { _ in "a limit" }
    settings["clips"] = data.folder.fingerprint
    settings["models"] = taken.map {
      let dynamics = $0 == .tokens ? [:] : genie.dynamics.state
      let heads = [takenHeads.rewards?.state ?? [:], takenHeads.odds?.state ?? [:]]
      return
        "\($0) \(Genie.fingerprint([genie.tokenizer.state, genie.latentActions.state, dynamics] + heads))"
    }
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    try KeptSettings.check(
      settings, in: folder, isBegun: files.contains { $0.hasSuffix(".safetensors") })
  }

  /// Clips that are too short for a stage are found before the stages before it are trained.
  /// - Throws: ``ClipError/noWindows(frames:longest:)``
  private func checkLengths() throws(ClipError) {
    if taken == nil {
      for stage in [configuration.tokenizer, configuration.latentActions] {
        _ = try data.training(frames: stage.time, batch: 1, seed: 0)
        _ = try data.heldOutOrigins(frames: stage.time, clips: 1)
      }
    }
    guard taken != .dynamics else { return }
    let time = configuration.dynamics.time
    _ = try data.heldOutOrigins(frames: max(2, min(time, genie.dynamics.configuration.window)), clips: 1)
    // Clips of episodes that are known to have ended, by labels or by heads that were learned, run over their ends.
    guard !data.folder.hasEnds, !data.folder.hasRewards, takenHeads.rewards == nil else { return }
    _ = try data.training(frames: time, batch: 1, seed: 0)
  }

  /// Every number of a configuration by the name that `--set` has for it.
  private static func named(_ name: String, _ value: some Encodable) throws -> [String: String] {
    func flat(_ name: String, _ value: Any) -> [String: String] {
      guard let fields = value as? [String: Any] else { return [name: "\(value)"] }
      return fields.reduce(into: [:]) { $0.merge(flat("\(name).\($1.key)", $1.value)) { $1 } }
    }
    return flat(name, try JSONSerialization.jsonObject(with: JSONEncoder().encode(value)))
  }

  /// Clips that were not trained on.
  public var heldOut: [ClipFolder.Episode] { data.split.heldOut }
  public var training: [ClipFolder.Episode] { data.split.training }

  /// Takes models of another Genie; ``run()`` then leaves out their stages, or goes on with them.
  /// - Parameters:
  ///   - rewards: kept as they are where the dynamics are trained further, or where their stage has no steps; so are the odds, but
  ///     that what stands in for what is found anew in this video.
  /// - Throws: ``TrainingError/unusable(_:)`` where they are not of the same configuration; only what dynamics that are trained
  ///   further look back on and are told may be more (``Dynamics/canGoOn(from:)``).
  public func take(
    _ models: TakenModels, of other: Genie, rewards: TokenRewardModel? = nil, odds: ActionOdds? = nil
  ) throws(TrainingError) {
    let fits =
      switch models {
      case .tokens: true
      case .dynamics: genie.configuration.dynamics == other.configuration.dynamics
      case .beginning: genie.dynamics.canGoOn(from: other.dynamics)
      }
    guard fits, other.configuration.tokenizer == genie.configuration.tokenizer,
      other.configuration.latentActions == genie.configuration.latentActions
    else { throw .unusable("the models to be taken have another configuration") }
    for (mine, others) in [
      (genie.tokenizer.state, other.tokenizer.state), (genie.latentActions.state, other.latentActions.state),
    ] {
      for (name, tensor) in mine { tensor.copy(from: others[name]!) }
    }
    if models != .tokens { genie.dynamics.goOn(from: other.dynamics) }
    taken = models
    let keepsAll = models == .beginning
    do {
      takenHeads = (
        keepsAll || configuration.rewards.steps == 0 ? rewards : nil,
        keepsAll || configuration.actionOdds.steps == 0 ? try odds?.copy() : nil
      )
    } catch { throw .unusable("\(error)") }
  }

  /// Trains tokenizer, latent actions, where there are labels rewards, where they are asked for the odds
  /// of actions, and dynamics.
  /// - Returns: how each stage went, the reward model and the odds if any, and the video as tokens.
  public func run() throws -> (
    stages: [StageRecord], rewards: TokenRewardModel?, odds: ActionOdds?, scores: [EventScore],
    store: TokenStore
  ) {
    try checkLengths()
    if workers.rank == 0 { try checkSettings() }
    var records: [StageRecord] = []
    let isLabelled = data.folder.hasRewards || data.folder.hasEnds
    // Without a step, or a label, there is nothing but chance in them.
    let learnsRewards =
      isLabelled && takenHeads.rewards == nil && configuration.labelledEpisodes > 0
      && (seconds != nil || configuration.rewards.steps > 0)
    let rewardShare = learnsRewards ? 0.05 : 0
    let tokenShare = taken != nil ? 0 : configuration.tokenizerShare + configuration.latentActionShare
    let masksUnseen = configuration.masking.unseenActions > 0 && taken != .dynamics
    let needsOdds =
      (masksUnseen || genie.configuration.sampling.leastOdds > 0)
      && (takenHeads.odds != nil || seconds != nil || configuration.actionOdds.steps > 0)
    let oddsShare = needsOdds && takenHeads.odds == nil ? 0.1 : 0
    let dynamicsShare = max(0.05, 1 - tokenShare - rewardShare - oddsShare)
    func run(_ stage: any TrainingStage, share: Double) throws {
      let runner = TrainingRunner(
        folder: folder, events: events, seconds: seconds.map { $0 * share }, collective: workers.collective,
        showsProgress: showsProgress)
      let (figures, steps, seconds) = try runner.run(stage)
      records.append(
        StageRecord(
          name: stage.name, steps: steps, seconds: seconds,
          figures: Dictionary(figures.map { ($0.name, $0.value) }) { $1 }))
    }
    if taken == nil {
      try run(
        TokenizerStage(
          genie.tokenizer, training: configuration, data: data, workers: workers, seed: seed),
        share: configuration.tokenizerShare)
      try run(
        LatentActionStage(
          genie.latentActions, training: configuration, data: data, workers: workers, seed: seed),
        share: configuration.latentActionShare)
    }
    let store = try encode()
    // Rewards first: the dynamics are to know the ends of episodes that have no label, too.
    let (rewards, scores) =
      learnsRewards ? try reward(store) { try run($0, share: rewardShare) } : keptRewards(store)
    var odds = takenHeads.odds
    var unseen: UnseenActions?
    if needsOdds {
      let found = try odds ?? ActionOdds(genie, seed: seed &+ 4)
      let stage = try ActionOddsStage(
        found, vectors: genie.latentActions.actionVectors, training: configuration, store: store,
        data: data, isTrained: odds != nil, workers: workers,
        seed: seed)
      if odds == nil { try run(stage, share: oddsShare) }
      odds = found
      if masksUnseen { unseen = stage.unseen() }
    }
    if taken != .dynamics {
      try run(
        DynamicsStage(
          genie, training: configuration, store: store, data: data, unseen: unseen, rewards: rewards,
          isBegun: taken == .beginning, workers: workers, seed: seed),
        share: dynamicsShare)
    }
    return (records, rewards, odds, scores, store)
  }

  private func keptRewards(_ store: TokenStore) -> (TokenRewardModel?, [EventScore]) {
    let scores = takenHeads.rewards.map {
      EventScore.measure($0, store: store, folder: data.folder, episodes: heldOut)
    }
    return (takenHeads.rewards, scores ?? [])
  }

  private func reward(
    _ store: TokenStore, run: (RewardStage) throws -> Void
  ) throws -> (TokenRewardModel?, [EventScore]) {
    let labelled = LabelledTransitions(
      store, folder: data.folder, episodes: Array(training.prefix(configuration.labelledEpisodes)))
    guard labelled.count > 0 else { return (nil, []) }
    let held = LabelledTransitions(store, folder: data.folder, episodes: heldOut, values: labelled.values)
    let model = try TokenRewardModel(
      TokenRewardConfiguration(
        rows: genie.dynamics.configuration.rows, columns: genie.dynamics.configuration.columns,
        vocabulary: genie.tokenizer.vocabulary, values: labelled.values), seed: seed &+ 3)
    model.ground(genie.tokenizer.quantizer.codebook, key: RandomKey(seed: seed).folded(in: "rewards"))
    let stage = RewardStage(
      model, configuration: configuration.rewards, data: labelled, heldOut: held, workers: workers, seed: seed
    )
    try run(stage)
    return (model, stage.scores())
  }

  /// Where the video is kept as tokens while the training is not done.
  private var tokens: URL { folder.appending(path: "tokens") }

  private func encode() throws -> TokenStore {
    let bar = ProgressBar(
      "encoding", total: data.folder.frameCount, unit: "frames",
      style: showsProgress && workers.rank == 0 ? .automatic : .quiet)
    nonisolated(unsafe) let shown = bar
    let store = try TokenStore(genie, folder: data.folder, keptIn: tokens, workers: workers) {
      shown.update(to: $0)
    }
    bar.finish()
    return store
  }
}
