import Autograd
import Environments
import NeuralNetwork
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
  }

  public private(set) var counts: [Situation: Count] = [:]

  /// Frames between two that are looked at.
  private static let stride = 4

  /// - Parameters:
  ///   - store: the video's tokens.
  ///   - effects: what each latent action stands for.
  ///   - realActions: of the game.
  public init(
    _ odds: ActionOdds, store: TokenStore, folder: ClipFolder, episodes: [ClipFolder.Episode],
    effects: [VisibleEffect], realActions: Int, judge: any GameJudge, workers: Workers
  ) {
    let found = Slots<[Situation: Count]>(count: episodes.count)
    workers.run { [count = workers.count] worker in
      let tape = Tape(arena: Arena())
      for index in Swift.stride(from: worker, to: episodes.count, by: count) {
        let (shard, frames) = (episodes[index].shard, episodes[index].frames)
        var counts: [Situation: Count] = [:]
        for frame in Swift.stride(from: frames.lowerBound, to: frames.upperBound - 1, by: Self.stride) {
          let scene = judge.read(folder.shards[shard].frames(frame..<frame + 1))
          let outcomes = (0..<realActions).compactMap { judge.outcome(of: Int32($0), in: scene) }
          guard outcomes.count == realActions else { continue }
          tape.reset()
          let odds = odds.odds(after: Array(store.tokens(shard, frame..<frame + 1)), tape: tape)
          for (action, effect) in effects.enumerated() {
            let situation = Self.situation(of: effect, outcomes)
            counts[situation, default: Count()].all += 1
            if odds[action] < ActionOdds.leastSeen { counts[situation]!.barred += 1 }
          }
        }
        found[index] = counts
      }
    }
    for own in found.all {
      counts.merge(own) { Count(barred: $0.barred + $1.barred, all: $0.all + $1.all) }
    }
  }

  /// - Parameter outcomes: of all actions of the game.
  static func situation(of effect: VisibleEffect, _ outcomes: [RefereedStep]) -> Situation {
    let same = outcomes.filter { $0.effect == effect }
    if same.isEmpty { return .impossible }
    return same.allSatisfy { $0.terminated && $0.reward <= 0 } ? .deadly : .possible
  }
}
