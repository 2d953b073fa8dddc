import Foundation

/// Answers ZeroMQ's question, at every handshake, whether a client's key is let in (ZAP, RFC 27), on a thread
/// of its own. The client's public key becomes the user of all its messages (``Frame/user``).
public final class Authenticator: Sendable {
  private let stopped: StopSign

  /// - Parameter context: the server's; to be called before its socket is bound.
  public init(_ clients: AllowList, in context: Context) throws(WireError) {
    let sign = StopSign()
    stopped = sign
    let ready = DispatchSemaphore(value: 0)
    let thread = Thread {
      do {
        let socket = try Socket(
          .reply, in: context, SocketOptions(sendLimit: 0, receiveLimit: 0, frameBytes: -1))
        _ = try socket.bind("inproc://zeromq.zap.01")
        ready.signal()
        while !sign.isSet {
          guard let request = try socket.receive(limit: 16, within: 200) else { continue }
          _ = try socket.send(Self.answer(request, clients))
        }
      } catch {
        sign.set()
        ready.signal()
      }
    }
    thread.name = "genie handshakes"
    thread.start()
    ready.wait()
    if sign.isSet { throw .socket(call: "cannot bind", endpoint: "zap", reason: "it is bound already") }
  }

  deinit { stopped.set() }

  /// Version, request, domain, address, identity, mechanism, key; and back: version, request, code, words,
  /// user, metadata.
  private static func answer(_ request: [Frame], _ clients: AllowList) -> [Frame] {
    func text(_ index: Int) -> String {
      index < request.count ? String(decoding: request[index].bytes, as: UTF8.self) : ""
    }
    let key = request.count == 7 && text(5) == "CURVE" ? CurveKey(bytes: request[6].bytes) : nil
    let user = key.flatMap { clients.contains($0.description) ? $0.description : nil }
    let words = [
      text(0), text(1), user == nil ? "400" : "200", user == nil ? "unknown key" : "", user ?? "", "",
    ]
    return words.map { Frame($0.utf8) }
  }
}

/// Tells a thread to end.
final class StopSign: @unchecked Sendable {
  private let lock = NSLock()
  private var value = false

  var isSet: Bool { lock.withLock { value } }
  func set() { lock.withLock { value = true } }
}
