import Environments

/// The smallest game with an end: counts down from its seed (1 to 9), and shows and tells what is left.
struct Countdown: Game {
  let specification = EnvironmentSpecification(
    name: "Countdown", observationSpace: Box(height: 1, width: 2, channels: 3), actionSpace: Discrete(2),
    levels: 10, auxiliaries: ["left"])
  private var left: UInt8 = 0

  mutating func reset(seed: UInt64, level: Int?) throws(EnvironmentError) {
    if let level, !(0..<10).contains(level) { throw .unknownLevel(level, count: 10) }
    left = UInt8(seed < 10 && seed > 0 ? seed : 1 + seed % 9)
  }

  mutating func step(_ action: Int32) -> GameOutcome {
    left -= 1
    return GameOutcome(reward: 1, terminated: left == 0)
  }

  func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) {
    for index in pixels.indices { pixels[index] = left + UInt8(10 * index) }
  }

  func auxiliary(_ name: String) -> Float { Float(left) }

  func save(to snapshot: inout SnapshotWriter) { snapshot.write(left) }

  mutating func load(from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    let value = try snapshot.read(UInt8.self)
    guard value < 10 else { throw .invalidSnapshot("\(value) is more than 9") }
    left = value
  }
}
