import Foundation

/// Files that are there whole or not at all: written under a temporary name in the same folder, flushed to
/// the disk, renamed over the target, the folder flushed too. Whatever fails before that leaves nothing behind,
/// and the old file, if there was one, as it was. A link stays one, and its target is replaced; what is no file
/// (a device, a pipe, `/dev/stdout`) is written to.
public enum AtomicFile {
  /// The unfinished file, for ``AtomicFile/write(to:_:)``'s closure.
  public struct Output: ~Copyable {
    let descriptor: Int32
    let path: String

    /// Appends bytes.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(AtomicFileError) {
      var rest = bytes[...]
      while !rest.isEmpty {
        let written = Foundation.write(descriptor, rest.base.baseAddress! + rest.startIndex, rest.count)
        if written < 0 {
          if errno == EINTR { continue }
          throw AtomicFileError(path: path, code: errno)
        }
        rest = rest.dropFirst(written)
      }
    }

    /// Appends bytes.
    public func write(_ bytes: some Collection<UInt8>) throws(AtomicFileError) {
      let result = bytes.withContiguousStorageIfAvailable { buffer in
        Result { () throws(AtomicFileError) in try write(UnsafeRawBufferPointer(buffer)) }
      }
      guard let result else { return try write(Array(bytes)) }
      try result.get()
    }
  }

  /// Calls `body` to write a new file and puts it in the place of `url`.
  public static func write(
    to url: URL, _ body: (borrowing Output) throws(AtomicFileError) -> Void
  ) throws(AtomicFileError) {
    if isNoFile(url.path) { return try writeThrough(url.path, body) }
    let url = url.resolvingSymlinksInPath()
    let path = url.path
    let folder = url.deletingLastPathComponent().path
    let mark = UInt32.random(in: 0...UInt32.max)
    let temporary = "\(folder)/.\(url.lastPathComponent).\(getpid())-\(mark).tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw AtomicFileError(path: path, code: errno) }
    var isOpen = true
    do throws(AtomicFileError) {
      try body(Output(descriptor: descriptor, path: path))
      guard fsync(descriptor) == 0 else { throw AtomicFileError(path: path, code: errno) }
      isOpen = false
      guard close(descriptor) == 0 else { throw AtomicFileError(path: path, code: errno) }
      guard rename(temporary, path) == 0 else { throw AtomicFileError(path: path, code: errno) }
    } catch {
      if isOpen { close(descriptor) }
      unlink(temporary)
      throw error
    }
    try flushFolder(folder, for: path)
  }

  /// Writes `bytes` as the whole of a new file.
  public static func write(_ bytes: some Collection<UInt8>, to url: URL) throws(AtomicFileError) {
    try write(to: url) { output throws(AtomicFileError) in try output.write(bytes) }
  }

  private static func isNoFile(_ path: String) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { return false }
    // The standard streams' own names, which may lead to a file that others have open.
    let isStream = ["/dev/std", "/dev/fd/", "/proc/"].contains { path.hasPrefix($0) }
    return isStream || ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
  }

  private static func writeThrough(
    _ path: String, _ body: (borrowing Output) throws(AtomicFileError) -> Void
  ) throws(AtomicFileError) {
    // A stream of this process goes on where it is; opened by its name, a file that it leads to would begin anew.
    let descriptor =
      stream(path).map { fcntl($0, F_DUPFD_CLOEXEC, 0) } ?? open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw AtomicFileError(path: path, code: errno) }
    defer { close(descriptor) }
    try body(Output(descriptor: descriptor, path: path))
  }

  private static func stream(_ path: String) -> Int32? {
    switch path {
    case "/dev/stdout": return 1
    case "/dev/stderr": return 2
    default:
      let folder = ["/dev/fd/", "/proc/self/fd/"].first { path.hasPrefix($0) }
      return folder.flatMap { Int32(path.dropFirst($0.count)) }
    }
  }

  private static func flushFolder(_ folder: String, for path: String) throws(AtomicFileError) {
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    // A folder that can be written to and not read cannot be flushed; the file is there.
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // Some file systems cannot flush a folder and say so with EINVAL; the file itself is safe there.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw AtomicFileError(path: path, code: errno) }
  }
}
