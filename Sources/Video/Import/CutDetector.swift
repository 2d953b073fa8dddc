/// Finds scene changes, frame by frame.
///
/// Of each pair of frames (shrunk to at most 32 x 32) the difference is measured that remains after the best
/// shift of the whole picture by up to 6 pixels, so that a scrolling game is no change: the residual, a mean
/// absolute difference in 0...255. A frame begins a new scene if its residual
/// - exceeds 11 and twice the median of the last 32 residuals of the scene, or
/// - exceeds 4 and twice the largest of them (a camera at rest), once there are 16.
///
/// Two scenes that look alike at first sight, as levels of one game may, cannot be told apart so.
struct CutDetector {
  private static let side = 32
  private static let reach = 6
  private static let memory = 32
  private static let movingFloor: Float = 11
  private static let restingFloor: Float = 4
  private static let contrast: Float = 2

  private var previous: Picture?
  private var residuals: [Float] = []

  /// Whether the frame begins a new scene; the first frame ever does not.
  mutating func isCut(_ frame: Picture) -> Bool {
    let small = frame.resized(
      height: min(frame.height, Self.side), width: min(frame.width, Self.side))
    defer { previous = small }
    guard let previous else { return false }
    let residual = Self.residual(previous, small)
    let ordered = residuals.sorted()
    let median = ordered.isEmpty ? 0 : ordered[ordered.count / 2]
    let moving = residual > Self.movingFloor && residual > Self.contrast * median
    let resting =
      ordered.count >= 16 && residual > Self.restingFloor && residual > Self.contrast * ordered.last!
    if moving || resting {
      residuals.removeAll(keepingCapacity: true)
      return true
    }
    residuals.append(residual)
    if residuals.count > Self.memory { residuals.removeFirst() }
    return false
  }

  /// Forgets the scene, so that the next frame is the first again.
  mutating func restart() {
    previous = nil
    residuals.removeAll(keepingCapacity: true)
  }

  /// The least mean absolute difference over all shifts of the second picture against the first.
  static func residual(_ first: Picture, _ second: Picture) -> Float {
    let (height, width) = (first.height, first.width)
    // Where pictures are tiny a shift must leave most of them to compare.
    let reach = min(Self.reach, min(height, width) / 4)
    var best = Float.infinity
    first.pixels.withUnsafeBufferPointer { first in
      second.pixels.withUnsafeBufferPointer { second in
        for down in -reach...reach {
          for right in -reach...reach {
            let columns = (width - abs(right)) * 3
            var sum: Int32 = 0
            for row in max(0, down)..<height + min(0, down) {
              let a = (row * width + max(0, right)) * 3
              let b = ((row - down) * width + max(0, -right)) * 3
              for column in 0..<columns {
                sum &+= abs(Int32(first[a &+ column]) &- Int32(second[b &+ column]))
              }
            }
            best = min(best, Float(sum) / Float((height - abs(down)) * columns))
          }
        }
      }
    }
    return best
  }
}
