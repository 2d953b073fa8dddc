import Autograd

/// How well the dynamics model predicts tokens: the last frame of each clip fully masked, the frames before it whole,
/// one pass, the likeliest code.
public struct TokenAccuracy: Sendable, Equatable {
  /// Share of all tokens that are right.
  public var all: Double
  /// Share of the tokens that differ from the frame before: copying scores 0.
  public var changed: Double
  /// Mean cross-entropy, in nats a token.
  public var crossEntropy: Double

  var figures: Figures {
    [("crossEntropy", crossEntropy), ("accuracy", all), ("changedTokenAccuracy", changed)]
  }

  /// - Parameter clips: `[time, tokens]` and `[time]` each; time at least 2.
  public init(_ dynamics: Dynamics, clips: [TokenClip]) {
    let tape = Tape(arena: Arena())
    let count = dynamics.configuration.tokens
    var (right, rightChanged, changing, total, loss) = (0, 0, 0, 0, 0.0)
    for clip in clips {
      tape.reset()
      let time = clip.time
      let truth = Array(clip.tokens)
      var shown = truth
      for token in 0..<count { shown[(time - 1) * count + token] = dynamics.mask }
      let hidden = dynamics.hidden(tape, tokens: shown, actions: clip.actions, batch: 1, time: time)
      let places = ((time - 1) * count..<time * count).map { $0 }
      let logits = dynamics.head(tape, tape.rows(hidden, places))
      let wanted = places.map { truth[$0] }
      loss += Double(tape.crossEntropy(logits, targets: wanted, scale: 1).loss.value[0])
      let vocabulary = dynamics.configuration.vocabulary
      for token in 0..<count {
        let row = UnsafeBufferPointer(start: logits.value.pointer + token * vocabulary, count: vocabulary)
        let best = row.indices.max { row[$0] < row[$1] }!
        let isRight = best == Int(wanted[token])
        let isChanged = wanted[token] != truth[(time - 2) * count + token]
        right += isRight ? 1 : 0
        changing += isChanged ? 1 : 0
        rightChanged += isRight && isChanged ? 1 : 0
        total += 1
      }
    }
    all = Double(right) / Double(max(1, total))
    self.changed = Double(rightChanged) / Double(max(1, changing))
    crossEntropy = loss / Double(max(1, total))
  }
}
