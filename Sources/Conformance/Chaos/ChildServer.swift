import Foundation
import WireProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// `genie serve` as a process of its own, which can be killed, frozen and weighed.
final class ChildServer {
  let endpoint: String
  private let process: Process

  /// - Parameters:
  ///   - genie: the program.
  ///   - endpoint: where; a server that comes after one that was killed is given the same.
  init(_ genie: URL, _ endpoint: String, _ arguments: [String] = []) throws {
    process = Process()
    process.executableURL = genie
    process.arguments =
      ["serve", "--game", "Platformer-v1", "--game", "Noop-v1", "--endpoint", endpoint] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    var line = Data()
    while let byte = try output.fileHandleForReading.read(upToCount: 1), !byte.isEmpty, byte[0] != 10 {
      line += byte
    }
    let words = String(decoding: line, as: UTF8.self)
    guard words.hasPrefix("serving at ") else { throw ChaosError.serverDidNotStart }
    self.endpoint = String(words.dropFirst("serving at ".count))
  }

  deinit { kill() }

  var processIdentifier: Int32 { process.processIdentifier }

  /// As a crash does: nothing is finished.
  func kill() {
    guard process.isRunning else { return }
    signal(SIGKILL)
    process.waitUntilExit()
  }

  func terminate() {
    signal(SIGTERM)
    process.waitUntilExit()
  }

  func signal(_ number: Int32) {
    #if canImport(Glibc)
      _ = Glibc.kill(process.processIdentifier, number)
    #else
      _ = Darwin.kill(process.processIdentifier, number)
    #endif
  }

  var isRunning: Bool { process.isRunning }

  /// The memory that it holds, in KiB.
  var residentKiB: Int {
    let text = (try? String(contentsOfFile: "/proc/\(processIdentifier)/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    return line.flatMap { Int($0.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first ?? "") }
      ?? 0
  }

  var descriptors: Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processIdentifier)/fd").count) ?? 0
  }
}

enum ChaosError: Error, CustomStringConvertible {
  case serverDidNotStart

  var description: String { "the server of the trial did not start" }
}
