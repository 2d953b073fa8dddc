import Autograd
import Environments
import NeuralNetwork
import Reporting
import Video
import WorldModel

/// Which latent actions a world's ``ActionOdds`` take for impossible, held against what the game would allow.
///
/// A dynamics model learns that what is barred does nothing. That is right where something is in the way, and wrong where one
/// could go and would die: players avoid that, so video hardly shows it, and a dream in which it is barred forgives deaths.
public struct BarredActions: Sendable {
  /// What an action's effect is in a frame.
  public enum Situation: String, Sendable, CaseIterable {
    /// Something that the game does there, and the episode goes on (or is won).
    case possible
    /// Something that the game does there, and the player dies of it.
    case deadly
    /// Nothing that the game does there.
    case impossible
  }

  public struct Count: Sendable, Equatable {
    public var barred = 0
    public var all = 0

    public var share: Double { Double(barred) / Double(all) }

    static func + (one: Count, other: Count) -> Count {
      Count(barred: one.barred + other.barred, all: one.all + other.all)
    }
  }

  /// By what the actions stand for.
  public private(set) var countsByEffect: [Situation: [VisibleEffect: Count]] = [:]
  /// Of the impossible actions that are barred, the share whose stand-in does what the game makes of the press.
  public var trueStandIns: Double { Double(obedient) / Double(counts[.impossible]?.barred ?? 0) }
  private var obedient = 0
  public var counts: [Situation: Count] {
    countsByEffect.mapValues { $0.values.reduce(Count(), +) }
  }

  /// Frames between two that are looked at.
  private static let stride = 4

  /// - Parameters:
  ///   - store: the video's tokens.
  ///   - effects: what each latent action stands for.
  ///   - map: to the game's actions.
  public init(
    _ odds: ActionOdds, store: TokenStore, folder: ClipFolder, episodes: [ClipFolder.Episode],
    effects: [VisibleEffect], map: ActionMap, judge: any GameJudge, workers: Workers
  ) {
    let found = Slots<(counts: [Situation: [VisibleEffect: Count]], obedient: Int)>(count: episodes.count)
    workers.run { [count = workers.count] worker in
      let tape = Tape(arena: Arena())
      for index in Swift.stride(from: worker, to: episodes.count, by: count) {
        let (shard, frames) = (episodes[index].shard, episodes[index].frames)
        var counts: [Situation: [VisibleEffect: Count]] = [:]
        var obedient = 0
        for frame in Swift.stride(from: frames.lowerBound, to: frames.upperBound - 1, by: Self.stride) {
          let scene = judge.read(folder.shards[shard].frames(frame..<frame + 1))
          let outcomes = map.names.indices.compactMap { judge.outcome(of: Int32($0), in: scene) }
          guard !outcomes.isEmpty, outcomes.count == map.names.count else { continue }
          tape.reset()
          let shown = odds.odds(after: Array(store.tokens(shard, frame..<frame + 1)), tape: tape)
          for (action, effect) in effects.enumerated() {
            let situation = Self.situation(of: effect, outcomes)
            let isBarred = shown[action] < ActionOdds.leastSeen
            let count = Count(barred: isBarred ? 1 : 0, all: 1)
            counts[situation, default: [:]].merge([effect: count], uniquingKeysWith: +)
            guard isBarred, situation == .impossible else { continue }
            let other = odds.instead(of: Int32(action), odds: shown, leastOdds: ActionOdds.leastSeen)
            if effects[Int(other)] == outcomes[Int(map.real[action])].effect { obedient += 1 }
          }
        }
        found[index] = (counts, obedient)
      }
    }
    for own in found.all {
      countsByEffect.merge(own.counts) { $0.merging($1, uniquingKeysWith: +) }
      obedient += own.obedient
    }
  }

  /// - Parameter outcomes: of all actions of the game.
  static func situation(of effect: VisibleEffect, _ outcomes: [RefereedStep]) -> Situation {
    let same = outcomes.filter { $0.effect == effect }
    if same.isEmpty { return .impossible }
    return same.allSatisfy { $0.terminated && $0.reward <= 0 } ? .deadly : .possible
  }

  /// The figures as JSON.
  public var report: [String: JSONValue] {
    let situations: [Situation: JSONValue] = countsByEffect.mapValues { counts in
      func figures(_ count: Count) -> [String: JSONValue] {
        ["barred": .number(count.share), "of": .integer(count.all)]
      }
      let effects = counts.map { ($0.key.name, JSONValue.object(figures($0.value))) }
      return .object(
        figures(counts.values.reduce(Count(), +)).merging([
          "by_effect": .object(Dictionary(uniqueKeysWithValues: effects))
        ]) { $1 })
    }
    return situations.reduce(into: ["true_stand_ins": .number(trueStandIns)]) {
      $0[$1.key.rawValue] = $1.value
    }
  }
}
