import Video

/// What moved between two pictures: the whole scene, as where a camera follows somebody, or a part of it.
struct SeenMotion: Equatable {
  /// Pixels to the right and down that the scene went.
  var scene: (x: Int, y: Int) = (0, 0)
  /// Pixels to the right and down that what the scene does not explain went; nil where nothing is left to explain.
  var object: (x: Int, y: Int)?

  /// Displacements of up to so many pixels are tried.
  static let reach = 8
  /// A pixel that differs by more than so much is not explained.
  private static let tolerance = 24

  /// - Precondition: pictures of the same size, larger than twice the reach.
  init(from old: Picture, to new: Picture) {
    precondition(
      old.height == new.height && old.width == new.width && min(old.height, old.width) > 2 * Self.reach,
      "motion between [\(old.height), \(old.width)] and [\(new.height), \(new.width)]")
    let all = [Bool](repeating: true, count: old.height * old.width)
    scene = Self.displacement(old, new, of: all) ?? (0, 0)
    // New where the scene's motion does not explain it: there something moved by itself.
    var left = [Bool](repeating: false, count: all.count)
    var count = 0
    for y in 0..<old.height {
      for x in 0..<old.width {
        let (row, column) = (y - scene.y, x - scene.x)
        guard (0..<old.height).contains(row), (0..<old.width).contains(column) else { continue }
        let difference = Self.difference(old, row * old.width + column, new, y * old.width + x)
        guard difference > Self.tolerance else { continue }
        left[y * old.width + x] = true
        count += 1
      }
    }
    guard count >= 6, let moved = Self.displacement(old, new, of: left, gain: 0.3) else { return }
    object = (moved.x - scene.x, moved.y - scene.y)
  }

  /// Where the player went: with the camera behind him the scene goes the other way, else he is what moved.
  var ofPlayer: (x: Int, y: Int) {
    scene == (0, 0) ? object ?? (0, 0) : (-scene.x, -scene.y)
  }

  static func == (left: SeenMotion, right: SeenMotion) -> Bool {
    left.scene == right.scene && left.object?.x == right.object?.x && left.object?.y == right.object?.y
  }

  /// The displacement that explains most of the pixels.
  /// - Parameter gain: share of what standing still leaves unexplained that a displacement has to explain.
  private static func displacement(
    _ old: Picture, _ new: Picture, of pixels: [Bool], gain: Double = 0.1
  ) -> (x: Int, y: Int)? {
    let places = pixels.indices.filter { pixels[$0] }
    var best: (cost: Double, x: Int, y: Int)?
    var still = 0.0
    for y in -reach...reach {
      for x in -reach...reach {
        var (sum, count) = (0, 0)
        for place in places {
          let (row, column) = (place / old.width - y, place % old.width - x)
          guard row >= 0, row < old.height, column >= 0, column < old.width else { continue }
          sum += min(96, difference(old, row * old.width + column, new, place))
          count += 1
        }
        // Of what is mostly outside nothing can be said.
        guard count * 2 > places.count else { continue }
        // Of equals the shorter way.
        let cost = Double(sum) / Double(count) + 0.01 * Double(abs(x) + abs(y))
        if x == 0, y == 0 { still = cost }
        if cost < best?.cost ?? .infinity { best = (cost, x, y) }
      }
    }
    return best.map { $0.cost <= (1 - gain) * still ? ($0.x, $0.y) : (0, 0) }
  }

  /// The largest difference of a channel.
  private static func difference(_ old: Picture, _ a: Int, _ new: Picture, _ b: Int) -> Int {
    var most = 0
    for channel in 0..<3 {
      most = max(most, abs(Int(old.pixels[a * 3 + channel]) - Int(new.pixels[b * 3 + channel])))
    }
    return most
  }
}
