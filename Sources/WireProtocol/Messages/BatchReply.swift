import Environments

/// The reply to `reset` and `step`: some rows of a batch as payloads, and back.
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
    let flags = rows.map { (batch.terminated[$0] ? 1 : 0) | (batch.truncated[$0] ? 2 : 0) as UInt8 }
    let columns = Frame(byteCount: 4 * auxiliaries.count * rows.count)
    columns.withUnsafeMutableBytes { bytes in
      for (index, name) in auxiliaries.enumerated() {
        let values = batch.auxiliaries[name]?[rows] ?? ArraySlice(repeatElement(.nan, count: rows.count))
        let column = bytes[4 * index * rows.count..<4 * (index + 1) * rows.count]
        values.withUnsafeBytes { UnsafeMutableRawBufferPointer(rebasing: column).copyMemory(from: $0) }
      }
    }
    let faults = rows.compactMap { row in
      batch.faults[row].map { Faults.Row(row: row - rows.lowerBound, $0) }
    }
    var codes: [UInt8] = []
    if !faults.isEmpty {
      codes = Array(repeating: 0, count: rows.count)
      for fault in faults { codes[fault.row] = fault.status }
    }
    let payloads = [observations, Frame(batch.rewards[rows]), Frame(flags), Frame(codes), columns]
    return faults.isEmpty
      ? Message(envelope, payloads: payloads)
      : Message(envelope, json: Faults(faults: faults), payloads: payloads)
  }

  /// Reads a reply into a batch of `count` rows.
  /// - Throws: ``WireError/malformed(_:)`` where a payload's size is not that of `count` rows.
  public static func read(
    _ message: Message, count: Int, auxiliaries: [String], into batch: inout StepBatch
  ) throws(WireError) {
    try message.requirePayloads(5)
    let sizes = [batch.observationSpace.byteCount, 4, 1, 1, 4 * auxiliaries.count].map { $0 * count }
    for (index, payload) in message.payloads.enumerated() {
      guard payload.byteCount == sizes[index] || (index == 3 && payload.byteCount == 0) else {
        throw .malformed("payload \(index) has \(payload.byteCount) bytes, not \(sizes[index])")
      }
    }
    batch.prepare(count: count)
    message.payloads[0].withUnsafeBytes { bytes in
      batch.observations.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
    }
    message.payloads[1].withUnsafeBytes { bytes in
      batch.rewards.withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
    }
    message.payloads[2].withUnsafeBytes { flags in
      for row in 0..<count {
        batch.terminated[row] = flags[row] & 1 != 0
        batch.truncated[row] = flags[row] & 2 != 0
      }
    }
    for (index, name) in auxiliaries.enumerated() {
      message.payloads[4].withUnsafeBytes { bytes in
        batch.auxiliaries[name, default: Array(repeating: .nan, count: count)].withUnsafeMutableBytes {
          $0.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: bytes[4 * index * count..<4 * (index + 1) * count]))
        }
      }
    }
    if message.payloads[3].byteCount > 0 { try readFaults(message, into: &batch) }
  }

  private static func readFaults(_ message: Message, into batch: inout StepBatch) throws(WireError) {
    let codes = message.payloads[3].bytes
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
