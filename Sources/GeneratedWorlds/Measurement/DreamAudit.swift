import Environments
import Foundation
import Video
import WorldModel

/// How far a dream keeps to the rules of its game while somebody plays it: every step is held against what the game itself
/// would have done in the picture before it.
///
/// That finds what a policy can live on in the dream alone: rewards that the game would not have paid, deaths that the
/// dream forgives, things that appear from nowhere.
public struct DreamAudit: Sendable {
  /// An event that the dream claims and the game may confirm.
  public struct Events: Sendable, Equatable {
    public var confirmed = 0
    /// Claimed by the dream alone.
    public var invented = 0
    /// The game's alone.
    public var missed = 0

    /// The share of what was claimed that is true.
    public var precision: Double { Double(confirmed) / Double(confirmed + invented) }
    /// The share of what is true that was claimed.
    public var recall: Double { Double(confirmed) / Double(confirmed + missed) }
  }

  /// A step about whose reward or end the two disagree.
  public struct Moment: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
      case missedEnd = "missed end"
      case inventedEnd = "invented end"
      case missedReward = "missed reward"
      case inventedReward = "invented reward"
    }

    public let kind: Kind
    /// The real action.
    public let action: Int32
    /// What the dream showed before the step and after it.
    public let pictures: [Picture]
  }

  /// A step of a dream, and what the game would have done.
  public struct Step: Sendable {
    public let before: GameScene
    /// The real action.
    public let action: Int32
    public let after: GameScene
    /// Whether the dream ended.
    public let terminated: Bool
    public let outcome: RefereedStep
  }

  public var worlds: Int
  /// Steps taken, and of those the ones whose first picture could be read.
  public var steps = 0
  public var readable = 0
  public var rewards = Events()
  public var ends = Events()
  /// What becomes of those whom the dream alone lets live: how many there are, and the steps and rewards that are still theirs. No other
  /// figure knows of these.
  public var afterDeath = (worlds: 0, steps: 0, reward: 0.0)
  /// Those that the game knows, by what they come of.
  public var endsByCause: [String: Events] = [:]
  /// Of the steps between two readable pictures, those after which the hero was where the game would have put him.
  public var obeyed = 0
  public var compared = 0
  /// The same two by what the game would have shown: where somebody walks against a wall, `still`.
  public var obeyedByEffect: [String: Int] = [:]
  public var comparedByEffect: [String: Int] = [:]
  /// Sum of rewards in pictures that nobody can read, and in those that the game could have drawn.
  public var unreadableReward = 0.0
  public var claimedReward = 0.0
  /// What the game would have paid for the same steps as the latter.
  public var refereedReward = 0.0
  /// The first of each kind, at most ``momentLimit``.
  public private(set) var moments: [Moment] = []
  /// Of each kind.
  public static let momentLimit = 12
  /// Coins that came into being in the middle of the picture.
  public var coinsFromNowhere = 0
  /// What came into sight on the right.
  public var arrivals: Arrivals
  /// Log-likelihoods of the frames after steps that kept the rules, and of the others: whether doubt tells them apart.
  public var likelihoodsWhenTrue: [Float] = []
  public var likelihoodsWhenFalse: [Float] = []
  /// The probability that a step which broke the rules was less likely to the dream than one that kept them: 0.5 is no
  /// better than guessing.
  public var doubtTells: Double {
    let sorted = likelihoodsWhenTrue.sorted()
    /// How many of the sorted come before the first that does not.
    func count(_ comesBefore: (Float) -> Bool) -> Int {
      var (low, high) = (0, sorted.count)
      while low < high {
        let middle = (low + high) / 2
        if comesBefore(sorted[middle]) { low = middle + 1 } else { high = middle }
      }
      return low
    }
    // Of two that are as likely, either may be the one.
    let halves = likelihoodsWhenFalse.reduce(0) { sum, value in
      sum + 2 * sorted.count - count { $0 < value } - count { $0 <= value }
    }
    return Double(halves) / Double(2 * sorted.count * likelihoodsWhenFalse.count)
  }
  /// Log-likelihood below which a share of the steps that kept the rules lie.
  public func doubt(ofTrue share: Double) -> Float {
    let sorted = likelihoodsWhenTrue.sorted()
    return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
  }
  /// Mean return of a world until dream or game ends it.
  public var meanReturn: Double { (unreadableReward + claimedReward) / Double(worlds) }
  /// Mean steps of a world until then.
  public var meanLength: Double { Double(steps) / Double(worlds) }

  /// - Parameters:
  ///   - starts: one for each world; a world that the dream or the game ends is not begun again.
  ///   - map: from latent to real actions.
  ///   - choose: latent actions of all worlds, given what they show and the number of the step.
  ///   - observe: told of every step whose first picture could be read.
  public init(
    _ pool: inout any EnvironmentPool, starts: [ResetOptions], steps count: Int, judge: any GameJudge,
    map: ActionMap, choose: (StepBatch, Int) -> [Int32], observe: (Step) -> Void = { _ in },
    progress: (Int) -> Void = { _ in }
  ) throws(EnvironmentError) {
    worlds = starts.count
    arrivals = Arrivals(judge)
    let doubt = DoubtLimit.auxiliary
    var slots: [Slot] = []
    defer { for slot in slots { pool.close(slot) } }
    // The game itself has no doubts.
    let asked = pool.specification.auxiliaries.contains(doubt) ? [doubt] : []
    for _ in starts { slots.append(try pool.open(OpenOptions(auxiliaries: asked, horizon: count))) }
    var batch = pool.makeBatch()
    try pool.reset(slots, starts, into: &batch)
    var playing = slots
    var outlived = [Bool](repeating: false, count: starts.count)
    var pictures = (0..<starts.count).map { batch.newestFrame($0) }
    var scenes = pictures.map { judge.read($0.pixels) }
    for step in 0..<count where !playing.isEmpty {
      let actions = choose(batch, step)
      try pool.step(playing, actions, into: &batch)
      var going: [Int] = []
      for row in playing.indices {
        if let fault = batch.faults[row] { throw fault }
        let goesOn = !batch.terminated[row] && !batch.truncated[row]
        if outlived[row] {
          afterDeath.steps += 1
          afterDeath.reward += Double(batch.rewards[row])
          if goesOn { going.append(row) }
          continue
        }
        let (picture, action) = (batch.newestFrame(row), map(actions[row]))
        let scene = judge.read(picture.pixels)
        let outcome = judge.outcome(of: action, in: scenes[row])
        if let outcome {
          keep([pictures[row], picture], action, outcome, batch: batch, row: row)
          observe(
            Step(
              before: scenes[row], action: action, after: scene, terminated: batch.terminated[row],
              outcome: outcome))
        }
        add(
          scenes[row], scene, outcome: outcome, seen: judge.effect(from: scenes[row], to: scene),
          batch: batch, row: row, judge: judge)
        (scenes[row], pictures[row]) = (scene, picture)
        // Whom the game would have ended is in no state of its own from here on: he is only followed.
        if outcome?.terminated == true, goesOn {
          outlived[row] = true
          afterDeath.worlds += 1
        }
        if goesOn { going.append(row) }
      }
      if going.count < playing.count {
        playing = going.map { playing[$0] }
        scenes = going.map { scenes[$0] }
        pictures = going.map { pictures[$0] }
        outlived = going.map { outlived[$0] }
        var rest = pool.makeBatch()
        rest.prepare(count: going.count)
        for (row, source) in going.enumerated() { rest.setRow(row, from: batch, row: source) }
        batch = rest
      }
      progress(step + 1)
    }
  }

  private mutating func keep(
    _ pictures: [Picture], _ action: Int32, _ outcome: RefereedStep, batch: StepBatch, row: Int
  ) {
    func kind(_ claimed: Bool, _ isTrue: Bool, _ missed: Moment.Kind, _ invented: Moment.Kind) -> Moment.Kind?
    {
      claimed == isTrue ? nil : isTrue ? missed : invented
    }
    let kinds = [
      kind(batch.terminated[row], outcome.terminated, .missedEnd, .inventedEnd),
      kind(batch.rewards[row] != 0, outcome.reward != 0, .missedReward, .inventedReward),
    ]
    for kind in kinds.compactMap({ $0 }) where moments.count(where: { $0.kind == kind }) < Self.momentLimit {
      moments.append(Moment(kind: kind, action: action, pictures: pictures))
    }
  }

  private mutating func add(
    _ old: GameScene, _ new: GameScene, outcome: RefereedStep?, seen: VisibleEffect?, batch: StepBatch,
    row: Int, judge: any GameJudge
  ) {
    steps += 1
    let reward = Double(batch.rewards[row])
    guard let outcome else {
      unreadableReward += reward
      return
    }
    readable += 1
    claimedReward += reward
    refereedReward += Double(outcome.reward)
    rewards.add(claimed: reward != 0, true: outcome.reward != 0)
    ends.add(claimed: batch.terminated[row], true: outcome.terminated)
    if let cause = outcome.cause {
      endsByCause[cause, default: Events()].add(claimed: batch.terminated[row], true: true)
    }
    guard !outcome.terminated, !batch.terminated[row] else { return }
    let keeps = seen == outcome.effect && new.isValid
    if let seen, seen.dx > 0, new.isValid { arrivals.add(new) }
    compared += 1
    comparedByEffect[outcome.effect.name, default: 0] += 1
    if keeps {
      obeyed += 1
      obeyedByEffect[outcome.effect.name, default: 0] += 1
    }
    if let likelihood = batch.auxiliaries[DoubtLimit.auxiliary]?[row] {
      if keeps {
        likelihoodsWhenTrue.append(likelihood)
      } else {
        likelihoodsWhenFalse.append(likelihood)
      }
    }
    guard let seen, let coin = judge.tileNames.firstIndex(of: "coin") else { return }
    // What scrolls in at the border may hold coins; elsewhere they were there before.
    for cell in new.tiles.indices where new.tiles[cell] == UInt8(coin) {
      let column = cell % new.columns + seen.dx
      if (2..<new.columns - 2).contains(column), old.tiles[cell + seen.dx] != UInt8(coin) {
        coinsFromNowhere += 1
      }
    }
  }
}

extension DreamAudit.Events {
  mutating func add(claimed: Bool, true isTrue: Bool) {
    switch (claimed, isTrue) {
    case (true, true): confirmed += 1
    case (true, false): invented += 1
    case (false, true): missed += 1
    case (false, false): break
    }
  }
}
