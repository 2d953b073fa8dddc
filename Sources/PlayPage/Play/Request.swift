import Environments
import Foundation

/// What a page asks. Each request has exactly one answer, in the order in which they were asked.
enum Request: Equatable {
  /// What there is to play.
  case hello
  case start(world: Int, seed: UInt64, level: Int?, prompt: Prompt?)
  /// Without an action, the world's player decides.
  case step(world: Int, action: Int32?)
  /// Goes back to a frame of the episode; what came after it is forgotten.
  case rewind(world: Int, frame: Int)
  /// Another world that goes on from a frame of this one.
  case branch(from: Int, to: Int, frame: Int)
  case close(world: Int)
  case tune(world: Int, values: [String: Double])
  /// Sends a chart with every frame from now on; none without a name.
  case chart(world: Int, name: String?)
  /// Lets a player decide from now on; none without a name.
  case player(world: Int, name: String?)
  /// What each action does from a frame of the episode, while it is held.
  case actions(world: Int, frame: Int)
  /// First frames of levels.
  case gallery(first: Int, count: Int)

  /// Of worlds of one page, from 0.
  static let worldLimit = 4
  static let galleryLimit = 64
  static let textLimit = 16_384
}

extension Request {
  private enum Operation: UInt8 { case step = 1, start = 2 }

  /// Reads a binary request, little-endian: `[1, world, action: Int16]` is a step (action -1: the player's),
  /// `[2, world, frames, 0, seed: UInt32, pixels]` a start from `frames` pictures of the world's size.
  init(binary bytes: Data, space: Box, promptLimit: Int) throws(PlayError) {
    let bytes = [UInt8](bytes)
    guard bytes.count >= 4, let operation = Operation(rawValue: bytes[0]) else {
      throw .malformed(reason: "\(bytes.count) bytes of an unknown kind")
    }
    let world = try Self.world(Int(bytes[1]))
    switch operation {
    case .step:
      guard bytes.count == 4 else { throw .malformed(reason: "a step of \(bytes.count) bytes") }
      let action = Int16(bitPattern: UInt16(bytes[2]) | UInt16(bytes[3]) << 8)
      self = .step(world: world, action: action == -1 ? nil : Int32(action))
    case .start:
      let frames = Int(bytes[2])
      guard promptLimit > 0 else { throw .notOffered("start from a picture") }
      guard (1...promptLimit).contains(frames) else {
        throw .malformed(reason: "\(frames) pictures, this world takes 1 to \(promptLimit)")
      }
      let expected = 8 + frames * space.byteCount
      guard bytes.count == expected else {
        throw .malformed(reason: "\(bytes.count) bytes for \(frames) pictures, not \(expected)")
      }
      let seed = (0..<4).reduce(UInt64(0)) { $0 | UInt64(bytes[4 + $1]) << UInt64(8 * $1) }
      let prompt = Prompt(
        frames: frames, height: space.height, width: space.width, pixels: Array(bytes[8...]))
      self = .start(world: world, seed: seed, level: nil, prompt: prompt)
    }
  }

  /// Reads a request in JSON: `{"ask": "rewind", "world": 0, "frame": 12}`.
  init(text: String) throws(PlayError) {
    struct Fields: Decodable {
      var ask: String
      var world, level, frame, from, to, first, count: Int?
      var seed: UInt32?
      var name: String?
      var values: [String: Double]?
    }
    guard text.utf8.count <= Self.textLimit else {
      throw .malformed(reason: "\(text.utf8.count) bytes, at most \(Self.textLimit)")
    }
    let fields: Fields
    do { fields = try JSONDecoder().decode(Fields.self, from: Data(text.utf8)) } catch {
      throw .malformed(reason: "no JSON request")
    }
    func number(_ value: Int?, _ name: String) throws(PlayError) -> Int {
      guard let value else { throw .malformed(reason: "'\(fields.ask)' without '\(name)'") }
      return value
    }
    let world = try Self.world(fields.world ?? 0)
    switch fields.ask {
    case "hello": self = .hello
    case "start":
      self = .start(world: world, seed: UInt64(fields.seed ?? 0), level: fields.level, prompt: nil)
    case "rewind": self = .rewind(world: world, frame: try number(fields.frame, "frame"))
    case "branch":
      let to = try Self.world(try number(fields.to, "to"))
      let from = try Self.world(try number(fields.from, "from"))
      guard from != to else { throw .malformed(reason: "a branch of world \(from) into itself") }
      self = .branch(from: from, to: to, frame: try number(fields.frame, "frame"))
    case "close": self = .close(world: world)
    case "tune": self = .tune(world: world, values: fields.values ?? [:])
    case "chart": self = .chart(world: world, name: fields.name)
    case "player": self = .player(world: world, name: fields.name)
    case "actions": self = .actions(world: world, frame: try number(fields.frame, "frame"))
    case "gallery":
      let count = try number(fields.count, "count")
      let first = try number(fields.first, "first")
      guard (1...Self.galleryLimit).contains(count), (0...Int(Int32.max)).contains(first) else {
        throw .malformed(reason: "\(count) levels from \(first)")
      }
      self = .gallery(first: first, count: count)
    default: throw .malformed(reason: "'\(fields.ask.prefix(40))' is nothing to ask")
    }
  }

  private static func world(_ number: Int) throws(PlayError) -> Int {
    guard (0..<worldLimit).contains(number) else { throw .unknownWorld(number) }
    return number
  }
}
