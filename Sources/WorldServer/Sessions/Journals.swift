import Environments
import Foundation
import WireProtocol

/// Why a session cannot be kept, or not be taken up.
enum JournalError: Error, CustomStringConvertible {
  case unwritable(String)
  case missing
  case damaged

  var description: String {
    switch self {
    case .unwritable(let reason): "the session cannot be written: \(reason)"
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

  var base = Base()
  /// Snapshots, one for each number.
  var blobs: [[UInt8]] = []
  /// The reply to the request `accepted`; empty at the very start.
  var reply: [Frame] = []
  var requests: [Message] = []
}

/// Sessions on disk, one file each, so that they outlive the server, also where it is killed: a request is
/// written before it is done. (A loss of power may lose the last ones: nothing waits for the disk.)
final class Journals {
  private struct Entry {
    var file: FileHandle
    var base: Journal.Base
    var requests = 0
    var last = Envelope(.unknown)
    var reply: [Frame] = []
  }

  /// Requests after which a snapshot is worth its time.
  static let requestsPerSnapshot = 256

  private let folder: URL
  private let keepingSeconds: Double
  private var entries: [Identifier: Entry] = [:]

  /// - Throws: ``ServerError/persistence(reason:)`` where the folder cannot be made.
  init(_ folder: URL, keepingSeconds: Double) throws(ServerError) {
    self.folder = folder
    self.keepingSeconds = keepingSeconds
    do {
      try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      let files = try FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: [.contentModificationDateKey])
      for file in files where file.pathExtension == "session" && isStale(file) {
        try? FileManager.default.removeItem(at: file)
      }
    } catch {
      throw .persistence(reason: "\(folder.path): \(error.localizedDescription)")
    }
  }

  private func isStale(_ file: URL) -> Bool {
    guard let date = try? file.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate
    else { return true }
    return -date.timeIntervalSinceNow > keepingSeconds
  }

  private func file(of session: Identifier) -> URL { folder.appending(path: "\(session).session") }

  /// Writes a request down. The first one begins the file.
  func append(_ work: Work) throws(JournalError) {
    if entries[work.session] == nil {
      var base = Journal.Base()
      base.user = work.user
      try begin(work.session, base, Journal.record(base, blobs: [], reply: []))
    }
    try write(Journal.record(work.request.frames), to: work.session)
    entries[work.session]?.requests += 1
    entries[work.session]?.last = work.envelope
  }

  /// Notes the answer to the last request.
  /// - Returns: whether a snapshot is due.
  func answered(_ session: Identifier, _ reply: [Frame]) -> Bool {
    entries[session]?.reply = reply
    return entries[session].map { $0.requests >= Self.requestsPerSnapshot } ?? false
  }

  /// Puts the session's state in the place of its requests.
  func replace(
    _ session: Identifier, _ holding: Holding, environment: String, _ blobs: [[UInt8]]
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
    let reply = entry.reply
    try begin(session, base, Journal.record(base, blobs: blobs, reply: reply))
    entries[session]?.last = entry.last
    entries[session]?.reply = reply
  }

  /// What is kept of a session.
  func read(_ session: Identifier) throws(JournalError) -> Journal {
    let file = file(of: session)
    guard !isStale(file), let data = try? Data(contentsOf: file) else { throw .missing }
    return try Journal(reading: data)
  }

  /// Goes on with the file of a session that was taken up. A request that was cut short at the end of it was
  /// never done.
  func resumed(_ session: Identifier, _ journal: Journal, _ reply: [Frame]) {
    var bytes = Journal.record(journal.base, blobs: journal.blobs, reply: journal.reply)
    for request in journal.requests { bytes += Journal.record(request.frames) }
    guard (try? begin(session, journal.base, bytes)) != nil else { return remove(session) }
    entries[session]?.requests = journal.requests.count
    entries[session]?.reply = reply
    if let last = journal.requests.last { entries[session]?.last = last.envelope }
  }

  /// Forgets a session.
  func remove(_ session: Identifier) {
    entries[session] = nil
    try? FileManager.default.removeItem(at: file(of: session))
  }

  /// A new file, in the place of the old one at once.
  private func begin(_ session: Identifier, _ base: Journal.Base, _ bytes: Data) throws(JournalError) {
    let file = file(of: session)
    do {
      try bytes.write(to: file, options: .atomic)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
      let handle = try FileHandle(forWritingTo: file)
      try handle.seekToEnd()
      entries[session] = Entry(file: handle, base: base)
    } catch {
      throw .unwritable(error.localizedDescription)
    }
  }

  private func write(_ bytes: Data, to session: Identifier) throws(JournalError) {
    do { try entries[session]?.file.write(contentsOf: bytes) } catch {
      throw .unwritable(error.localizedDescription)
    }
  }
}
