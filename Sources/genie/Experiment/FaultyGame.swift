import Autograd
import Environments

/// The platformer with a dream's faults, so that what each of them costs a learner can be told.
struct FaultyGame: Game {
  /// What a dream gets wrong in the air, directly below something solid.
  struct Hanging: Equatable {
    /// Share of the jumps that end the episode, and of those that fall.
    var ends = 0.0
    var falls = 0.0
    /// Share of the other steps that hover, as jumps do.
    var hovers = 0.0
  }

  /// What a dream gets wrong about ends, ways and actions, and about where flags stand.
  struct Faults: Equatable {
    /// Share of the deaths that are not told: the picture stands still, and nothing more is earned.
    var missed = 0.0
    /// Share of the times that spikes are touched and do no harm, until the hero is clear of them.
    var survived = 0.0
    /// Share of the other steps that end the episode all the same.
    var invented = 0.0
    /// Of the steps that lead further to the right than any before, the share that comes to a flag.
    var flags = 0.0
    /// Share of the levels whose flag is none: who touches it earns nothing and goes on.
    var goalless = 0.0
    /// Of the columns of a level, the share that is closed from top to bottom.
    var walls = 0.0
    /// Share of the steps that do what an action drawn by chance does.
    var slips = 0.0
    var hanging = Hanging()
  }

  private var game: Platformer
  private let faults: Faults
  private var seed: UInt64 = 0
  private var step: UInt32 = 0
  private var isLost = false
  /// In spikes that do no harm.
  private var isSpared = false
  private var furthest: Int16 = 0

  init(startAnywhere: Bool = false, faults: Faults = Faults()) {
    game = Platformer(startAnywhere: startAnywhere)
    self.faults = faults
  }

  var specification: EnvironmentSpecification { game.specification }

  mutating func reset(seed: UInt64, level: Int?) {
    game.reset(seed: seed, level: level)
    (self.seed, step, isLost, isSpared) = (seed, 0, false, false)
    furthest = Int16(game.position.x)
    closeColumns()
  }

  /// Nothing is closed that is in sight when the episode begins.
  private mutating func closeColumns() {
    guard faults.walls > 0 else { return }
    let key = RandomKey(seed: seed).folded(in: "walls")
    let firstHidden = game.position.x / 2 + PlatformerLevel.rows
    guard firstHidden < PlatformerLevel.columns else { return }
    for column in firstHidden..<PlatformerLevel.columns
    where Double(key.uniform(UInt64(column))) < faults.walls {
      game.close(column)
    }
  }

  mutating func step(_ action: Int32) -> GameOutcome {
    let key = RandomKey(seed: seed).folded(in: "faults")
    let draw = Double(key.uniform(UInt64(step)))
    let comesToFlag = Double(key.folded(in: "flags").uniform(UInt64(step))) < faults.flags
    step += 1
    if isLost { return GameOutcome() }
    let slips = Double(key.folded(in: "slips").uniform(UInt64(step))) < faults.slips
    let other = key.folded(in: "others").integer(UInt64(step), below: specification.actionSpace.count)
    let hangs = game.level.hangs(game.position)
    var outcome = game.step(hangs ? hanging(action, key) : slips ? Int32(other) : action)
    if hangs, PlatformerAction(rawValue: action)?.jumps == true,
      Double(key.folded(in: "hanging").uniform(UInt64(step))) < faults.hanging.ends
    {
      outcome.terminated = true
      return outcome
    }
    let isFurther = game.position.x > furthest
    furthest = max(furthest, Int16(game.position.x))
    let death = game.level.death(at: game.position)
    let isInSpikes = death == .spikes || death == .hangingSpikes
    isSpared =
      isInSpikes
      && (isSpared || Double(key.folded(in: "spikes").uniform(UInt64(step))) < faults.survived)
    if isSpared {
      outcome.terminated = false
    } else if outcome.reward >= Ground.goal,
      Double(RandomKey(seed: seed).folded(in: "goals").uniform(0)) < faults.goalless
    {
      outcome.reward -= Ground.goal
      outcome.terminated = false
    } else if outcome.terminated {
      isLost = outcome.reward < Ground.goal && draw < faults.missed
      if isLost { outcome.terminated = false }
    } else if isFurther, comesToFlag {
      outcome.reward += Ground.goal
      outcome.terminated = true
    } else {
      outcome.terminated = draw < faults.invented
    }
    return outcome
  }

  /// What an action does in the air, below something solid.
  private func hanging(_ code: Int32, _ key: RandomKey) -> Int32 {
    guard let action = PlatformerAction(rawValue: code) else { return code }
    let share = action.jumps ? faults.hanging.falls : faults.hanging.hovers
    guard Double(key.folded(in: "air").uniform(UInt64(step))) < share else { return code }
    return PlatformerAction.allCases.first {
      $0.jumps != action.jumps && $0.direction == action.direction
    }?.rawValue ?? code
  }

  func draw(into pixels: UnsafeMutableBufferPointer<UInt8>) { game.draw(into: pixels) }
  func auxiliary(_ name: String) -> Float { game.auxiliary(name) }

  func save(to snapshot: inout SnapshotWriter) {
    snapshot.write(seed)
    snapshot.write(step)
    snapshot.write(UInt8(isLost ? 1 : 0))
    snapshot.write(UInt8(isSpared ? 1 : 0))
    snapshot.write(furthest)
    game.save(to: &snapshot)
  }

  mutating func load(from snapshot: inout SnapshotReader) throws(EnvironmentError) {
    let (seed, step) = (try snapshot.read(UInt64.self), try snapshot.read(UInt32.self))
    guard step < .max else { throw .invalidSnapshot("\(step) steps") }
    let isLost = try snapshot.read(UInt8.self) != 0
    let isSpared = try snapshot.read(UInt8.self) != 0
    let furthest = try snapshot.read(Int16.self)
    try game.load(from: &snapshot)
    (self.seed, self.step, self.isLost, self.isSpared) = (seed, step, isLost, isSpared)
    self.furthest = furthest
  }
}
