import Environments
import Video
import WorldModel

/// How far a dream remembers a place: the player goes right for k frames, left for k, and right again. In the game the last frame
/// is the one from before the way back; in a dream what left the window may have been invented anew.
public struct PlaceMemory: Sendable {
  /// One length of the way.
  public struct Trip: Sendable, Equatable {
    /// Frames there, back, and there again.
    public var frames: Int
    /// Worlds in which every step moved the picture, nothing ended, and the player came to the turning point as high as he began:
    /// who falls on the way is elsewhere the second time.
    public var worlds: Int
    /// Of these, the share whose last frame is the one from before the way back.
    public var remembered: Double
  }

  public var trips: [Trip] = []

  /// Of 8 x 8 pixels, a block counts as changed from this mean difference of its values on; a picture has moved where more blocks
  /// than this have changed.
  private static let (changed, moved) = (12, 4)

  /// - Parameters:
  ///   - starts: one for each world.
  ///   - right: the latent action that leads to the right, and `left` the one that leads back.
  ///   - lengths: of the way, in frames.
  init(
    _ pool: inout any EnvironmentPool, starts: [ResetOptions], right: Int32, left: Int32, lengths: [Int],
    judge: any GameJudge, progress: (Int) -> Void = { _ in }
  ) throws(EnvironmentError) {
    var done = 0
    for length in lengths {
      var slots: [Slot] = []
      for _ in starts { slots.append(try pool.open(OpenOptions(horizon: 3 * length + 1))) }
      defer { for slot in slots { pool.close(slot) } }
      var batch = pool.makeBatch()
      try pool.reset(slots, starts, into: &batch)
      var going = Array(slots.indices)
      var newest = going.map { batch.newestFrame($0) }
      let heights = newest.map { judge.read($0.pixels).player?.y }
      var turning: [Int: Picture] = [:]
      for step in 0..<3 * length where !going.isEmpty {
        let action = (length..<2 * length).contains(step) ? left : right
        try pool.step(
          going.map { slots[$0] }, [Int32](repeating: action, count: going.count), into: &batch)
        for case let fault? in batch.faults { throw fault }
        let frames = going.indices.map { batch.newestFrame($0) }
        let kept = going.indices.filter { row in
          !batch.terminated[row] && !batch.truncated[row]
            && Self.changes(from: newest[row], to: frames[row]) > Self.moved
            && (step + 1 != length || judge.read(frames[row].pixels).player?.y == heights[going[row]])
        }
        newest = kept.map { frames[$0] }
        going = kept.map { going[$0] }
        if step + 1 == length { for (row, world) in going.enumerated() { turning[world] = newest[row] } }
        done += 1
        progress(done)
      }
      let same = going.indices.count { Self.changes(from: turning[going[$0]]!, to: newest[$0]) == 0 }
      trips.append(
        Trip(
          frames: length, worlds: going.count,
          remembered: going.isEmpty ? .nan : Double(same) / Double(going.count)))
    }
  }

  /// Blocks of 8 x 8 pixels that differ.
  static func changes(from old: Picture, to new: Picture) -> Int {
    var blocks = 0
    for top in stride(from: 0, to: new.height - 7, by: 8) {
      for left in stride(from: 0, to: new.width - 7, by: 8) {
        var sum = 0
        for row in top..<top + 8 {
          let first = (row * new.width + left) * 3
          for i in first..<first + 24 { sum += abs(Int(old.pixels[i]) - Int(new.pixels[i])) }
        }
        if sum > Self.changed * 192 { blocks += 1 }
      }
    }
    return blocks
  }
}
