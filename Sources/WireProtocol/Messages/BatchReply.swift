import Environments

/// The reply to `reset` and `step`: some rows of a batch as two payloads, and back.
///
/// All that is small comes first, in one frame: it leaves with the envelope, in one call of the system, and the
/// observations, which ZeroMQ sends from where they lie, are the end of the message.
public enum BatchReply {
  /// The explanations of rows' faults, in metadata.
  struct Faults: Codable {
    var faults: [Row]

    struct Row: Codable {
      var row: Int
      var status: UInt8
      var detail: ErrorDetail

      init(row: Int, _ error: EnvironmentError) {
        self.row = row
        status = Status(error).rawValue
        detail = ErrorDetail(error)
      }

      enum CodingKeys: CodingKey { case row, status }

      // The detail's keys lie beside these two.
      init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        row = try container.decode(Int.self, forKey: .row)
        status = try container.decode(UInt8.self, forKey: .status)
        detail = try ErrorDetail(from: decoder)
      }

      func encode(to encoder: any Encoder) throws {
        try detail.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(row, forKey: .row)
        try container.encode(status, forKey: .status)
      }
    }
  }

  /// The message for some rows of a batch.
  /// - Parameters:
  ///   - rows: which rows; they become rows `0..<rows.count` of the message.
  ///   - auxiliaries: the session's, in its order; one that the batch lacks is NaN.
  ///   - lent: the batch's observations, where the message may use them as they lie; else it copies them.
  public static func message(
    _ envelope: Envelope, _ batch: StepBatch, rows: Range<Int>, auxiliaries: [String],
    lent: LentBytes? = nil
  ) -> Message {
    let size = batch.observationSpace.byteCount
    let bytes = rows.lowerBound * size..<rows.upperBound * size
    let observations =
      lent.map { Frame(lending: $0, bytes) }
      ?? batch.observations.withUnsafeBytes {
        Frame(copying: UnsafeRawBufferPointer(rebasing: $0[bytes]))
      }
    let faults = rows.compactMap { row in
      batch.faults[row].map { Faults.Row(row: row - rows.lowerBound, $0) }
    }
    let outcomes = Frame(byteCount: rows.count * bytesPerOutcome(auxiliaries: auxiliaries.count))
    outcomes.withUnsafeMutableBytes { bytes in
      let columns = bytes.prefix(4 * rows.count * (1 + auxiliaries.count))
      func write(_ values: some Collection<Float>, column: Int) {
        _ = UnsafeMutableRawBufferPointer(rebasing: columns.dropFirst(4 * rows.count * column))
          .bindMemory(to: Float.self)
          .update(fromContentsOf: values)
      }
      write(batch.rewards[rows], column: 0)
      for (index, name) in auxiliaries.enumerated() {
        if let values = batch.auxiliaries[name] {
          write(values[rows], column: 1 + index)
        } else {
          write(repeatElement(.nan, count: rows.count), column: 1 + index)
        }
      }
      for (index, row) in rows.enumerated() {
        bytes[columns.endIndex + index] = (batch.terminated[row] ? 1 : 0) | (batch.truncated[row] ? 2 : 0)
        bytes[columns.endIndex + rows.count + index] = 0
      }
      for fault in faults { bytes[columns.endIndex + rows.count + fault.row] = fault.status }
    }
    return faults.isEmpty
      ? Message(envelope, payloads: [outcomes, observations])
      : Message(envelope, json: Faults(faults: faults), payloads: [outcomes, observations])
  }

  /// A reward and the auxiliaries, f32 each; flags and fault, u8 each.
  private static func bytesPerOutcome(auxiliaries: Int) -> Int { 4 * (1 + auxiliaries) + 2 }

  /// Reads a reply into a batch of `count` rows.
  /// - Throws: ``WireError/malformed(_:)`` where a payload's size is not that of `count` rows.
  public static func read(
    _ message: Message, count: Int, auxiliaries: [String], into batch: inout StepBatch
  ) throws(WireError) {
    try readOutcomes(message, count: count, auxiliaries: auxiliaries, into: &batch)
    observations(of: message) { bytes in
      batch.observations.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
    }
  }

  /// The observations of a reply whose outcomes were read, `[count, height, width, channels]`, where they lie.
  public static func observations<Result>(
    of message: Message, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try message.payloads[1].withUnsafeBytes(body)
  }

  /// Reads a reply into a batch of `count` rows, all but the observations.
  /// - Throws: as ``read(_:count:auxiliaries:into:)`` does.
  public static func readOutcomes(
    _ message: Message, count: Int, auxiliaries: [String], into batch: inout StepBatch
  ) throws(WireError) {
    try message.requirePayloads(2)
    let sizes = [bytesPerOutcome(auxiliaries: auxiliaries.count), batch.observationSpace.byteCount]
    for (index, payload) in message.payloads.enumerated() where payload.byteCount != sizes[index] * count {
      throw .malformed("payload \(index) has \(payload.byteCount) bytes, not \(sizes[index] * count)")
    }
    batch.prepare(count: count)
    let hasFaults = message.payloads[0].withUnsafeBytes { bytes in
      var rest = bytes[...]
      func take(_ column: UnsafeMutableRawBufferPointer) {
        column.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(column.count)))
        rest = rest.dropFirst(column.count)
      }
      batch.rewards.withUnsafeMutableBytes(take)
      for name in auxiliaries {
        batch.auxiliaries[name, default: Array(repeating: .nan, count: count)].withUnsafeMutableBytes(take)
      }
      for (row, flags) in rest.prefix(count).enumerated() {
        batch.terminated[row] = flags & 1 != 0
        batch.truncated[row] = flags & 2 != 0
      }
      return rest.dropFirst(count).contains { $0 != 0 }
    }
    if hasFaults { try readFaults(message, into: &batch) }
  }

  private static func readFaults(_ message: Message, into batch: inout StepBatch) throws(WireError) {
    let codes = message.payloads[0].withUnsafeBytes { Array($0.suffix(batch.count)) }
    for (row, code) in codes.enumerated() where code != 0 {
      batch.faults[row] = ErrorDetail(message: "").error(statusCode: code)
    }
    guard message.metadata.byteCount > 0 else { return }
    for fault in try message.json(as: Faults.self).faults {
      guard codes.indices.contains(fault.row), codes[fault.row] != 0 else {
        throw .malformed("a fault is explained in row \(fault.row), which has none")
      }
      batch.faults[fault.row] = fault.detail.error(statusCode: fault.status)
    }
  }
}
