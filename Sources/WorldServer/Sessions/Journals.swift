import Environments
import Foundation
import WireProtocol

/// Why a session cannot be kept, or not be taken up.
enum JournalError: Error, CustomStringConvertible {
  case unwritable(String)
  /// Nothing shortens it, and to take it up would take longer and longer.
  case tooLong(requests: Int)
  case missing
  case damaged

  var description: String {
    switch self {
    case .unwritable(let reason): "the session cannot be written: \(reason)"
    case .tooLong(let requests): "its environments give no snapshots, and it has \(requests) requests"
    case .missing: "no such session"
    case .damaged: "what was kept of the session is damaged"
    }
  }
}

/// What is kept of a session: its state at some time, and the requests since.
struct Journal {
  /// The state, but for the environments' snapshots.
  struct Base: Codable {
    var environment = ""
    var user = ""
    var accepted: UInt64 = 0
    var operation: UInt8 = 0
    var next: Int32 = 0
    var auxiliaries: [String] = []
    /// Of the slots, with what each was opened with.
    var numbers: [Int32] = []
    var options: [OpenOptions] = []
  }

  struct Request {
    let message: Message
    /// The answer to an open or a fork: what became of it depended on what other sessions held. Nil where the
    /// server was killed before it, and nobody has seen one.
    var answer: Message?
  }

  var base = Base()
  /// Snapshots, one for each number.
  var blobs: [[UInt8]] = []
  /// The reply to the request `accepted`; empty at the very start.
  var reply: [Frame] = []
  var requests: [Request] = []
  /// Bytes of the file up to the end of the last record that is whole.
  var byteCount = 0
}

/// Sessions on disk, one file each, so that they outlive the server, also where it is killed: a request is
/// written before it is done. (A loss of power may lose the last ones: nothing waits for the disk.)
final class Journals {
  private struct Entry {
    var file: FileHandle
    var base: Journal.Base
    var requests = 0
    /// Requests at which the next snapshot is tried.
    var nextSnapshot = Journals.requestsPerSnapshot
    var last = Envelope(.unknown)
    var reply: [Frame] = []
  }

  /// Requests after which a snapshot is worth its time.
  static let requestsPerSnapshot = 256
  /// Requests of a session whose environments give no snapshots.
  private static let mostRequests = 1 << 20

  private let folder: URL
  private let keepingSeconds: Double
  private var entries: [Identifier: Entry] = [:]

