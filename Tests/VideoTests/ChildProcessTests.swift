import Foundation
import Testing

@testable import Video

@Suite struct ChildProcessTests {
  /// A program that waits for room in the pipe, and hears no signal meanwhile, does not outlive whoever reads it.
  @Test(.timeLimit(.minutes(1))) func whoIsNotReadEnds() throws {
    var process: ChildProcess? = try ChildProcess(
      URL(filePath: "/bin/sh"), ["-c", "trap '' TERM; exec yes"])
    withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { _ = process?.read(into: $0) }
    process = nil
  }
}
