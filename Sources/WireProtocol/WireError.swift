/// What can be wrong with a message or with a socket.
public enum WireError: Error, Hashable, Sendable {
  /// Not a message of this protocol.
  case malformed(String)
  case corrupt(expected: UInt32, found: UInt32)
  case unsupportedVersion(UInt16)
  case tooLarge(what: String, size: Int, limit: Int)
  /// A call of ZeroMQ failed: which, on what, and the system's reason.
  case socket(call: String, endpoint: String, reason: String)

  /// The status with which a server answers.
  public var status: Status {
    switch self {
    case .malformed: .malformed
    case .corrupt: .corrupt
    case .unsupportedVersion: .unsupportedVersion
    case .tooLarge: .tooLarge
    case .socket: .internal
    }
  }
}

extension WireError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .malformed(let reason): reason
    case .corrupt(let expected, let found):
      "the checksum is \(String(found, radix: 16)), and should be \(String(expected, radix: 16))"
    case .unsupportedVersion(let version): "protocol version \(version); this end speaks \(Envelope.version)"
    case .tooLarge(let what, let size, let limit): "\(what): \(size), and the limit is \(limit)"
    case .socket(let call, let endpoint, let reason): "\(call) \(endpoint): \(reason)"
    }
  }
}
