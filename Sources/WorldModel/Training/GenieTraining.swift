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
  private var hasTokens = false
  private var hasDynamics = false

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

  /// Clips that were not trained on.
  public var heldOut: [ClipFolder.Episode] { data.split.heldOut }
  public var training: [ClipFolder.Episode] { data.split.training }

  /// Takes the tokenizer and the latent actions of another Genie; ``run()`` then leaves out their stages.
  /// - Parameter dynamics: whether the dynamics are taken, too.
  /// - Throws: ``TrainingError/unusable(_:)`` where they are not of the same configuration.
  public func takeTokens(of other: Genie, dynamics: Bool = false) throws(TrainingError) {
    guard other.configuration.tokenizer == genie.configuration.tokenizer,
      other.configuration.latentActions == genie.configuration.latentActions,
      !dynamics || other.configuration.dynamics == genie.configuration.dynamics
    else { throw .unusable("the models to be taken have another configuration") }
    var states = [
      (genie.tokenizer.state, other.tokenizer.state), (genie.latentActions.state, other.latentActions.state),
    ]
    if dynamics { states.append((genie.dynamics.state, other.dynamics.state)) }
    for (mine, others) in states {
      for (name, tensor) in mine { tensor.copy(from: others[name]!) }
    }
    hasTokens = true
    hasDynamics = dynamics
  }

  /// Trains tokenizer, latent actions, where there are labels rewards, where they are asked for the odds
  /// of actions, and dynamics.
  /// - Returns: how each stage went, the reward model and the odds if any, and the video as tokens.
  public func run() throws -> (
    stages: [StageRecord], rewards: TokenRewardModel?, odds: ActionOdds?, scores: [EventScore],
    store: TokenStore
  ) {
    var records: [StageRecord] = []
    let isLabelled = data.folder.hasRewards || data.folder.hasEnds
    let rewardShare = isLabelled ? 0.05 : 0
    let tokenShare = hasTokens ? 0 : configuration.tokenizerShare + configuration.latentActionShare
    let masksUnseen = configuration.masking.unseenActions > 0 && !hasDynamics
    let oddsShare = masksUnseen || genie.configuration.sampling.leastOdds > 0 ? 0.1 : 0
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
    if !hasTokens {
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
    let (rewards, scores) = isLabelled ? try reward(store) { try run($0, share: rewardShare) } : (nil, [])
    var odds: ActionOdds?
    var unseen: UnseenActions?
    if oddsShare > 0 {
      let found = try ActionOdds(genie, seed: seed &+ 4)
      let stage = ActionOddsStage(
        found, training: configuration, store: store, data: data, workers: workers, seed: seed)
      try run(stage, share: oddsShare)
      odds = found
      if masksUnseen { unseen = stage.unseen() }
    }
    if !hasDynamics {
      try run(
        DynamicsStage(
          genie, training: configuration, store: store, data: data, unseen: unseen, rewards: rewards,
          workers: workers, seed: seed),
        share: dynamicsShare)
    }
    return (records, rewards, odds, scores, store)
  }

  private func reward(
    _ store: TokenStore, run: (RewardStage) throws -> Void
  ) throws -> (TokenRewardModel, [EventScore]) {
    let labelled = LabelledTransitions(
      store, folder: data.folder, episodes: Array(training.prefix(configuration.labelledEpisodes)))
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
