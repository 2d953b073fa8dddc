import AgentSDK
import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import WireProtocol

/// Where policies are evaluated: a game, a world, or what a server offers.
struct EvaluationPlace {
  let name: String
  let suite: LevelSuite?
  let world: World?
  private let endpoint: String?
  private let keys: ClientKeys?
  private let workers: Workers

  /// - Parameters:
  ///   - environment: nil takes the suite's, or Platformer-v1 without one.
  ///   - keys: for an endpoint that asks for them.
  /// - Throws: `EnvironmentError/unknownEnvironment(_:offered:)`, `WorldError`, or `ValidationError` where the suite is
  ///   for another environment.
  init(
    environment: String?, endpoint: String?, keys: ClientKeys?, suite: LevelSuite?, workers: Workers
  ) throws {
    self.suite = suite
    self.endpoint = endpoint
    self.keys = keys
    self.workers = workers
    let wanted = environment ?? suite?.record.environment ?? "Platformer-v1"
    let games = EnvironmentCatalogue.builtIn
    if endpoint != nil || games.names.contains(wanted) {
      (name, world) = (wanted, nil)
    } else if FileManager.default.fileExists(atPath: wanted) {
      let world = try World(URL(filePath: wanted))
      (name, self.world) = (world.manifest.name, world)
    } else if let bundled = try? World.bundled(), bundled.manifest.name == wanted {
      (name, world) = (wanted, bundled)
    } else {
      throw EnvironmentError.unknownEnvironment(wanted, offered: games.names)
    }
    // Pictures can be played by any world of their size; numbers only by their game.
    if let suite, suite.record.origin == .numbers, name != suite.record.environment {
      throw ValidationError("The suite \(suite.record.name) is for \(suite.record.environment), not \(name).")
    }
  }

  func makePool() throws -> any EnvironmentPool {
    if let endpoint { return try RemotePool(endpoint, environment: name, keys: keys) }
    if let world { return GeneratedWorldPool(world, workers: workers) }
    return try EnvironmentCatalogue.builtIn.makePool(name)
  }
}
