import Foundation

/// What tells two contents of a file apart without reading them. Of a link it is what it leads to that counts.
struct FileState: Equatable {
  let inode: UInt64
  let size: Int
  let seconds: Int
  let nanoseconds: Int
  let mode: UInt32

  /// Nothing where there is no such file.
  init?(_ file: URL) {
    var status = stat()
    guard stat(file.path, &status) == 0 else { return nil }
    #if canImport(Darwin)
      let changed = status.st_mtimespec
    #else
      let changed = status.st_mtim
    #endif
    (inode, size, mode) = (UInt64(status.st_ino), Int(status.st_size), UInt32(status.st_mode))
    (seconds, nanoseconds) = (Int(changed.tv_sec), Int(changed.tv_nsec))
  }
}
