import AgentSDK
import ArgumentParser
import Autograd
import ClientOptions
import Environments
import Foundation
import GeneratedWorlds
import PlayPage
import WorldModel

struct PlayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "play",
    abstract: "Serves a page on which a person steps into a world, until it is interrupted.",
    discussion: """
      Open the address that is printed in a browser on this machine; no other machine and no other page is \
      listened to. The world is a world's folder (the bundled one if nothing is named), a built-in game \
      (--game), or whatever a server offers (--endpoint). Policies that were trained in a dream play the \
      real game with --action-map WORLD.
      """)

  @OptionGroup var world: WorldArgument

  @Option(
    help: ArgumentHelp(
      "A built-in game: \(EnvironmentCatalogue.builtIn.names.joined(separator: ", ")).", valueName: "name"))
  var game: String?

  @Option(help: "A server to play at, such as tcp://127.0.0.1:5555.")
  var endpoint: String?

  @Option(help: ArgumentHelp("What the endpoint serves, if it serves several.", valueName: "name"))
  var environment: String?

  @OptionGroup var keys: KeyOptions

  @Option(
    help: ArgumentHelp("An agent to watch (NAME.policy.safetensors). May be repeated.", valueName: "file"))
  var policy: [String] = []

  @Option(help: ArgumentHelp("The world whose latent actions the policies choose.", valueName: "world"))
  var actionMap: String?

  @Option(help: "Of 127.0.0.1; 0 takes any that is free.")
  var port: UInt16 = 8765

  @Option(help: "Threads that dream; 0 takes one for each processor.")
  var workers = 0

  func validate() throws {
    guard [world.world != nil, game != nil, endpoint != nil].filter(\.self).count <= 1 else {
      throw ValidationError("Name one of a world, --game and --endpoint.")
    }
    guard environment == nil || endpoint != nil else {
      throw ValidationError("--environment is a name at an --endpoint.")
    }
    try keys.check(endpoint: endpoint)
    guard (0...256).contains(workers) else { throw ValidationError("--workers is 0 to 256.") }
  }

  func run() async throws {
    let map = try actionMap.map { path in
      guard let map = try World(URL(filePath: path)).manifest.actionMap else {
        throw ValidationError("\(path) holds no action map: it was trained on video without actions.")
      }
      return map
    }
    var configuration = try playConfiguration()
    configuration.port = port
    if !policy.isEmpty {
      let specification = try configuration.makePool().specification
      configuration.players = try policy.map {
        try PolicyPlayer($0, map: map, specification: specification)
      }
    }
    let server = try await PlayServer(configuration)
    // At once, also into a pipe: whoever started this may be waiting for the port.
    try? FileHandle.standardOutput.write(contentsOf: Data("playing at \(server.address)\n".utf8))
    try await server.run()
  }

  private func playConfiguration() throws -> PlayConfiguration {
    if let endpoint {
      let keys = try keys.keys()
      return PlayConfiguration { [environment] () throws(EnvironmentError) in
        try RemotePool(endpoint, environment: environment, keys: keys)
      }
    }
    if let game {
      let catalogue = EnvironmentCatalogue.builtIn
      guard let name = catalogue.names.first(where: { $0.lowercased().hasPrefix(game.lowercased()) }) else {
        throw EnvironmentError.unknownEnvironment(game, offered: catalogue.names)
      }
      return PlayConfiguration { () throws(EnvironmentError) in try catalogue.makePool(name) }
    }
    let world = try world.load()
    let threads = Workers(count: workers)
    let names = (try? world.namesOfActions(workers: threads)) ?? []
    let levels: SamplingConfiguration? = world.dreamsLevels ? .level : nil
    return PlayConfiguration(actionNames: names, dreamsLevels: levels != nil) {
      GeneratedWorldPool(world, workers: threads, levelSampling: levels)
    }
  }
}
