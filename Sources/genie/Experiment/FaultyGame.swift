import Autograd
import Environments

/// The platformer with a dream's faults, so that what each of them costs a learner can be told.
struct FaultyGame: Game {
  /// What a dream gets wrong about ends.
  struct Faults: Equatable {
    /// Share of the deaths that are not told: the picture stands still, and nothing more is earned.
    var missed = 0.0
    /// Share of the other steps that end the episode all the same.
    var invented = 0.0
  }

  private var game: Platformer
  private let faults: Faults
  private var seed: UInt64 = 0
  private var step: UInt32 = 0
  private var isLost = false

  init(startAnywhere: Bool = false, faults: Faults = Faults()) {
    game = Platformer(startAnywhere: startAnywhere)
    self.faults = faults
  }

  var specification: EnvironmentSpecification { game.specification }

  mutating func reset(seed: UInt64, level: Int?) {
    game.reset(seed: seed, level: level)
    (self.seed, step, isLost) = (seed, 0, false)
  }

  mutating func step(_ action: Int32) -> GameOutcome {
    let draw = Double(RandomKey(seed: seed).folded(in: "faults").uniform(UInt64(step)))
    step += 1
    if isLost { return GameOutcome() }
    var outcome = game.step(action)
    if outcome.terminated {
      isLost = outcome.reward < Ground.goal && draw < faults.missed
      if isLost { outcome.terminated = false }
    } else {
      outcome.terminated = draw < faults.invented
    }
    return outcome
  }

  func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) { game.draw(into: pixels) }
  func auxiliary(_ name: String) -> Float { game.auxiliary(name) }

  func save(to snapshot: inout SnapshotWriter) {
    snapshot.write(seed)
    snapshot.write(step)
    snapshot.write(UInt8(isLost ? 1 : 0))
    game.save(to: &snapshot)
  }

  mutating func load(from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    let (seed, step) = (try snapshot.read(UInt64.self), try snapshot.read(UInt32.self))
    guard step < .max else { throw .invalidSnapshot("\(step) steps") }
    let isLost = try snapshot.read(UInt8.self) != 0
    try game.load(from: &snapshot)
    (self.seed, self.step, self.isLost) = (seed, step, isLost)
  }
}