  /// - Throws: ``ServerError/persistence(reason:)`` where the folder cannot be made.
  init(_ folder: URL, keepingSeconds: Double) throws(ServerError) {
    self.folder = folder
    self.keepingSeconds = keepingSeconds
    do {
      let mode: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: mode)
      // One that was there already, too: who can list it knows all tokens.
      try FileManager.default.setAttributes(mode, ofItemAtPath: folder.path)
      let files = try FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: [.contentModificationDateKey])
      for file in files where file.pathExtension == "new" || file.pathExtension == "session" && isStale(file)
      {
        try? FileManager.default.removeItem(at: file)
      }
    } catch {
      throw .persistence(reason: "\(folder.path): \(error.localizedDescription)")
    }
  }

  /// A file tells of a ping up to a quarter of the time late (``touch(_:)``).
  private func isStale(_ file: URL) -> Bool {
    guard let date = try? file.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate
    else { return true }
    return -date.timeIntervalSinceNow > 1.25 * keepingSeconds
  }

  private func file(of session: Identifier) -> URL { folder.appending(path: "\(session).session") }

  /// Gives a session's file the date of now. From any thread.
  func touch(_ session: Identifier) {
    try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: file(of: session).path)
  }

  /// Writes a request down. The one that starts the session begins the file; where a later one finds none, it was
  /// given up.
  func append(_ work: Work) throws(JournalError) {
    if entries[work.session] == nil {
      guard work.envelope.sequence == 1 else { return }
      var base = Journal.Base()
      base.user = work.user
      try begin(work.session, base) { [base] file in
        try file.write(contentsOf: Journal.head(base, replyFrames: 0))
      }
    }
    try write(Journal.record(work.request.frames), to: work.session)
    entries[work.session]?.requests += 1
    entries[work.session]?.last = work.envelope
  }

  /// Notes the answer to the last request, and writes that to an open or a fork down.
  /// - Returns: whether a snapshot is due.
  func answered(_ session: Identifier, _ reply: [Frame]) throws(JournalError) -> Bool {
    guard let entry = entries[session] else { return false }
    if [.open, .fork].contains(entry.last.operation) { try write(Journal.record(reply), to: session) }
    entries[session]?.reply = reply
    guard entry.requests < Self.mostRequests else { throw .tooLong(requests: entry.requests) }
    guard entry.requests >= entry.nextSnapshot else { return false }
    // Where there is none to be had it is tried ever more seldom.
    entries[session]?.nextSnapshot = 2 * entry.requests
    return true
  }

  /// Puts the session's state in the place of its requests.
  /// - Parameter snapshot: called for one slot after the other. Each is written before the next is asked for: all
  ///   of them together may be more than there is memory for. Where it throws, all stays as it is.
  func replace(
    _ session: Identifier, _ holding: Holding, environment: String,
    _ snapshot: (Slot) throws(EnvironmentError) -> [UInt8]
  ) throws(JournalError) {
    guard let entry = entries[session], entry.requests > 0 else { return }
    var base = entry.base
    base.environment = environment
    base.accepted = entry.last.sequence
    base.operation = entry.last.operationCode
    base.next = holding.next
    base.auxiliaries = holding.auxiliaries
    base.numbers = holding.numbers
    base.options = holding.options
    try begin(session, base) { [base] file in
      try file.write(contentsOf: Journal.head(base, replyFrames: entry.reply.count))
      for slot in holding.slots { try file.write(contentsOf: Journal.field(Frame(snapshot(slot)))) }
      for frame in entry.reply { try file.write(contentsOf: Journal.field(frame)) }
    }
    entries[session]?.last = entry.last
    entries[session]?.reply = entry.reply
  }

  /// What is kept of a session.
  func read(_ session: Identifier) throws(JournalError) -> Journal {
    let file = file(of: session)
    guard !isStale(file), let data = try? Data(contentsOf: file) else { throw .missing }
    return try Journal(reading: data)
  }

  /// Goes on with the file of a session that was taken up. A record that was cut short at the end of it was never
  /// done, or nobody was told.
  func resumed(_ session: Identifier, _ journal: Journal, _ reply: [Frame]) throws(JournalError) {
    do {
      let handle = try FileHandle(forWritingTo: file(of: session))
      try handle.truncate(atOffset: UInt64(journal.byteCount))
      entries[session] = Entry(
        file: handle, base: journal.base, requests: journal.requests.count,
        last: journal.requests.last?.message.envelope ?? Envelope(.unknown))
    } catch {
      throw .unwritable(error.localizedDescription)
    }
    _ = try answered(session, reply)
  }

  /// Forgets a session.
  func remove(_ session: Identifier) {
    entries[session] = nil
    try? FileManager.default.removeItem(at: file(of: session))
  }

  /// A new file, in the place of the old one at once.
  /// - Parameter write: writes the first record. Where an environment's error ends it, the old file stays.
  private func begin(
    _ session: Identifier, _ base: Journal.Base, _ write: (FileHandle) throws -> Void
  ) throws(JournalError) {
    let fresh = folder.appending(path: "\(session).new")
    // It is gone by then where all went well.
    defer { try? FileManager.default.removeItem(at: fresh) }
    let handle: FileHandle
    do {
      try Data().write(to: fresh)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: fresh.path)
      handle = try FileHandle(forWritingTo: fresh)
      try write(handle)
    } catch is EnvironmentError {
      return
    } catch {
      throw .unwritable(error.localizedDescription)
    }
    guard rename(fresh.path, file(of: session).path) == 0 else {
      throw .unwritable(String(cString: strerror(errno)))
    }
    entries[session] = Entry(file: handle, base: base)
  }

  private func write(_ bytes: Data, to session: Identifier) throws(JournalError) {
    do { try entries[session]?.file.write(contentsOf: bytes) } catch {
      throw .unwritable(error.localizedDescription)
    }
  }
}
