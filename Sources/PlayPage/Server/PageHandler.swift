import FlyingFox
import Foundation
import Synchronization

/// Whose requests are answered: those of the page itself. Known once the port is.
final class Origin: Sendable {
  private let bound = Mutex<UInt16>(0)

  var port: UInt16 {
    get { bound.withLock { $0 } }
    set { bound.withLock { $0 = newValue } }
  }

  /// As browsers tell them, who leave out the port of HTTP.
  private var hosts: [String] {
    ["127.0.0.1", "localhost"].map { port == 80 ? $0 : "\($0):\(port)" }
  }

  /// A foreign name that leads to this machine would let a foreign page in.
  func isHost(_ host: String?) -> Bool { host.map(hosts.contains) ?? false }

  /// - Parameter origin: of the page that opens a WebSocket; browsers always tell it.
  func isOwn(_ origin: String?, host: String?) -> Bool {
    guard isHost(host), let origin, let host else { return false }
    return origin == "http://\(host)"
  }

  /// What the page may load: its own files and nothing else.
  var contentSecurityPolicy: String {
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src blob:; "
      + "connect-src 'self' \(hosts.map { "ws://\($0)" }.joined(separator: " ")); "
      + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
  }
}

/// Answers every request: a file of the page, its WebSocket, or a refusal.
struct PageHandler: HTTPHandler {
  let files: PageFiles
  let origin: Origin
  let stage: Stage
  private let socket: WebSocketHTTPHandler

  init(files: PageFiles, origin: Origin, stage: Stage) {
    self.files = files
    self.origin = origin
    self.stage = stage
    // Every message in one WebSocket frame, and so in one write: a second small one would wait for the
    // acknowledgement of the first.
    socket = .webSocket(VisitHandler(stage: stage), frameSize: 1 << 26)
  }

  func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
    let host = request.headers[.host]
    guard origin.isHost(host) else { return refusal(.forbidden, "this page has another address") }
    guard request.method == .GET || request.method == .HEAD else {
      return refusal(.methodNotAllowed, "only GET")
    }
    if request.path == "/play" {
      guard origin.isOwn(request.headers[HTTPHeader("Origin")], host: host) else {
        return refusal(.forbidden, "only for this server's own page")
      }
      return try await socket.handleRequest(request)
    }
    guard let file = files[request.path] else { return refusal(.notFound, "no such file") }
    return HTTPResponse(
      statusCode: .ok, headers: headers(type: file.type), body: request.method == .HEAD ? Data() : file.bytes)
  }

  private func refusal(_ status: HTTPStatusCode, _ reason: String) -> HTTPResponse {
    HTTPResponse(
      statusCode: status, headers: headers(type: "text/plain; charset=utf-8"),
      body: Data((reason + "\n").utf8))
  }

  private func headers(type: String) -> HTTPHeaders {
    [
      .contentType: type,
      HTTPHeader("Cache-Control"): "no-store",
      HTTPHeader("Content-Security-Policy"): origin.contentSecurityPolicy,
      HTTPHeader("Cross-Origin-Resource-Policy"): "same-origin",
      HTTPHeader("Referrer-Policy"): "no-referrer",
      HTTPHeader("X-Content-Type-Options"): "nosniff",
    ]
  }
}
