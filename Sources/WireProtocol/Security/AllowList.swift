import Foundation

/// The clients that may connect: a file with a public key a line, then what one likes; `#` begins a comment.
///
/// The file is looked at again when it has changed, so that a key is let in or revoked without a restart. A
/// file that cannot be read any more lets nobody in.
public final class AllowList: @unchecked Sendable {
  private let file: URL
  private let lock = NSLock()
  // All under the lock.
  private var keys: Set<String> = []
  private var date: Date?
  private var size: Int?
  private var nextLook = ContinuousClock.now

  /// - Throws: ``KeyError`` where the file cannot be read, or holds a line that is no key.
  public init(_ file: URL) throws(KeyError) {
    self.file = file
    keys = try Self.read(file)
    (date, size) = Self.state(of: file)
  }

  /// Whether a client with this public key is let in now.
  public func contains(_ key: String) -> Bool {
    lock.withLock {
      look()
      return keys.contains(key)
    }
  }

  private func look() {
    let now = ContinuousClock.now
    guard now >= nextLook else { return }
    nextLook = now + .milliseconds(250)
    let state = Self.state(of: file)
    guard state != (date, size) else { return }
    (date, size) = state
    // A mistake in one line must not let a revoked key back in, so nobody is let in until it is mended.
    keys = (try? Self.read(file)) ?? []
  }

  private static func state(of file: URL) -> (Date?, Int?) {
    let attributes = try? FileManager.default.attributesOfItem(atPath: file.path)
    return (attributes?[.modificationDate] as? Date, (attributes?[.size] as? NSNumber)?.intValue)
  }

  private static func read(_ file: URL) throws(KeyError) -> Set<String> {
    guard let text = try? String(contentsOf: file, encoding: .utf8) else {
      throw .unreadable(file: file.path)
    }
    var keys: Set<String> = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      // '#' is a character of Z85 too: only a line that begins with "# " is a comment.
      guard let word = line.split(separator: " ").first, word != "#" else { continue }
      guard let key = CurveKey(String(word)) else { throw .notAKey(file: file.path, line: index + 1) }
      keys.insert(key.description)
    }
    return keys
  }
}

/// What a server needs to tell friend from stranger.
public struct ServerSecurity: Sendable {
  public var key: CurveKeyPair
  public var clients: AllowList

  public init(key: CurveKeyPair, clients: AllowList) {
    self.key = key
    self.clients = clients
  }
}
