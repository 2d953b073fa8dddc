import Foundation

/// A running program whose output is read as it comes. Standard error is drained on a thread of its own, so
/// that neither side ever waits for the other with a full pipe.
final class ChildProcess {
  private let process = Process()
  private let output = Pipe()
  private let errors = ErrorTail()

  /// - Throws: what Foundation throws if the program cannot be started.
  init(_ executable: URL, _ arguments: [String]) throws {
    let errorPipe = Pipe()
    process.executableURL = executable
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errorPipe
    try process.run()
    errors.drain(errorPipe.fileHandleForReading)
  }

  deinit {
    if process.isRunning {
      // Who waits for room in a full pipe hears no signal.
      try? output.fileHandleForReading.close()
      process.terminate()
      process.waitUntilExit()
    }
  }

  /// Reads until `buffer` is full or the output ends.
  /// - Returns: the bytes read; fewer than asked for only at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let descriptor = output.fileHandleForReading.fileDescriptor
    var count = 0
    while count < buffer.count {
      let got = Foundation.read(descriptor, buffer.baseAddress! + count, buffer.count - count)
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { break }
      count += got
    }
    return count
  }

  /// The rest of the output.
  func readToEnd() -> Data {
    (try? output.fileHandleForReading.readToEnd()) ?? Data()
  }

  /// Waits for the program to end.
  /// - Returns: whether it succeeded, and the last line that it wrote to standard error.
  func finish() -> (succeeded: Bool, lastLine: String?) {
    process.waitUntilExit()
    return (process.terminationReason == .exit && process.terminationStatus == 0, errors.lastLine())
  }
}

/// The last kilobytes of a program's standard error.
private final class ErrorTail: @unchecked Sendable {
  private static let limit = 8192
  // Written by the draining thread before it signals `ended`, read after that.
  private var bytes = Data()
  private let ended = DispatchGroup()

  func drain(_ handle: FileHandle) {
    ended.enter()
    Thread.detachNewThread { [self] in
      while let chunk = try? handle.read(upToCount: 4096), !chunk.isEmpty {
        bytes = Data((bytes + chunk).suffix(Self.limit))
      }
      ended.leave()
    }
  }

  func lastLine() -> String? {
    ended.wait()
    return String(decoding: bytes, as: UTF8.self)
      .split(whereSeparator: \.isNewline)
      .last { !$0.allSatisfy(\.isWhitespace) }
      .map { String($0).trimmingCharacters(in: .whitespaces) }
  }
}
