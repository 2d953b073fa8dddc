import Foundation
import Testing

import WireProtocol

@Suite struct SocketTests {
  @Test(arguments: ["tcp://127.0.0.1:*", "ipc://*"]) func carriesMessagesBothWays(_ endpoint: String) throws {
    let context = try Context()
    let server = try Socket(.router, in: context, .server(Limits()))
    let bound = try server.bind(endpoint)
    let client = try Socket(.dealer, in: context, .client)
    try client.connect(bound)
    let big = Frame([UInt8](repeating: 7, count: 100_000))
    #expect(try client.waitToSend(milliseconds: 2_000))
    #expect(try client.send([Frame([1, 2] as [UInt8]), big]) == .sent)
    #expect(try server.wait(milliseconds: 2_000))
    let frames = try #require(try server.receive(limit: 8))
    #expect(frames.map(\.byteCount).dropFirst() == [2, 100_000])
    #expect(try server.send([big, big], to: frames[0]) == .sent)
    #expect(try client.wait(milliseconds: 2_000))
    #expect(try client.receive(limit: 8)?.map(\.bytes) == [big.bytes, big.bytes])
    #expect(try client.receive(limit: 8) == nil)
  }

  /// A message of nothing is none: the next one is whole.
  @Test func nothingIsSentForNoFrames() throws {
    let context = try Context()
    let server = try Socket(.router, in: context, .server(Limits()))
    let client = try Socket(.dealer, in: context, .client)
    try client.connect(try server.bind("ipc://*"))
    #expect(try client.waitToSend(milliseconds: 2_000))
    #expect(try client.send([Frame([1] as [UInt8])]) == .sent)
    #expect(try server.wait(milliseconds: 2_000))
    let frames = try #require(try server.receive(limit: 8))
    #expect(try server.send([], to: frames[0]) == .sent)
    #expect(try server.send([Frame([2, 3] as [UInt8])], to: frames[0]) == .sent)
    #expect(try client.wait(milliseconds: 2_000))
    #expect(try client.receive(limit: 8)?.map(\.bytes) == [[2, 3]])
  }

  @Test func aPeerThatIsGoneIsUnreachable() throws {
    let server = try Socket(.router, in: Context(), .server(Limits()))
    _ = try server.bind("tcp://127.0.0.1:*")
    #expect(try server.send([Frame([1] as [UInt8])], to: Frame([0, 1, 2, 3, 4] as [UInt8])) == .unreachable)
  }

  @Test func aClientWithoutServerIsTold() throws {
    let client = try Socket(.dealer, in: Context(), .client)
    try client.connect("tcp://127.0.0.1:9")
    #expect(try client.send([Frame([1] as [UInt8])]) == .full)
  }

  @Test func wrongEndpointsAreTyped() throws {
    let server = try Socket(.router, in: Context(), .server(Limits()))
    #expect(throws: WireError.self) { try server.bind("nonsense") }
  }

  @Test func wakeUpEndsTheWait() throws {
    let socket = try Socket(.dealer, in: Context(), .client)
    let wake = try WakeUp()
    Thread { wake.wake() }.start()
    let start = ContinuousClock.now
    try socket.waitForMore(milliseconds: 10_000, or: wake)
    #expect(ContinuousClock.now - start < .seconds(5))
    let again = ContinuousClock.now
    try socket.waitForMore(milliseconds: 20, or: wake)
    #expect(ContinuousClock.now - again >= .milliseconds(15), "the sign was taken")
  }
}
