import Foundation

/// How old an episode is at a frame, as dynamics are told it (``DynamicsConfiguration/ages``).
///
/// A level's first picture looks like any other, and what left the window is forgotten. A dream that does not know how old it is comes
/// to the level's end as soon as to anything else.
enum EpisodeAge {
  /// Of a frame of which nothing is known but the picture.
  static let unknown: Int32 = -1

  /// On a scale of doublings, each age between its two neighbours: 0, 1, 3, 7, 15, ... frames.
  /// - Parameter features: `[count]`, of sum 1; left as they are (zero) where the age is not known.
  static func tell(_ age: Int32, to features: UnsafeMutablePointer<Float>, count: Int) {
    guard age >= 0, count > 0 else { return }
    let place = min(log2(Float(age) + 1), Float(count - 1))
    let lower = min(Int(place), max(count - 2, 0))
    let share = place - Float(lower)
    features[lower] = 1 - share
    if lower + 1 < count { features[lower + 1] = share }
  }
}
