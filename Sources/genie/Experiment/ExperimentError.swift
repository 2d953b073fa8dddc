/// Why an experiment cannot be run.
enum ExperimentError: Error, CustomStringConvertible {
  /// The world was not learned from labelled video of a game that is built in.
  case noGame(world: String)
  /// The world's actions were mapped to those of a game with more of them.
  case otherGame(world: String, actions: Int, mapped: Int)

  var description: String {
    switch self {
    case .noGame(let world):
      "\(world) was not learned from video of a built-in game with some labelled actions: there is nothing to "
        + "hold it against"
    case .otherGame(let world, let actions, let mapped):
      "\(world) was learned from another game: it knows an action \(mapped), this game has \(actions)"
    }
  }
}
