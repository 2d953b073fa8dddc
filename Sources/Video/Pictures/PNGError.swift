/// Why a PNG file cannot be read.
public enum PNGError: Error, Sendable, Equatable {
  case unreadable(file: String, reason: String)
  /// Not a PNG file, or a damaged one; the reason is libpng's.
  case malformed(file: String, reason: String)
  /// Larger than any picture that is read.
  case tooLarge(file: String, what: String)
}

extension PNGError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let file, let reason): "\(file): cannot be read (\(reason))"
    case .malformed(let file, let reason): "\(file): not a readable PNG (\(reason))"
    case .tooLarge(let file, let what): "\(file): too large (\(what))"
    }
  }
}
