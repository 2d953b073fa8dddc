import CKernels

extension Tape {
  /// Attention among the tokens of each frame: softmax(q k' / sqrt(d) + bias) v.
  /// - Parameters:
  ///   - qkv: `[batch, time, tokens, 3 * channels]`, read in place; of a team's member its own tokens.
  ///   - bias: `[heads, tokens, tokens]` (query, key).
  /// - Returns: `[batch, time, tokens, channels]`, of a team's member its own tokens.
  public func spatialAttention(_ qkv: Variable, heads: Int, bias: Variable?) -> Variable {
    let frames = qkv.shape[0] * qkv.shape[1]
    let channels = qkv.shape[3] / 3
    let size = channels / heads
    let tokens = member?.tokens ?? qkv.shape[2]
    precondition(channels * 3 == qkv.shape[3] && size * heads == channels, "\(heads) heads in \(qkv.shape)")
    precondition(
      bias == nil || bias!.value.count == heads * tokens * tokens, "bias \(bias!.shape) for \(qkv.shape)")
    // A member of a team has the queries of its own rows, and attends to the keys of all.
    let queries = member?.rows ?? 0..<tokens
    precondition(
      qkv.shape[2] == queries.count, "\(queries.count) queries of \(tokens) tokens in \(qkv.shape)")
    let all = member?.exchange(qkv.value) ?? qkv.value
    let scale = 1 / Float(size).squareRoot()
    let out = arena.tensor(qkv.shape.with(last: channels))
    let probabilities = isRecording ? arena.tensor([frames, heads, tokens, tokens]) : nil
    let scratch = arena.scratch(ck_spatial_attention_scratch(tokens))
    ck_spatial_attention_forward(
      precision.kernel, all.pointer, bias?.value.pointer, out.pointer, probabilities?.pointer,
      scratch.pointer, frames, tokens, queries.lowerBound, queries.count, heads, size, scale)
    let flops = 4 * Double(frames * queries.count * tokens * channels)
    guard isRecording else { return computed(out, flops: flops) }
    return record(out, from: [qkv] + (bias.map { [$0] } ?? []), flops: flops) { tape, dout in
      let dqkv = tape.gradient(of: qkv) ?? tape.arena.zeros(qkv.shape)
      ck_spatial_attention_backward(
        tape.precision.kernel, qkv.value.pointer, probabilities!.pointer, dout.pointer, dqkv.pointer,
        bias.flatMap { tape.gradient(of: $0) }?.pointer, scratch.pointer, frames, tokens, heads, size, scale)
    }
  }

  /// Spreads a table of biases by displacement over all pairs of tokens of a grid.
  /// - Parameters:
  ///   - table: `[heads, (2 rows - 1) * (2 columns - 1)]`, by key minus query, rows then columns.
  /// - Returns: `[heads, tokens, tokens]` (query, key).
  public func relativeBias(_ table: Variable, rows: Int, columns: Int) -> Variable {
    let (heads, width, tokens) = (table.shape[0], 2 * columns - 1, rows * columns)
    let size = (2 * rows - 1) * width
    precondition(table.shape[1] == size, "table \(table.shape) for a grid of \(rows) x \(columns)")
    // The keys of one row of the grid lie next to each other, in the table too.
    func forEachRow(_ body: (_ pair: Int, _ place: Int) -> Void) {
      for head in 0..<heads {
        for query in 0..<tokens {
          for row in 0..<rows {
            let (dy, dx) = (row - query / columns, -(query % columns))
            body(
              (head * tokens + query) * tokens + row * columns,
              head * size + (dy + rows - 1) * width + dx + columns - 1)
          }
        }
      }
    }
    let bias = arena.tensor([heads, tokens, tokens])
    forEachRow { (bias.pointer + $0).update(from: table.value.pointer + $1, count: columns) }
    return record(bias, from: [table]) { tape, dbias in
      guard let dtable = tape.gradient(of: table) else { return }
      forEachRow { ck_add_scaled(dbias.pointer + $0, 1, dtable.pointer + $1, columns) }
    }
  }
}
