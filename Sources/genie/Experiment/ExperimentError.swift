/// Why an experiment cannot be run.
enum ExperimentError: Error, CustomStringConvertible {
  /// The world was not learned from labelled video of a game that is built in.
  case noGame(world: String)

  var description: String {
    switch self {
    case .noGame(let world):
      "\(world) was not learned from video of a built-in game with some labelled actions: there is nothing to "
        + "hold it against"
    }
  }
}
