/// The fixed head of every message: 72 bytes, little-endian, laid out in PROTOCOL.md section 1.
public struct Envelope: Hashable, Sendable {
  public static let byteCount = 72
  /// The bytes that the checksum covers, which is all of them but the checksum.
  static let summedByteCount = 68
  public static let magic: [UInt8] = Array("GENI".utf8)
  public static let version: UInt16 = 1

  public var version: UInt16 = Envelope.version
  /// The raw number, so that an unknown operation can be answered by its own number.
  public var operationCode: UInt8
  /// The raw number, so that a status of a newer server is still an error.
  public var statusCode: UInt8 = 0
  public var isReply = false
  public var payloadCount: UInt16 = 0
  public var retryAfterMilliseconds: UInt32 = 0
  /// One incarnation of the server; 0 where the client does not know it.
  public var epoch: UInt64 = 0
  public var session: Identifier = .none
  public var sequence: UInt64 = 0
  public var nonce: Identifier = .none

  public init(
    _ operation: Operation, epoch: UInt64 = 0, session: Identifier = .none, sequence: UInt64 = 0,
    nonce: Identifier = .none
  ) {
    operationCode = operation.rawValue
    self.epoch = epoch
    self.session = session
    self.sequence = sequence
    self.nonce = nonce
  }

  public var operation: Operation? { Operation(rawValue: operationCode) }
  public var status: Status? { Status(rawValue: statusCode) }

  /// The envelope of the answer to this one.
  public func reply(_ status: Status, epoch: UInt64) -> Envelope {
    var reply = self
    reply.version = Envelope.version
    reply.statusCode = status.rawValue
    reply.isReply = true
    reply.payloadCount = 0
    reply.retryAfterMilliseconds = 0
    reply.epoch = epoch
    return reply
  }

  /// Writes all but the checksum, which also needs the rest of the message.
  /// - Precondition: room for ``byteCount`` bytes.
  func write(to bytes: UnsafeMutableRawBufferPointer) {
    precondition(
      bytes.count == Envelope.byteCount, "an envelope in \(bytes.count) of \(Envelope.byteCount) bytes")
    func put<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
      bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
    }
    bytes.copyBytes(from: Envelope.magic)
    put(version, at: 4)
    put(operationCode, at: 6)
    put(statusCode, at: 7)
    put(UInt16(isReply ? 1 : 0), at: 8)
    put(payloadCount, at: 10)
    put(retryAfterMilliseconds, at: 12)
    put(epoch, at: 16)
    put(session.first, at: 24)
    put(session.second, at: 32)
    put(sequence, at: 40)
    put(nonce.first, at: 48)
    put(nonce.second, at: 56)
    put(UInt32(0), at: 64)
    put(UInt32(0), at: 68)
  }

  /// Reads an envelope, whatever its version, operation, status and checksum.
  /// - Throws: ``WireError/malformed(_:)`` where size or magic are not an envelope's.
  public init(reading bytes: UnsafeRawBufferPointer) throws(WireError) {
    guard bytes.count == Envelope.byteCount else {
      throw .malformed("the envelope has \(bytes.count) bytes, not \(Envelope.byteCount)")
    }
    guard bytes.prefix(4).elementsEqual(Envelope.magic) else { throw .malformed("the magic is not GENI") }
    func get<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value {
      Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
    version = get(UInt16.self, at: 4)
    operationCode = get(UInt8.self, at: 6)
    statusCode = get(UInt8.self, at: 7)
    isReply = get(UInt16.self, at: 8) & 1 == 1
    payloadCount = get(UInt16.self, at: 10)
    retryAfterMilliseconds = get(UInt32.self, at: 12)
    epoch = get(UInt64.self, at: 16)
    session = Identifier(first: get(UInt64.self, at: 24), second: get(UInt64.self, at: 32))
    sequence = get(UInt64.self, at: 40)
    nonce = Identifier(first: get(UInt64.self, at: 48), second: get(UInt64.self, at: 56))
  }
}
