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

  func training(
    frames: Int, batch: Int, seed: UInt64, runsOver: (ClipFolder.Episode) -> Bool = { _ in false }
  ) throws(ClipError) -> ClipLoader {
    try ClipLoader(
      folder, episodes: split.training, frames: frames, batchSize: batch, seed: seed, runsOver: runsOver)
  }

  /// Windows of the training episodes one beside the other, so that every frame of those that are long enough is in one.
  func windows(frames: Int) -> [ClipLoader.Origin] {
    split.training.flatMap { episode -> [ClipLoader.Origin] in
      let last = episode.frames.upperBound - frames
      guard last >= episode.frames.lowerBound else { return [] }
      let starts = Array(stride(from: episode.frames.lowerBound, to: last, by: frames)) + [last]
      return starts.map { ClipLoader.Origin(shard: episode.shard, start: $0) }
    }
  }

  /// The last windows of the training episodes that are long enough. Of all windows hardly any shows a last frame, and
  /// what only last frames show (somebody dies, somebody wins) would hardly be learned.
  func lastWindows(frames: Int) -> [ClipLoader.Origin] {
    split.training.filter { $0.frames.count >= frames }.map {
      ClipLoader.Origin(shard: $0.shard, start: $0.frames.upperBound - frames)
    }
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
