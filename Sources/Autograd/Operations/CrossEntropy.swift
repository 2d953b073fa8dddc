import CKernels

extension Tape {
  /// scale * sum over rows of weight * -log softmax(logits)[target], a scalar.
  /// - Parameters:
  ///   - logits: `[..., classes]`.
  ///   - targets: one class a row.
  ///   - weights: one a row, or nil for 1.
  /// - Returns: the loss, and the number of rows (of non-zero weight) whose largest logit is the target's.
  public func crossEntropy(
    _ logits: Variable, targets: [Int32], weights: [Float]? = nil, scale: Float
  ) -> (loss: Variable, correct: Int) {
    let (rows, classes) = (logits.shape.rows, logits.shape[-1])
    precondition(targets.count == rows, "\(targets.count) targets for logits \(logits.shape)")
    precondition(targets.allSatisfy { $0 >= 0 && $0 < classes }, "a target outside 0..<\(classes)")
    precondition(
      weights == nil || weights!.count == rows, "\(weights!.count) weights for logits \(logits.shape)")
    var correct = 0
    let dlogits = logits.place >= 0 ? arena.tensor(logits.shape) : nil
    let sum = ck_cross_entropy(
      logits.value.pointer, targets, weights, scale, dlogits?.pointer, &correct, rows, classes)
    let loss = arena.tensor([Float(sum) * scale], [1])
    let result = record(loss, from: [logits]) { tape, dloss in
      guard let gradient = tape.gradient(of: logits), let dlogits else { return }
      ck_add_scaled(dlogits.pointer, dloss.pointer[0], gradient.pointer, gradient.count)
    }
    return (result, correct)
  }
}
