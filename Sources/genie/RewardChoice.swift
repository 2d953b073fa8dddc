import ArgumentParser
import Foundation
import GeneratedWorlds
import Video
import WorldModel

/// Which reward model a world is served with.
enum RewardChoice: ExpressibleByArgument, Equatable {
  case world
  case none
  case novelty
  case goal(String)

  init?(argument: String) {
    switch argument {
    case "world": self = .world
    case "none": self = .none
    case "novelty": self = .novelty
    default:
      guard argument.hasPrefix("goal:"), argument.count > 5 else { return nil }
      self = .goal(String(argument.dropFirst(5)))
    }
  }

  var defaultValueDescription: String { "world" }

  /// - Returns: nil for the world's own.
  /// - Throws: `PNGError`
  func model(_ world: World) throws -> (any RewardModel)? {
    switch self {
    case .world: nil
    case .none: NoRewards()
    case .novelty: NoveltyReward(world.genie)
    case .goal(let file):
      GoalReward(world.genie, goal: world.frames(showing: [try PNG.read(URL(filePath: file))]))
    }
  }
}
