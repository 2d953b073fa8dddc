import Foundation
import Testing

/// Runs the built command line as a person would.
struct CommandLineTool {
  /// Where SwiftPM put the products: beside the test bundle.
  static let products: URL = {
    var folder = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    while folder.path != "/", !FileManager.default.fileExists(atPath: folder.appending(path: "genie").path) {
      folder.deleteLastPathComponent()
    }
    return folder
  }()

  struct Result {
    var status: Int32
    var output: String
    var errors: String
  }

  /// Runs `genie` to its end.
  @discardableResult
  static func run(_ arguments: String...) throws -> Result { try run(arguments) }

  @discardableResult
  static func run(_ arguments: [String]) throws -> Result {
    let (process, output, errors) = try start(arguments)
    // Both are small: reading one after the other cannot block the process.
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complaints = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Result(status: process.terminationStatus, output: text, errors: complaints)
  }

  /// Starts `genie` and leaves it running.
  static func start(_ arguments: [String]) throws -> (Process, Pipe, Pipe) {
    let process = Process()
    process.executableURL = products.appending(path: "genie")
    process.arguments = arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return (process, output, errors)
  }

  static func json(_ file: URL) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
  }
}
