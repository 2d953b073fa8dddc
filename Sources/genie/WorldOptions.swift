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
struct WorldOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("A world's folder; the bundled world if none is named.", valueName: "world"))
  var world: String?

  @OptionGroup var precision: PrecisionOptions

  func load() throws -> World {
    try World.named(world).at(precision.precision)
  }
}
