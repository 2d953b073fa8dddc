import ArgumentParser
import Autograd
import Foundation
import GeneratedWorlds

extension Precision: ExpressibleByArgument {}

/// What is computed at.
struct PrecisionOptions: ParsableArguments {
  @Option(
    help: """
      Of matrix products and caches: \(Precision.allCases.map(\.rawValue).joined(separator: ", ")); the fastest \
      that the processor has, if none is given.
      """)
  var precision = Precision.preferred

  func validate() throws {
    guard precision.isAvailable else {
      throw ValidationError("This processor has no \(precision.rawValue): leave --precision out.")
    }
  }
}

extension World {
  /// The world in a folder; the bundled one if none is named.
  static func named(_ folder: String?) throws -> World {
    try folder.map { try World(URL(filePath: $0)) } ?? bundled()
  }
}

/// The world that a command works on.
protocol WorldChoice: ParsableArguments {
  var world: String? { get }
  var precision: PrecisionOptions { get }
}

extension WorldChoice {
  func load() throws -> World {
    try World.named(world).at(precision.precision)
  }
}

/// The world as the command's argument.
struct WorldArgument: WorldChoice {
  @Argument(help: ArgumentHelp("A world's folder; the bundled world if none is named.", valueName: "world"))
  var world: String?

  @OptionGroup var precision: PrecisionOptions
}

/// The world as an option, where it is not what the command is about.
struct WorldOption: WorldChoice {
  @Option(help: ArgumentHelp("A world's folder; the bundled world if none is named.", valueName: "world"))
  var world: String?

  @OptionGroup var precision: PrecisionOptions
}
