import Environments

/// Why a page's request was not met. The page shows its text and plays on.
enum PlayError: Error, Equatable {
  case malformed(reason: String)
  case unknownWorld(Int)
  case noFrame(Int, count: Int)
  case noPlayer(String?, offered: [String])
  /// The pool does not do this.
  case notOffered(String)
  /// The worlds of all pages are taken.
  case crowded(limit: Int)
  case environment(EnvironmentError)
}

extension PlayError: CustomStringConvertible {
  var description: String {
    switch self {
    case .malformed(let reason): "the request cannot be read: \(reason)"
    case .unknownWorld(let number): "world \(number) was not started"
    case .noFrame(let frame, let count): "frame \(frame) is outside 0..<\(count)"
    case .noPlayer(nil, _): "nobody was chosen to play"
    case .noPlayer(let name?, let offered):
      "no player '\(name)'; offered: \(offered.isEmpty ? "none" : offered.joined(separator: ", "))"
    case .notOffered(let what): "this world offers no \(what)"
    case .crowded(let limit): "\(limit) pages are open already: close one"
    case .environment(let error): "\(error)"
    }
  }
}
