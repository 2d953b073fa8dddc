import Foundation
import Glibc

/// A client that says exactly what a test wants, over a socket of its own: whole requests and WebSocket
/// frames.
final class RawPage {
  enum Failure: Error { case cannotConnect, closed }

  private let socket: Int32

  init(port: Int) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw Failure.cannotConnect }
    // A test that waits in vain fails instead of hanging.
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close() }

  func close() {
    shutdown(socket, Int32(SHUT_RDWR))
    Glibc.close(socket)
  }

  func send(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  private func read(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = bytes.withUnsafeMutableBytes { recv(socket, $0.baseAddress! + filled, count - filled, 0) }
      guard got > 0 else { throw Failure.closed }
      filled += got
    }
    return bytes
  }

  /// Sends a request and reads the head of the answer.
  func ask(_ target: String, method: String = "GET", headers: [String]) throws -> String {
    send(Array(([method + " " + target + " HTTP/1.1"] + headers + ["", ""]).joined(separator: "\r\n").utf8))
    var head = ""
    while !head.hasSuffix("\r\n\r\n") { head += String(decoding: try read(1), as: UTF8.self) }
    return head
  }

  /// - Returns: the head of the answer; `HTTP/1.1 101` where the page was let in.
  func knock(port: Int, origin: String?) throws -> String {
    try ask(
      "/play",
      headers: [
        "Host: 127.0.0.1:\(port)", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      ] + (origin.map { ["Origin: \($0)"] } ?? []))
  }

  func say(_ text: String) { say(Array(text.utf8), operation: 0x81) }

  func say(_ payload: [UInt8], operation: UInt8 = 0x82) {
    let count = payload.count
    let length: [UInt8] =
      count < 126
      ? [0x80 | UInt8(count)]
      : count < 65_536
        ? [0xFE, UInt8(count >> 8), UInt8(count & 255)]
        : [0xFF] + (0..<8).reversed().map { UInt8(count >> (8 * $0) & 255) }
    // A mask of zeros changes nothing.
    send([operation] + length + [0, 0, 0, 0] + payload)
  }

  /// The next message.
  func hear() throws -> [UInt8] {
    let head = try read(2)
    if head[0] & 15 == 8 { throw Failure.closed }
    let count =
      switch head[1] {
      case 126: try read(2).reduce(0) { $0 << 8 | Int($1) }
      case 127: try read(8).reduce(0) { $0 << 8 | Int($1) }
      default: Int(head[1])
      }
    return try read(count)
  }
}
