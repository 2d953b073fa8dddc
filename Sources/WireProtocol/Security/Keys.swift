import CZeroMQ
import Foundation

/// A CURVE key, public or secret: 32 bytes, written as 40 characters of Z85.
public struct CurveKey: Hashable, Sendable, Codable, CustomStringConvertible {
  /// The 40 characters.
  public let description: String

  /// Nil where the text is none.
  public init?(_ text: String) {
    var bytes = [UInt8](repeating: 0, count: 32)
    guard text.utf8.count == 40, zmq_z85_decode(&bytes, text) != nil else { return nil }
    description = text
  }

  /// A key as it comes in a handshake.
  init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    var text = [CChar](repeating: 0, count: 41)
    guard zmq_z85_encode(&text, bytes, 32) != nil else { return nil }
    description = String(decoding: text.prefix(40).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// A secret key with its public half.
public struct CurveKeyPair: Hashable, Sendable {
  public let publicKey: CurveKey
  public let secretKey: CurveKey

  /// A fresh pair, from the system's random numbers.
  /// - Throws: ``KeyError/unsupported`` where ZeroMQ was built without CURVE.
  public init() throws(KeyError) {
    var publicText = [CChar](repeating: 0, count: 41)
    var secretText = [CChar](repeating: 0, count: 41)
    guard zmq_curve_keypair(&publicText, &secretText) == 0,
      let secret = CurveKey(
        String(decoding: secretText.prefix(40).map { UInt8(bitPattern: $0) }, as: UTF8.self))
    else { throw .unsupported }
    try self.init(secret: secret)
  }

  /// The pair of a secret key.
  public init(secret: CurveKey) throws(KeyError) {
    var text = [CChar](repeating: 0, count: 41)
    guard zmq_curve_public(&text, secret.description) == 0,
      let key = CurveKey(String(decoding: text.prefix(40).map { UInt8(bitPattern: $0) }, as: UTF8.self))
    else { throw .unsupported }
    publicKey = key
    secretKey = secret
  }
}

/// Why keys cannot be read or written.
public enum KeyError: Error, Hashable, Sendable, CustomStringConvertible {
  case unsupported
  case unreadable(file: String)
  case notAKey(file: String, line: Int)
  /// Others may read a secret key.
  case exposed(file: String)
  case exists(file: String)
  case unwritable(file: String, reason: String)

  public var description: String {
    switch self {
    case .unsupported: "this ZeroMQ was built without CURVE"
    case .unreadable(let file): "\(file): cannot be read"
    case .notAKey(let file, let line):
      "\(file), line \(line): a key is 40 characters; 'genie keys make NAME' makes a pair"
    case .exposed(let file): "\(file): others than its owner can read this secret: chmod 600 it"
    case .exists(let file): "\(file) exists already: a key is never overwritten"
    case .unwritable(let file, let reason): "\(file): \(reason)"
    }
  }
}

/// Keys in files: `NAME.secret` (mode 600) and `NAME.public`, each one line of 40 characters.
public enum KeyFile {
  /// Reads a public key.
  public static func publicKey(_ file: URL) throws(KeyError) -> CurveKey { try read(file) }

  /// Reads a secret key, with its public half.
  /// - Throws: ``KeyError/exposed(file:)`` where others can read the file.
  public static func pair(_ file: URL) throws(KeyError) -> CurveKeyPair {
    let key = try read(file)
    guard let state = FileState(file), state.mode & 0o077 == 0 else { throw .exposed(file: file.path) }
    return try CurveKeyPair(secret: key)
  }

  /// Writes `NAME.secret` and `NAME.public`.
  /// - Returns: the two files.
  public static func write(_ pair: CurveKeyPair, to name: URL) throws(KeyError) -> (secret: URL, public: URL)
  {
    let secret = name.appendingPathExtension("secret")
    let open = name.appendingPathExtension("public")
    for (file, key, mode) in [(secret, pair.secretKey, 0o600), (open, pair.publicKey, 0o644)] {
      guard !FileManager.default.fileExists(atPath: file.path) else { throw .exists(file: file.path) }
      let made = FileManager.default.createFile(
        atPath: file.path, contents: Data("\(key)\n".utf8), attributes: [.posixPermissions: mode])
      guard made else { throw .unwritable(file: file.path, reason: "cannot be written") }
    }
    return (secret, open)
  }

  private static func read(_ file: URL) throws(KeyError) -> CurveKey {
    guard let text = try? String(contentsOf: file, encoding: .utf8) else {
      throw .unreadable(file: file.path)
    }
    let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    guard let key = CurveKey(line.trimmingCharacters(in: .whitespaces)) else {
      throw .notAKey(file: file.path, line: 1)
    }
    return key
  }
}

/// The keys with which a client shows who it is, and knows the server.
public struct ClientKeys: Hashable, Sendable {
  public var own: CurveKeyPair
  public var server: CurveKey

  public init(own: CurveKeyPair, server: CurveKey) {
    self.own = own
    self.server = server
  }

  /// Reads them from files.
  public init(secret: URL, server: URL) throws(KeyError) {
    self.init(own: try KeyFile.pair(secret), server: try KeyFile.publicKey(server))
  }
}
