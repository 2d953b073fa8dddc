import Autograd
import Environments
import NeuralNetwork
import Video
import WorldModel

/// Whether real frames are frames of the game still when the tokenizer has encoded and decoded them: no dream can be better
/// than that.
public struct DecodedFrames: Sendable {
  /// Frames that were judged, and how many of them are valid.
  public var frames: Int
  public var valid: Int
  /// Some that are not: as they were, and as they are drawn.
  public var spoilt: [(real: Picture, drawn: Picture)] = []

  public var validity: Double { Double(valid) / Double(max(1, frames)) }

  /// - Parameters:
  ///   - onlyLast: whether only the last frame of each clip is judged; the others are what the tokenizer sees before it.
  ///   - most: spoilt frames that are kept.
  init(
    _ tokenizer: Tokenizer, _ clips: [FrameBatch], onlyLast: Bool = false, most: Int = 48,
    judge: any GameJudge, workers: Workers
  ) {
    let judged = clips.map { onlyLast ? $0.time - 1..<$0.time : 0..<$0.time }
    let found = Slots<[(real: Picture, drawn: Picture)]>(count: clips.count)
    workers.run { [count = workers.count] worker in
      let arena = Arena()
      for index in stride(from: worker, to: clips.count, by: count) {
        arena.reset()
        let clip = clips[index]
        let codes = tokenizer.encode(clip, arena: arena)
        let decoded = tokenizer.decode(codes, clips: 1, time: clip.time, arena: arena)
        found[index] = judged[index].filter { !judge.read(decoded.frames($0..<$0 + 1).bytes).isValid }.map {
          (clip.picture($0), decoded.picture($0))
        }
      }
    }
    let all = found.all.flatMap { $0 }
    frames = judged.reduce(0) { $0 + $1.count }
    valid = frames - all.count
    spoilt = Array(all.prefix(most))
  }

  /// The frames that are spoilt, each beside what is drawn of it.
  public func sheet(pairs: Int = 6) -> Picture {
    var sheet = ContactSheet(
      columns: (0..<2 * min(pairs, spoilt.count)).map { $0 % 2 == 0 ? "real" : "drawn" })
    for start in stride(from: 0, to: spoilt.count, by: pairs) {
      sheet.append("", spoilt[start..<min(spoilt.count, start + pairs)].flatMap { [$0.real, $0.drawn] })
    }
    return sheet.picture()
  }
}
