import ArgumentParser
import Autograd
import Foundation
import GeneratedWorlds

/// The world of an experiment.
struct WorldChoice: ParsableArguments {
  @Option(help: ArgumentHelp("A world's folder; the bundled world if none is named.", valueName: "world"))
  var world: String?

  @OptionGroup var precision: PrecisionOptions

  func load() throws -> World {
    try World.named(world).at(precision.precision)
  }
}
