/// Why an experiment cannot be run.
enum ExperimentError: Error, CustomStringConvertible {
  /// The world was not learned from labelled video of a game that is built in.
  case noGame(world: String)
  /// Some of the game's actions are no latent action's.
  case incompleteMap(world: String)

  var description: String {
    switch self {
    case .noGame(let world):
      "\(world) was not learned from video of a built-in game with some labelled actions: there is nothing to "
        + "hold it against"
    case .incompleteMap(let world):
      "\(world) has no latent action for some of the game's buttons: policies of the game cannot play in it"
    }
  }
}
