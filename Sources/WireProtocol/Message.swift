import Foundation

/// A whole message: envelope, metadata, payloads.
public struct Message: Sendable {
  public var envelope: Envelope
  /// JSON, or empty.
  public var metadata: Frame
  public var payloads: [Frame]

  /// A message without metadata, as hot ones are.
  public init(_ envelope: Envelope, payloads: [Frame] = []) {
    self.init(envelope, metadata: Frame(byteCount: 0), payloads: payloads)
  }

  public init(_ envelope: Envelope, metadata: Frame, payloads: [Frame] = []) {
    self.envelope = envelope
    self.metadata = metadata
    self.payloads = payloads
    self.envelope.payloadCount = UInt16(payloads.count)
  }

  /// A message with metadata.
  public init(_ envelope: Envelope, json value: some Encodable, payloads: [Frame] = []) {
    self.init(envelope, metadata: Message.json(value), payloads: payloads)
  }

  /// The frames as they are sent: the checksum is made here.
  public var frames: [Frame] {
    let head = Frame(byteCount: Envelope.byteCount)
    head.withUnsafeMutableBytes { bytes in
      envelope.write(to: bytes)
      let sum = Message.checksum(UnsafeRawBufferPointer(bytes), metadata, payloads)
      bytes.storeBytes(of: sum, toByteOffset: Envelope.summedByteCount, as: UInt32.self)
    }
    return [head, metadata] + payloads
  }

  /// Reads what came in. Never traps, whatever the bytes.
  /// - Throws: ``WireError`` for a wrong number of frames, an envelope that is none, another
  ///   version, a wrong checksum, or more than the limits allow.
  public init(frames: [Frame], limits: Limits = Limits()) throws(WireError) {
    guard frames.count >= 2 else {
      throw .malformed("\(frames.count) frames; envelope and metadata are needed")
    }
    let envelope = try frames[0].withUnsafeBytes { bytes throws(WireError) in try Envelope(reading: bytes) }
    guard envelope.version == Envelope.version else { throw .unsupportedVersion(envelope.version) }
    guard frames.count - 2 <= limits.payloads else {
      throw .malformed("\(frames.count - 2) payloads; at most \(limits.payloads) are taken")
    }
    guard frames.count - 2 == Int(envelope.payloadCount) else {
      throw .malformed("\(frames.count - 2) payloads, and the envelope says \(envelope.payloadCount)")
    }
    guard frames[1].byteCount <= limits.metadataBytes else {
      throw .tooLarge(what: "metadata bytes", size: frames[1].byteCount, limit: limits.metadataBytes)
    }
    let payloads = Array(frames.dropFirst(2))
    let (expected, found) = frames[0].withUnsafeBytes { bytes in
      (
        Message.checksum(bytes, frames[1], payloads),
        bytes.loadUnaligned(fromByteOffset: Envelope.summedByteCount, as: UInt32.self)
      )
    }
    guard expected == found else { throw .corrupt(expected: expected, found: found) }
    self.envelope = envelope
    self.metadata = frames[1]
    self.payloads = payloads
  }

  /// The metadata as a value.
  /// - Throws: ``WireError/malformed(_:)`` where it is not the JSON of one.
  public func json<Value: Decodable>(as type: Value.Type) throws(WireError) -> Value {
    do {
      return try JSONDecoder().decode(type, from: Data(metadata.bytes))
    } catch {
      throw .malformed("the metadata is not the JSON of a \(type)")
    }
  }

  /// Checks the number of payloads that an operation has.
  public func requirePayloads(_ count: Int) throws(WireError) {
    guard payloads.count == count else {
      throw .malformed("\(payloads.count) payloads; this operation has \(count)")
    }
  }

  private static func json(_ value: some Encodable) -> Frame {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let data = try? encoder.encode(value) else { preconditionFailure("no JSON for \(value)") }
    return data.withUnsafeBytes { Frame(copying: $0) }
  }

  private static func checksum(_ head: UnsafeRawBufferPointer, _ metadata: Frame, _ payloads: [Frame])
    -> UInt32
  {
    var sum = CRC32()
    sum.add(UnsafeRawBufferPointer(rebasing: head[..<Envelope.summedByteCount]))
    metadata.withUnsafeBytes { sum.add($0) }
    for payload in payloads { sum.add(length: payload.byteCount) }
    return sum.value
  }
}
