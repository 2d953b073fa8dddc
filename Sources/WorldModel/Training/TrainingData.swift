import Video

/// Clips to train on, and clips never to train on.
public struct TrainingData: Sendable {
  public let folder: ClipFolder
  public let split: (training: [ClipFolder.Episode], heldOut: [ClipFolder.Episode])

  /// - Parameter heldOut: share of the frames, in whole episodes.
  public init(_ folder: ClipFolder, heldOut: Double) {
    self.folder = folder
    split = folder.split(heldOut: heldOut)
  }

  func training(frames: Int, batch: Int, seed: UInt64) throws(ClipError) -> ClipLoader {
    try ClipLoader(folder, episodes: split.training, frames: frames, batchSize: batch, seed: seed)
  }

  /// The same held-out clips each time.
  func heldOut(frames: Int, clips: Int) throws(ClipError) -> FrameBatch {
    let loader = try ClipLoader(folder, episodes: split.heldOut, frames: frames, batchSize: clips, seed: 0)
    return FrameBatch(loader.batch(0), of: loader)
  }

  func heldOutOrigins(frames: Int, clips: Int) throws(ClipError) -> [ClipLoader.Origin] {
    try ClipLoader(folder, episodes: split.heldOut, frames: frames, batchSize: clips, seed: 0).origins(0)
  }
}
