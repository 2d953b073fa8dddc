import Foundation

/// Writes the event files that TensorBoard reads: scalars and pictures by tag and step.
///
/// Each file is a sequence of TFRecords (length, masked CRC32C, data, masked CRC32C) of `Event` protocol
/// buffers. Every write goes straight to the file, so a killed job loses nothing that it logged.
public final class EventFile {
  /// Why events could not be written.
  public struct Failure: Error, Sendable, Equatable, CustomStringConvertible {
    public let path: String
    public let reason: String
    public var description: String { "\(path): events cannot be written (\(reason))" }
  }

  /// The file, named `events.out.tfevents.TIME.HOST` so that TensorBoard finds it.
  public let url: URL
  private let descriptor: Int32
  private let now: () -> Date

  /// Opens a new event file in `folder`, which is made if need be. Files of one folder are shown as one run.
  /// - Throws: ``Failure``
  public convenience init(folder: URL) throws(Failure) {
    try self.init(folder: folder, now: Date.init)
  }

  init(folder: URL, now: @escaping () -> Date) throws(Failure) {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw Failure(path: folder.path, reason: error.localizedDescription)
    }
    let time = Int(now().timeIntervalSince1970)
    let host = ProcessInfo.processInfo.hostName
    // Two runs within one second must not share a file; TensorBoard reads them in the order of their names.
    var name = "events.out.tfevents.\(time).\(host)"
    var descriptor: Int32 = -1
    for attempt in 0..<100 {
      if attempt > 0 { name = "events.out.tfevents.\(time).\(host).\(attempt)" }
      descriptor = open(
        folder.appending(path: name).path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o666)
      if descriptor >= 0 || errno != EEXIST { break }
    }
    url = folder.appending(path: name)
    guard descriptor >= 0 else { throw Failure(path: url.path, reason: String(cString: strerror(errno))) }
    self.descriptor = descriptor
    self.now = now
    var event = ProtocolBuffer()
    event.append(1, double: now().timeIntervalSince1970)
    event.append(3, bytes: Array("brain.Event:2".utf8))
    try write(event)
  }

  deinit { close(descriptor) }

  /// Logs one figure under `tag` at `step`.
  /// - Throws: ``Failure``, for instance when the disk is full.
  public func scalar(_ tag: String, _ value: Double, step: Int) throws(Failure) {
    try scalars([tag: value], step: step)
  }

  /// Logs several figures of one step. Tags with a slash are grouped by what stands before it.
  /// - Throws: ``Failure``
  public func scalars(_ values: KeyValuePairs<String, Double>, step: Int) throws(Failure) {
    var summary = ProtocolBuffer()
    for (tag, value) in values {
      var entry = ProtocolBuffer()
      entry.append(1, bytes: Array(tag.utf8))
      entry.append(2, float: Float(value))
      summary.append(1, message: entry)
    }
    try write(summary, step: step)
  }

  /// Logs an RGB picture, already encoded as PNG.
  /// - Throws: ``Failure``
  public func picture(
    _ tag: String, png: [UInt8], height: Int, width: Int, step: Int
  ) throws(Failure) {
    var image = ProtocolBuffer()
    image.append(1, varint: UInt64(height))
    image.append(2, varint: UInt64(width))
    image.append(3, varint: 3)
    image.append(4, bytes: png)
    var entry = ProtocolBuffer()
    entry.append(1, bytes: Array(tag.utf8))
    entry.append(4, message: image)
    var summary = ProtocolBuffer()
    summary.append(1, message: entry)
    try write(summary, step: step)
  }

  private func write(_ summary: ProtocolBuffer, step: Int) throws(Failure) {
    var event = ProtocolBuffer()
    event.append(1, double: now().timeIntervalSince1970)
    event.append(2, varint: UInt64(bitPattern: Int64(step)))
    event.append(5, message: summary)
    try write(event)
  }

  private func write(_ event: ProtocolBuffer) throws(Failure) {
    let length = littleEndian(UInt64(event.bytes.count))
    let record =
      length + littleEndian(CRC32C.masked(length)) + event.bytes + littleEndian(CRC32C.masked(event.bytes))
    var rest = record[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress!, $0.count) }
      if written < 0 {
        if errno == EINTR { continue }
        throw Failure(path: url.path, reason: String(cString: strerror(errno)))
      }
      rest = rest.dropFirst(written)
    }
  }
}
