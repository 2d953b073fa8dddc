import Foundation

/// Why a file could not be written.
public enum AtomicFileError: Error, Sendable, Equatable {
  case diskFull(path: String)
  case noFolder(path: String)
  case notPermitted(path: String)
  /// Anything else that the operating system reports.
  case failed(path: String, reason: String)

  init(path: String, code: Int32) {
    switch code {
    case ENOSPC, EDQUOT, EFBIG: self = .diskFull(path: path)
    case ENOENT, ENOTDIR: self = .noFolder(path: path)
    case EACCES, EPERM, EROFS: self = .notPermitted(path: path)
    default: self = .failed(path: path, reason: String(cString: strerror(code)))
    }
  }
}

extension AtomicFileError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .diskFull(let path): "\(path): cannot be written, the disk is full"
    case .noFolder(let path): "\(path): cannot be written, its folder does not exist"
    case .notPermitted(let path): "\(path): cannot be written, permission denied"
    case .failed(let path, let reason): "\(path): cannot be written (\(reason))"
    }
  }
}
