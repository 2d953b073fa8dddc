import Foundation

extension EventFile {
  /// A figure that was logged.
  public struct Scalar: Sendable, Equatable {
    public var step: Int
    public var value: Double

    public init(step: Int, value: Double) {
      self.step = step
      self.value = value
    }
  }

  /// Why events could not be read.
  public struct Unreadable: Error, Sendable, Equatable, CustomStringConvertible {
    public let path: String
    public let reason: String
    public var description: String { "\(path): events cannot be read (\(reason))" }
  }

  /// The scalars of a run: of all event files in `folder`, in the order of their names.
  ///
  /// A step that comes again replaces what was logged from it on: the job was resumed from before. A last
  /// record that is cut off is left out: the job is still writing, or was killed.
  /// - Returns: by tag, steps ascending; empty where the folder holds no events.
  /// - Throws: ``Unreadable`` for a folder that is not there, and for a file that is damaged.
  public static func read(_ folder: URL) throws(Unreadable) -> [String: [Scalar]] {
    let files: [URL]
    do {
      files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    } catch {
      throw Unreadable(path: folder.path, reason: error.localizedDescription)
    }
    var scalars: [String: [Scalar]] = [:]
    for file in files.sorted(by: { $0.lastPathComponent < $1.lastPathComponent })
    where file.lastPathComponent.contains("tfevents") {
      let bytes: Data
      do { bytes = try Data(contentsOf: file) } catch {
        throw Unreadable(path: file.path, reason: error.localizedDescription)
      }
      var records = [UInt8](bytes)[...]
      while let event = try record(&records, of: file) {
        guard collect(event, into: &scalars) else {
          throw Unreadable(path: file.path, reason: "a record holds no event")
        }
      }
    }
    return scalars
  }

  /// Takes the next TFRecord off the front: length, its checksum, data, its checksum.
  private static func record(
    _ rest: inout ArraySlice<UInt8>, of file: URL
  ) throws(Unreadable) -> ArraySlice<UInt8>? {
    guard rest.count >= 12 else { return nil }
    let size = rest.prefix(8)
    guard littleEndianNumber(rest.dropFirst(8).prefix(4)) == CRC32C.masked(size) else {
      throw Unreadable(path: file.path, reason: "damaged")
    }
    let length = littleEndianNumber(size)
    guard rest.count >= 16, length <= UInt64(rest.count - 16) else { return nil }
    let data = rest.dropFirst(12).prefix(Int(length))
    rest = rest.dropFirst(12 + data.count)
    guard littleEndianNumber(rest.prefix(4)) == CRC32C.masked(data) else {
      throw Unreadable(path: file.path, reason: "damaged")
    }
    rest = rest.dropFirst(4)
    return data
  }

  /// - Returns: whether it was an event.
  private static func collect(_ event: ArraySlice<UInt8>, into scalars: inout [String: [Scalar]]) -> Bool {
    var fields = ProtocolBufferReader(event)
    var step = 0
    var summary: ArraySlice<UInt8> = []
    while let (field, value) = fields.next() {
      switch (field, value) {
      case (2, .varint(let number)): step = Int(Int64(bitPattern: number))
      case (5, .bytes(let bytes)): summary = bytes
      default: break
      }
    }
    var entries = ProtocolBufferReader(summary)
    while let (field, value) = entries.next() {
      guard field == 1, case .bytes(let bytes) = value else { continue }
      var entry = ProtocolBufferReader(bytes)
      var tag = ""
      var scalar: Double?
      while let (field, value) = entry.next() {
        switch (field, value) {
        case (1, .bytes(let bytes)): tag = String(decoding: bytes, as: UTF8.self)
        case (2, .fixed32(let bits)): scalar = Double(Float(bitPattern: bits))
        default: break
        }
      }
      if entry.isDamaged { return false }
      guard let scalar else { continue }
      while let last = scalars[tag]?.last, last.step >= step { scalars[tag]?.removeLast() }
      scalars[tag, default: []].append(Scalar(step: step, value: scalar))
    }
    return !fields.isDamaged && !entries.isDamaged
  }
}
