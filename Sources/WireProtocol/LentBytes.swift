import Foundation

/// An array whose bytes are being sent: it is not written to until the last frame of it is gone, and goes
/// back to its shelf then.
public final class LentBytes: @unchecked Sendable {
  private let bytes: [UInt8]
  private let shelf: ByteShelf
  /// The storage of an array does not move while somebody holds it and nobody writes.
  let start: UnsafeRawPointer

  public init(_ bytes: [UInt8], from shelf: ByteShelf) {
    precondition(!bytes.isEmpty, "nothing to lend")
    self.bytes = bytes
    self.shelf = shelf
    start = self.bytes.withUnsafeBytes { $0.baseAddress! }
  }

  deinit { shelf.put(bytes) }
}

/// Arrays that were lent and came back, for the next time: fresh memory would cost more than what is written
/// to it.
public final class ByteShelf: @unchecked Sendable {
  private let lock = NSLock()
  private var arrays: [[UInt8]] = []

  public init() {}

  /// The array that came back last; an empty one where there is none.
  public func take() -> [UInt8] { lock.withLock { arrays.popLast() ?? [] } }

  func put(_ bytes: [UInt8]) {
    lock.withLock { if arrays.count < 2 { arrays.append(bytes) } }
  }
}
