import CKernels

extension Tape {
  /// Rows of a table.
  /// - Parameters:
  ///   - table: `[entries, channels]`.
  ///   - codes: entries in `0..<entries`, `shape.count` of them.
  ///   - shape: shape of the codes.
  /// - Returns: `[shape..., channels]`.
  public func embedding(_ table: Variable, _ codes: ArraySlice<Int32>, shape: Shape) -> Variable {
    let (entries, channels) = (table.shape[0], table.shape[1])
    precondition(codes.count == shape.count, "\(codes.count) codes for shape \(shape)")
    let y = arena.tensor(shape.appending(channels))
    for (row, code) in codes.enumerated() {
      precondition(code >= 0 && code < entries, "code \(code) of a table of \(entries)")
      (y.pointer + row * channels).update(from: table.value.pointer + Int(code) * channels, count: channels)
    }
    guard isRecording else { return computed(y) }
    return record(y, from: [table]) { tape, dy in
      guard let dtable = tape.gradient(of: table) else { return }
      for (row, code) in codes.enumerated() {
        ck_add_scaled(dy.pointer + row * channels, 1, dtable.pointer + Int(code) * channels, channels)
      }
    }
  }

  /// Rows of a table for what lies around each place of a frame: above, beside, below and at the place itself.
  /// - Parameters:
  ///   - table: `[entries, channels]`.
  ///   - codes: `[frames, rows, columns]`, entries in `0..<entries`.
  ///   - reach: places to each side: 1 is 3 x 3.
  ///   - outside: the entry for what is beyond the edge.
  ///   - places: of `0..<rows * columns`, those that are wanted of each frame.
  /// - Returns: `[frames, places, (2 reach + 1)^2 channels]`, in order of (row, column, channel).
  public func neighbours(
    _ table: Variable, _ codes: ArraySlice<Int32>, rows: Int, columns: Int, reach: Int, outside: Int32,
    places: Range<Int>
  ) -> Variable {
    let (entries, channels, side) = (table.shape[0], table.shape[1], 2 * reach + 1)
    let around = Neighbours(
      codes: codes, rows: rows, columns: columns, reach: reach, outside: outside, places: places)
    precondition(
      codes.count == around.frames * rows * columns && outside >= 0 && outside < entries,
      "\(codes.count) codes of \(rows) x \(columns), outside \(outside) of \(entries)")
    let y = arena.tensor([around.frames, places.count, side * side * channels])
    let (from, to) = (table.value.pointer, y.pointer)
    around.forEach { row, code in
      precondition(code >= 0 && code < entries, "code \(code) of a table of \(entries)")
      (to + row * channels).update(from: from + code * channels, count: channels)
    }
    guard isRecording else { return computed(y) }
    return record(y, from: [table]) { tape, dy in
      guard let dtable = tape.gradient(of: table) else { return }
      around.forEach { row, code in
        ck_add_scaled(dy.pointer + row * channels, 1, dtable.pointer + code * channels, channels)
      }
    }
  }

  /// Adds one row per position to every frame: x + table.
  /// - Parameters:
  ///   - x: `[..., tokens, channels]`.
  ///   - table: `[tokens, channels]`.
  public func addPositions(_ x: Variable, _ table: Variable) -> Variable {
    let size = table.value.count
    precondition(
      x.shape[-1] == table.shape[1] && x.shape[-2] == table.shape[0], "\(x.shape) + \(table.shape)")
    let y = arena.tensor(x.shape)
    y.copy(from: x.value)
    let frames = size == 0 ? 0 : x.value.count / size
    for frame in 0..<frames { ck_add_scaled(table.value.pointer, 1, y.pointer + frame * size, size) }
    guard isRecording else { return computed(y) }
    return record(y, from: [x, table]) { tape, dy in
      if let dtable = tape.gradient(of: table) {
        for frame in 0..<frames { ck_add_scaled(dy.pointer + frame * size, 1, dtable.pointer, size) }
      }
      tape.pass(dy, to: x)
    }
  }

  /// Chosen rows of a matrix, in the given order.
  /// - Parameters:
  ///   - x: `[..., channels]`.
  ///   - rows: indices of rows.
  /// - Returns: `[rows.count, channels]`.
  public func rows(_ x: Variable, _ rows: [Int]) -> Variable {
    let channels = x.shape[-1]
    let count = x.shape.rows
    let y = arena.tensor([rows.count, channels])
    for (place, row) in rows.enumerated() {
      precondition(row >= 0 && row < count, "row \(row) of \(x.shape)")
      (y.pointer + place * channels).update(from: x.value.pointer + row * channels, count: channels)
    }
    return record(y, from: [x]) { tape, dy in
      guard let dx = tape.gradient(of: x) else { return }
      for (place, row) in rows.enumerated() {
        ck_add_scaled(dy.pointer + place * channels, 1, dx.pointer + row * channels, channels)
      }
    }
  }
}

/// The codes around places of frames, in order of (frame, place, row, column).
private struct Neighbours {
  let codes: ArraySlice<Int32>
  let rows: Int
  let columns: Int
  let reach: Int
  let outside: Int32
  let places: Range<Int>

  var frames: Int { codes.count / (rows * columns) }

  func forEach(_ body: (_ row: Int, _ code: Int) -> Void) {
    var row = 0
    for frame in 0..<frames {
      let first = codes.startIndex + frame * rows * columns
      for place in places {
        for y in place / columns - reach...place / columns + reach {
          for x in place % columns - reach...place % columns + reach {
            let isInside = y >= 0 && y < rows && x >= 0 && x < columns
            body(row, Int(isInside ? codes[first + y * columns + x] : outside))
            row += 1
          }
        }
      }
    }
  }
}
