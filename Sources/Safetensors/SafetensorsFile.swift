import Foundation

/// A safetensors file opened for reading: memory-mapped, its header wholly validated, its tensors read only
/// when asked for.
///
/// The mapping relies on the file keeping its length while it is open; files written by ``AtomicFile`` are
/// replaced, never changed in place, so an open one stays as it was.
public final class SafetensorsFile: Sendable {
  /// The path, as errors name it.
  public let path: String
  /// The strings of the header's `__metadata__`.
  public let metadata: [String: String]

  private let entries: [String: Header.Entry]
  private let mapping: Mapping

  /// - Throws: ``SafetensorsError`` if the file cannot be read or is not exactly a safetensors file.
  public init(_ url: URL) throws(SafetensorsError) {
    path = url.path
    mapping = try Mapping(path: url.path)
    let header = try Header(of: mapping.bytes, file: url.path)
    metadata = header.metadata
    entries = header.entries
  }

  /// The names of the tensors, sorted.
  public var names: [String] { entries.keys.sorted() }

  public func contains(_ name: String) -> Bool { entries[name] != nil }

  /// The shape of a tensor, without reading it.
  public func shape(of name: String) throws(SafetensorsError) -> [Int] { try entry(name).shape }

  /// The element type of a tensor, without reading it.
  public func type(of name: String) throws(SafetensorsError) -> ElementType { try entry(name).type }

  /// The string that the header's metadata has for `key`.
  public func metadata(_ key: String) throws(SafetensorsError) -> String {
    guard let value = metadata[key] else {
      throw SafetensorsError(file: path, problem: .missingMetadata(key))
    }
    return value
  }

  /// Copies a tensor, or some of its rows (indices of the outermost dimension), out of the file.
  /// - Throws: ``SafetensorsError`` if there is no such tensor or row.
  public func tensor(_ name: String, rows: Range<Int>? = nil) throws(SafetensorsError) -> SafetensorsTensor {
    let entry = try entry(name)
    let range = try byteRange(name, entry, rows)
    var shape = entry.shape
    if let rows { shape[0] = rows.count }
    return SafetensorsTensor(
      type: entry.type, shape: shape, bytes: Array(mapping.bytes[range]), file: path, name: name)
  }

  /// Calls `body` with the bytes of a tensor, or of some of its rows, without copying them.
  ///
  /// The bytes need not be aligned for their type: load them unaligned.
  /// - Throws: ``SafetensorsError`` if there is no such tensor or row; whatever `body` throws.
  public func withUnsafeBytes<Result>(
    of name: String, rows: Range<Int>? = nil, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    let range = try byteRange(name, entry(name), rows)
    return try withExtendedLifetime(self) {
      try body(UnsafeRawBufferPointer(rebasing: mapping.bytes[range]))
    }
  }

  /// The bytes of a tensor, where they are mapped: they live as long as the file object. Whoever writes there changes a copy of
  /// the page that is this process's own, and never the file; pages that nobody writes are shared by all processes that
  /// have mapped the file.
  /// - Throws: ``SafetensorsError`` if there is no such tensor.
  public func mutableBytes(of name: String) throws(SafetensorsError) -> UnsafeMutableRawBufferPointer {
    let range = try entry(name).range
    return UnsafeMutableRawBufferPointer(mutating: UnsafeRawBufferPointer(rebasing: mapping.bytes[range]))
  }

  /// Everything in the file, read into memory.
  public func content() throws(SafetensorsError) -> SafetensorsContent {
    var content = SafetensorsContent(metadata: metadata)
    for name in entries.keys { content.tensors[name] = try tensor(name) }
    return content
  }

  private func entry(_ name: String) throws(SafetensorsError) -> Header.Entry {
    guard let entry = entries[name] else {
      throw SafetensorsError(file: path, problem: .missingTensor(name))
    }
    return entry
  }

  private func byteRange(
    _ name: String, _ entry: Header.Entry, _ rows: Range<Int>?
  ) throws(SafetensorsError) -> Range<Int> {
    guard let rows else { return entry.range }
    let available = entry.shape.first ?? 0
    guard !entry.shape.isEmpty, rows.lowerBound >= 0, rows.upperBound <= available else {
      throw SafetensorsError(file: path, problem: .rows(tensor: name, requested: rows, available: available))
    }
    let rowSize = available == 0 ? 0 : entry.range.count / available
    let start = entry.range.lowerBound
    return start + rows.lowerBound * rowSize..<start + rows.upperBound * rowSize
  }
}

/// A whole file mapped into memory, unmapped with the object; what is written there never reaches the file.
private final class Mapping: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  init(path: String) throws(SafetensorsError) {
    func fail(_ reason: String) -> SafetensorsError {
      SafetensorsError(file: path, problem: .unreadable(reason: reason))
    }
    // O_NONBLOCK: opening a named pipe must not wait for its writer.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw fail(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw fail(String(cString: strerror(errno))) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw fail("not a regular file") }
    let length = Int(status.st_size)
    guard length > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let address = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0)
    guard let address, address != MAP_FAILED else { throw fail(String(cString: strerror(errno))) }
    bytes = UnsafeRawBufferPointer(start: address, count: length)
  }

  deinit {
    if let address = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
    }
  }
}
