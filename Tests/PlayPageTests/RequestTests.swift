import Environments
import Foundation
import Testing

@testable import PlayPage

@Suite struct RequestTests {
  private let space = Box(height: 2, width: 2)

  @Test func textsAreRead() throws {
    #expect(try Request(text: #"{"ask": "hello"}"#) == .hello)
    #expect(
      try Request(text: #"{"ask": "start", "world": 1, "seed": 4294967295, "level": 3}"#)
        == .start(world: 1, seed: 4_294_967_295, level: 3, prompt: nil))
    #expect(
      try Request(text: #"{"ask": "branch", "from": 0, "to": 1, "frame": 7}"#)
        == .branch(from: 0, to: 1, frame: 7))
    #expect(
      try Request(text: #"{"ask": "tune", "values": {"a": 0.5}}"#) == .tune(world: 0, values: ["a": 0.5]))
    #expect(try Request(text: #"{"ask": "player"}"#) == .player(world: 0, name: nil))
    #expect(try Request(text: #"{"ask": "actions", "frame": 4}"#) == .actions(world: 0, frame: 4))
  }

  @Test(arguments: [
    "", "{", "[]", "null", #"{"ask": 3}"#, #"{"ask": "fly"}"#, #"{"ask": "rewind"}"#,
    #"{"ask": "actions"}"#, #"{"ask": "start", "seed": -1}"#,
    #"{"ask": "step", "world": 99}"#, #"{"ask": "start", "world": -1}"#,
    #"{"ask": "gallery", "first": -1, "count": 1}"#,
    #"{"ask": "gallery", "first": 0, "count": 9999999}"#,
    #"{"ask": "branch", "from": 0, "to": 0, "frame": 0}"#,
    #"{"ask": "rewind", "frame": 1e99}"#, String(repeating: "[", count: 20_000),
  ])
  func textsThatAreNoRequestAreRefused(text: String) {
    #expect(throws: PlayError.self) { try Request(text: text) }
  }

  @Test func stepsAndPicturesAreRead() throws {
    #expect(
      try Request(binary: Data([1, 2, 7, 0]), space: space, promptLimit: 0) == .step(world: 2, action: 7))
    #expect(
      try Request(binary: Data([1, 0, 255, 255]), space: space, promptLimit: 0)
        == .step(world: 0, action: nil))
    let pixels = [UInt8](0..<12)
    #expect(
      try Request(binary: Data([2, 1, 1, 0, 1, 2, 0, 0] + pixels), space: space, promptLimit: 1)
        == .start(world: 1, seed: 513, level: nil, prompt: Prompt(height: 2, width: 2, pixels: pixels)))
  }

  @Test func picturesThatDoNotFitAreRefused() {
    let short = Data([2, 0, 1, 0, 0, 0, 0, 0] + [UInt8](0..<11))
    #expect(throws: PlayError.malformed(reason: "19 bytes for 1 pictures, not 20")) {
      try Request(binary: short, space: space, promptLimit: 1)
    }
    for bytes in [[], [1], [9, 0, 0, 0], [1, 0, 0, 0, 0], [1, 77, 0, 0], [2, 0, 0, 0], [2, 0, 9, 0]]
      as [[UInt8]]
    {
      #expect(throws: PlayError.self) { try Request(binary: Data(bytes), space: space, promptLimit: 2) }
    }
    #expect(throws: PlayError.notOffered("start from a picture")) {
      try Request(binary: short, space: space, promptLimit: 0)
    }
  }
}
