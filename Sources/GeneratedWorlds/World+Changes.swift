import Environments
import Video
import WorldModel

extension World {
  /// Pictures of any size as the world's frames: the largest square in the middle, scaled; colours are left alone.
  /// - Returns: one clip of one frame for each.
  public func frames(showing pictures: [Picture]) -> FrameBatch {
    let t = genie.configuration.tokenizer
    return FrameBatch(
      clips: pictures.count, time: 1, height: t.height, width: t.width,
      bytes: pictures.flatMap { $0.centreCrop(height: t.height, width: t.width).pixels })
  }

  /// For each of the game's actions, the latent one that does the same: what gives a dream the game's buttons
  /// (``Environments/MappedActions``).
  /// - Throws: ``WorldError/noButtons(world:)``
  public var buttons: ActionMap {
    get throws(WorldError) {
      guard let map = manifest.actionMap, !map.names.isEmpty,
        let inverse = map.inverse(realCount: map.names.count)
      else { throw .noButtons(world: manifest.name) }
      return inverse
    }
  }

  /// The same world with names for its actions.
  /// - Precondition: one name an action.
  public func named(_ names: [String]) -> World {
    precondition(names.count == actions, "\(names.count) names for \(actions) actions")
    var manifest = manifest
    manifest.actionNames = names
    return World(
      genie: genie, rewards: rewards, odds: odds, levels: levels, begins: begins, manifest: manifest,
      precision: precision)
  }

  /// The same world, drawn in another way.
  public func sampled(_ sampling: SamplingConfiguration) -> World {
    var manifest = manifest
    manifest.sampling = sampling
    return World(
      genie: genie, rewards: rewards, odds: odds, levels: levels, begins: begins, manifest: manifest,
      precision: precision)
  }

  /// The same world, that takes no frame it is given for the first of an episode: for windows from anywhere in a video.
  public var ageless: World { sampled(manifest.sampling.with(tellsAge: false)) }

  /// The same world with other levels: every episode starts from one of these.
  public func starting(from starts: [StartFrame]) -> World {
    World(
      genie: genie, rewards: rewards, odds: odds, levels: frames(showing: starts.map(\.picture)),
      begins: starts.map(\.begins), manifest: manifest, precision: precision)
  }

  /// The same world with other levels: every episode starts from one of the pictures, and may begin with it.
  public func starting(from pictures: [Picture]) -> World {
    starting(from: pictures.map { StartFrame($0) })
  }
}
