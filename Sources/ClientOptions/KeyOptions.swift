import ArgumentParser
import Foundation
import WireProtocol

/// The keys of a command that connects to servers.
public struct KeyOptions: ParsableArguments, Sendable {
  @Option(
    help: ArgumentHelp("This client's NAME.secret, for a server that asks for keys.", valueName: "file"))
  public var key: String?

  @Option(
    help: ArgumentHelp("The server's NAME.public. With several servers, one for all.", valueName: "file"))
  public var serverKey: String?

  public init() {}

  public func validate() throws {
    guard (key == nil) == (serverKey == nil) else {
      throw ValidationError("--key and --server-key go together.")
    }
  }

  /// Refuses keys that would be ignored.
  /// - Parameter endpoint: of the server that is connected to; nil where there is none.
  public func check(endpoint: String?) throws {
    guard key == nil || endpoint != nil else {
      throw ValidationError("--key and --server-key are for a server that is connected to: at --endpoint.")
    }
  }

  /// Reads the files.
  /// - Returns: nil where none are named.
  public func keys() throws(KeyError) -> ClientKeys? {
    guard let key, let serverKey else { return nil }
    return try ClientKeys(secret: URL(filePath: key), server: URL(filePath: serverKey))
  }
}
