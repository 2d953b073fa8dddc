import Autograd

/// Some moments of a video of each kind: so that moments can be drawn with every kind as likely as any other, however
/// seldom it comes.
///
/// A kind is two codes side by side, and the action that follows. What a frame holds is seldom rare; what is beside what
/// is, and what is done there: a player who jumps is in every other frame, and one who jumps below these spikes in one of
/// ten thousand. What comes of it is no part of the kind, or it would be taught to come oftener than it does.
struct MomentsByKind {
  /// A frame of an episode, after which another comes.
  struct Moment: Sendable {
    var shard: Int
    var frame: Int
    var episode: Range<Int>
  }

  /// Kinds share their places by chance where there are more of them than this.
  private static let kinds = 1 << 18
  /// Moments that are kept of a kind.
  private static let most = 8
  private var moments: [Moment] = []
  /// `[kinds, most]`: numbers of moments.
  private var table = [UInt32](repeating: 0, count: kinds * most)
  private var met = [Int](repeating: 0, count: kinds)
  private var used: [Int] = []
  private let key = RandomKey(seed: 0).folded(in: "moments by kind")

  /// Takes note of what an episode shows and of what is done in it.
  /// - Parameters:
  ///   - tokens: `[episode.count, rows, columns]`.
  ///   - actions: `[episode.count]`: what led to each frame.
  mutating func meet(
    shard: Int, episode: Range<Int>, tokens: ArraySlice<Int32>, actions: ArraySlice<Int32>, columns: Int
  ) {
    let perFrame = tokens.count / episode.count
    tokens.withUnsafeBufferPointer { tokens in
      for (index, frame) in episode.dropLast().enumerated() {
        let action = UInt64(UInt32(bitPattern: actions[actions.startIndex + index + 1]))
        let first = index * perFrame
        for token in first..<first + perFrame {
          if (token - first) % columns + 1 < columns { meet(tokens[token], tokens[token + 1], 2 * action) }
          if token + columns < first + perFrame {
            meet(tokens[token], tokens[token + columns], 2 * action + 1)
          }
        }
        moments.append(Moment(shard: shard, frame: frame, episode: episode))
      }
    }
  }

  /// Of the moment that is added next; each that was met stays with the same probability.
  private mutating func meet(_ one: Int32, _ other: Int32, _ rest: UInt64) {
    let pair = UInt64(UInt32(bitPattern: one)) << 32 | UInt64(UInt32(bitPattern: other))
    let kind = key.folded(in: rest).integer(pair, below: Self.kinds)
    let count = met[kind]
    met[kind] += 1
    if count == 0 { used.append(kind) }
    let place =
      count < Self.most
      ? count : key.integer(UInt64(kind) << 32 + UInt64(count), below: count + 1)
    if place < Self.most { table[kind * Self.most + place] = UInt32(moments.count) }
  }

  /// A moment of a kind which is as likely as any other; nil as long as none was met.
  func draw(_ key: RandomKey) -> Moment? {
    guard !used.isEmpty else { return nil }
    let kind = used[key.integer(0, below: used.count)]
    return moments[Int(table[kind * Self.most + key.integer(1, below: min(met[kind], Self.most))])]
  }
}
