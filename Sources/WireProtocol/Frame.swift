import CZeroMQ

#if _endian(big)
  #error("the payloads of the protocol are little-endian and are read in place")
#endif

/// One frame of a multipart message: bytes in ZeroMQ's own memory, so that sending does not copy them.
///
/// A frame is written once, by who makes it, and only read after that: then it may go from thread to thread.
public final class Frame: @unchecked Sendable {
  let message: UnsafeMutablePointer<zmq_msg_t>

  /// A frame of `byteCount` bytes that are yet to be written.
  public init(byteCount: Int) {
    message = .allocate(capacity: 1)
    precondition(zmq_msg_init_size(message, byteCount) == 0, "no memory for a frame of \(byteCount) bytes")
  }

  /// The bytes of an array, as they lie in memory.
  public convenience init<Element: BitwiseCopyable>(_ elements: some Sequence<Element>) {
    if let done = elements.withContiguousStorageIfAvailable({ Frame(copying: UnsafeRawBufferPointer($0)) }) {
      self.init(taking: done)
    } else {
      self.init(taking: Array(elements).withUnsafeBytes { Frame(copying: $0) })
    }
  }

  /// A copy of some bytes.
  public convenience init(copying bytes: UnsafeRawBufferPointer) {
    self.init(byteCount: bytes.count)
    withUnsafeMutableBytes { $0.copyMemory(from: bytes) }
  }

  /// Some bytes of an array that is lent: nothing is copied, and the owner is kept until ZeroMQ has sent
  /// them.
  public init(lending owner: LentBytes, _ range: Range<Int>) {
    message = .allocate(capacity: 1)
    let start = owner.start.advanced(by: range.lowerBound)
    let hint = Unmanaged.passRetained(owner).toOpaque()
    let result = zmq_msg_init_data(
      message, UnsafeMutableRawPointer(mutating: start), range.count,
      { _, hint in Unmanaged<LentBytes>.fromOpaque(hint!).release() }, hint)
    precondition(result == 0, "no memory for a frame")
  }

  /// The content of another frame, shared with it.
  convenience init(taking other: Frame) {
    self.init(byteCount: 0)
    zmq_msg_copy(message, other.message)
  }

  deinit {
    zmq_msg_close(message)
    message.deallocate()
  }

  /// The public key of the client that sent the frame; empty where there was no CURVE.
  public var user: String {
    guard let text = zmq_msg_gets(message, "User-Id") else { return "" }
    return String(cString: text)
  }

  public var byteCount: Int { zmq_msg_size(message) }

  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(start: zmq_msg_data(message), count: byteCount))
  }

  /// For who makes the frame, before anybody else sees it.
  public func withUnsafeMutableBytes<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeMutableRawBufferPointer(start: zmq_msg_data(message), count: byteCount))
  }

  public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

  /// The frame as an array of numbers.
  /// - Throws: ``WireError/malformed(_:)`` where it does not hold a whole number of them.
  public func array<Element: BitwiseCopyable>(
    of type: Element.Type, _ what: String
  ) throws(WireError) -> [Element] {
    let size = MemoryLayout<Element>.size
    guard byteCount % size == 0 else {
      throw .malformed("\(what): \(byteCount) bytes are not whole \(type)s")
    }
    // Without this, the one empty array that all threads share would be written to.
    guard byteCount > 0 else { return [] }
    return withUnsafeBytes { bytes in
      [Element](unsafeUninitializedCapacity: bytes.count / size) { elements, count in
        UnsafeMutableRawBufferPointer(elements).copyMemory(from: bytes)
        count = bytes.count / size
      }
    }
  }
}
