import Foundation

/// The clients that may connect: a file with a public key a line, then what one likes; `# `, with a space, begins a comment (`#` may
/// begin a key).
///
/// The file is looked at again when it has changed, so that a key is let in or revoked without a restart. A
/// file that cannot be read any more lets nobody in.
public final class AllowList: @unchecked Sendable {
  private let file: URL
  private let lock = NSLock()
  // All under the lock.
  private var keys: Set<String> = []
  private var state: FileState?
  private var nextLook = ContinuousClock.now

  /// - Throws: ``KeyError`` where the file cannot be read, or holds a line that is no key.
  public init(_ file: URL) throws(KeyError) {
    self.file = file
    // What changes while it is read is seen at the next look.
    state = FileState(file)
    keys = try Self.read(file)
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
    let state = FileState(file)
    guard state != self.state else { return }
    self.state = state
    // A mistake in one line must not let a revoked key back in, so nobody is let in until it is mended.
    keys = (try? Self.read(file)) ?? []
  }

  private static func read(_ file: URL) throws(KeyError) -> Set<String> {
    var keys: Set<String> = []
    for (index, line) in try lines(of: file).enumerated() {
      guard let word = word(of: line) else { continue }
      guard let key = CurveKey(word) else { throw .notAKey(file: file.path, line: index + 1) }
      keys.insert(key.description)
    }
    return keys
  }

  private static func lines(of file: URL) throws(KeyError) -> [String] {
    guard let text = try? String(contentsOf: file, encoding: .utf8) else {
      throw .unreadable(file: file.path)
    }
    return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
  }

  /// What stands where a key stands; nil in an empty line and in a comment.
  private static func word(of line: String) -> String? {
    // '#' is a character of Z85 too: only a line that begins with "# " is a comment.
    guard let word = line.split(separator: " ").first, word != "#" else { return nil }
    return String(word)
  }

  private static func write(_ lines: [String], to file: URL) throws {
    try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: file, options: .atomic)
  }

  /// Puts a key on a list; one is made where there is none.
  /// - Returns: whether it was not on it yet.
  /// - Throws: ``KeyError/unreadable(file:)`` for a list that cannot be read, which is left as it is, or what Foundation throws when it
  ///   cannot be written.
  public static func add(_ key: CurveKey, named name: String, to file: URL) throws -> Bool {
    var lines = FileManager.default.fileExists(atPath: file.path) ? try lines(of: file) : []
    guard !lines.contains(where: { word(of: $0) == key.description }) else { return false }
    if lines.last?.isEmpty == true { lines.removeLast() }
    try write(lines + ["\(key) \(name)"], to: file)
    return true
  }

  /// Takes a key off a list.
  /// - Returns: whether it was on it.
  /// - Throws: as ``add(_:named:to:)``.
  public static func remove(_ key: CurveKey, from file: URL) throws -> Bool {
    var lines = try lines(of: file)
    if lines.last?.isEmpty == true { lines.removeLast() }
    let rest = lines.filter { word(of: $0) != key.description }
    guard rest.count < lines.count else { return false }
    try write(rest, to: file)
    return true
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
