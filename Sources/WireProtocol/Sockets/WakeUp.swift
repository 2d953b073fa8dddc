#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A pipe with which any thread ends another's wait at a socket.
public final class WakeUp: Sendable {
  let readEnd: Int32
  private let writeEnd: Int32

  /// - Throws: ``WireError/socket(call:endpoint:reason:)`` where there are no descriptors left.
  public init() throws(WireError) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else {
      throw .socket(call: "pipe", endpoint: "", reason: String(cString: strerror(errno)))
    }
    for end in ends {
      _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    (readEnd, writeEnd) = (ends[0], ends[1])
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// Ends the wait, this one or the next. A full pipe is enough of a sign too.
  public func wake() {
    var byte: UInt8 = 1
    _ = write(writeEnd, &byte, 1)
  }

  /// Takes the signs that have come.
  func clear() {
    var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    let size = MemoryLayout.size(ofValue: bytes)
    while read(readEnd, &bytes, size) == size {}
  }
}
