import Autograd
import Environments
import Video
import WorldModel

/// Somebody's play as a world's latent action model sees it: what was shown, and what was done then. Nobody has to have told what was
/// pressed (Genie, appendix E).
public struct Demonstrations: Sendable {
  /// `[transitions, height, width, 3]`: what was seen before each step.
  public private(set) var observations: [UInt8] = []
  /// `[transitions]`: the latent action that leads to the next frame.
  public private(set) var latent: [Int32] = []
  /// `[transitions]`: what was pressed; -1 where the video does not tell.
  public private(set) var pressed: [Int32] = []

  public var count: Int { latent.count }

  /// - Parameter progress: told the number of frames done.
  /// - Throws: ``WorldError/otherFrames(world:height:width:)``
  public init(
    _ world: World, _ video: ClipFolder, workers: Workers,
    progress: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws(WorldError) {
    try world.check(video)
    let store = TokenStore(world.genie, folder: video, workers: workers, progress: progress)
    for episode in video.episodes {
      let shard = video.shards[episode.shard]
      let range = episode.frames.lowerBound..<episode.frames.upperBound - 1
      guard !range.isEmpty else { continue }
      observations += shard.frames(range)
      pressed += range.map { shard.actions?[$0] ?? -1 }
      latent += store.actions(episode.shard, range.lowerBound + 1..<range.upperBound + 1)
    }
  }
}
