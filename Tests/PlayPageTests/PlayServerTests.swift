import Environments
import Foundation
import Testing

@testable import PlayPage

@Suite struct PlayServerTests {
  /// Serves the platformer for the length of a test.
  private func withServer(_ body: (Int) throws -> Void) async throws {
    let server = try await PlayServer(PlayConfiguration { GamePool(Platformer()) })
    let port = try #require(server.address.port)
    do { try body(port) } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }

  private func enter(_ port: Int) throws -> RawPage {
    let page = try RawPage(port: port)
    let head = try page.knock(port: port, origin: "http://127.0.0.1:\(port)")
    try #require(head.hasPrefix("HTTP/1.1 101"), "\(head)")
    return page
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func thePageIsServedAndNothingElse() async throws {
    try await withServer { port in
      let host = ["Host: 127.0.0.1:\(port)"]
      for path in ["/", "/style.css", "/main.js", "/gif.js"] {
        let head = try RawPage(port: port).ask(path, headers: host)
        #expect(head.hasPrefix("HTTP/1.1 200"), "\(path): \(head)")
        #expect(head.contains("default-src 'none'") && head.contains("nosniff"))
      }
      for path in [
        "/../Package.swift", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/main.js/../../x", "/main.js%00",
        "/Page/main.js",
        "/%", "/..%5c..%5cx", "/index.html", "/" + String(repeating: "a", count: 5_000),
      ] {
        let head = try RawPage(port: port).ask(path, headers: host)
        #expect(head.hasPrefix("HTTP/1.1 404"), "\(path): \(head)")
      }
      #expect(try RawPage(port: port).ask("/", method: "POST", headers: host).hasPrefix("HTTP/1.1 405"))
      // A name that somebody else made lead here.
      #expect(
        try RawPage(port: port).ask("/", headers: ["Host: evil.example:\(port)"]).hasPrefix("HTTP/1.1 403"))
      #expect(try RawPage(port: port).ask("/", headers: []).hasPrefix("HTTP/1.1 403"))
    }
  }

  @Test func onlyItsOwnPageIsLetIn() async throws {
    try await withServer { port in
      for origin in [
        nil, "null", "http://evil.example", "https://127.0.0.1:\(port)", "http://127.0.0.1:1",
        "http://127.0.0.1:\(port).evil.example",
      ] {
        let head = try RawPage(port: port).knock(port: port, origin: origin)
        #expect(head.hasPrefix("HTTP/1.1 403"), "\(origin ?? "none"): \(head)")
      }
      let page = try enter(port)
      page.say(#"{"ask": "hello"}"#)
      #expect(text(try page.hear()).contains("Platformer-v1"))
    }
  }

  @Test func requestsAreAnsweredInOrderWithOneMessageEach() async throws {
    try await withServer { port in
      let page = try enter(port)
      page.say(#"{"ask": "start", "seed": 1, "level": 2}"#)
      for action in [2, 5, 2] as [UInt8] { page.say([1, 0, action, 0]) }
      for number in 0..<4 {
        let frame = try page.hear()
        #expect(frame.count == 32 + 64 * 64 * 3 && frame[0] == 1 && frame[4] == UInt8(number))
      }
    }
  }

  @Test func badMessagesAreRefusedAndThePageGoesOn() async throws {
    try await withServer { port in
      let page = try enter(port)
      page.say("{")
      page.say([1, 0, 2, 0])
      page.say([UInt8](repeating: 7, count: 300_000))
      page.say([2, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3])
      page.say(#"{"ask": "start", "level": -5, "world": 3}"#)
      for _ in 0..<4 { #expect(text(try page.hear()).contains("error")) }
      #expect(try page.hear().count > 0)
      page.say(#"{"ask": "start", "seed": 1}"#)
      #expect(try page.hear().first == 1)
    }
  }

  @Test func pagesThatVanishTakeOnlyTheirOwnWorlds() async throws {
    try await withServer { port in
      let steady = try enter(port)
      steady.say(#"{"ask": "start", "seed": 1, "level": 2}"#)
      let first = try steady.hear()
      for _ in 0..<3 * Playhouse.visitLimit {
        let page = try enter(port)
        page.say(#"{"ask": "start", "seed": 3}"#)
        _ = try page.hear()
        for _ in 0..<20 { page.say([1, 0, 2, 0]) }
        // In the middle of a step, without a farewell.
        page.close()
      }
      steady.say(#"{"ask": "rewind", "frame": 0}"#)
      #expect(try steady.hear().dropFirst(32) == first.dropFirst(32))
    }
  }

  @Test func brokenFramesEndOnlyTheirOwnConnection() async throws {
    try await withServer { port in
      let page = try enter(port)
      page.say([0xC3, 0x28], operation: 0x81)  // no UTF-8
      #expect(throws: RawPage.Failure.self) { try page.hear() }
      let other = try enter(port)
      // Claims 2^62 bytes and sends three.
      other.send([0x82, 0xFF, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3])
      other.close()
      let third = try enter(port)
      third.say(#"{"ask": "hello"}"#)
      #expect(text(try third.hear()).contains("Platformer-v1"))
    }
  }

  @Test func aTakenPortIsAnError() async throws {
    let server = try await PlayServer(PlayConfiguration { GamePool(Platformer()) })
    let port = UInt16(try #require(server.address.port))
    await #expect(throws: PlayServerError.self) {
      try await PlayServer(PlayConfiguration(port: port) { GamePool(Platformer()) })
    }
    await server.stop()
  }
}
