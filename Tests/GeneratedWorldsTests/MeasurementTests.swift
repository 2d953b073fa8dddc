import Autograd
import Environments
import Foundation
import TestSupport
import Testing
import Video
import WorldModel

@testable import GeneratedWorlds

@Suite struct SeenMotionTests {
  /// A textured scene of which (`x`, `y`) pixels have gone past, with a white square at (`left`, `top`).
  private func picture(x: Int = 0, y: Int = 0, left: Int, top: Int) -> Picture {
    let key = RandomKey(seed: 5)
    var pixels: [UInt8] = []
    for row in 0..<48 {
      for column in 0..<48 {
        let isSquare = (top..<top + 8).contains(row) && (left..<left + 8).contains(column)
        let cell = key.bits(UInt64((row + y + 100) / 3 * 1000 + (column + x + 100) / 3))
        pixels += isSquare ? [255, 255, 255] : [UInt8(cell & 127), UInt8(cell >> 8 & 127), 40]
      }
    }
    return Picture(height: 48, width: 48, pixels: pixels)
  }

  @Test func aCameraIsTold() {
    let motion = SeenMotion(from: picture(left: 20, top: 20), to: picture(x: 4, y: -2, left: 20, top: 20))
    #expect(motion.scene == (-4, 2))
    #expect(motion.ofPlayer == (4, -2))
  }

  @Test func somethingThatMovesByItselfIsTold() {
    let motion = SeenMotion(from: picture(left: 20, top: 20), to: picture(left: 20, top: 15))
    #expect(motion.scene == (0, 0))
    // How far cannot be told of a shape of one colour; where to can.
    #expect(motion.ofPlayer.x == 0 && motion.ofPlayer.y < 0)
  }

  @Test func nothingIsNothing() {
    #expect(SeenMotion(from: picture(left: 20, top: 20), to: picture(left: 20, top: 20)).ofPlayer == (0, 0))
  }

  @Test func directionsHaveNames() {
    #expect(World.name(of: (1, 0)) == "right" && World.name(of: (-0.9, -0.9)) == "up-left")
    #expect(World.name(of: (0, 1)) == "down" && World.name(of: (0.1, -0.2)) == "still")
  }
}

/// Reads the frames of ``SmallWorld``: those whose first byte is even are valid.
private struct ParityJudge: GameJudge {
  let tileNames = ["nothing", "something"]
  let solidTiles: Set<UInt8> = [1]

  func read(_ frame: UnsafeBufferPointer<UInt8>) -> GameScene {
    let isEven = frame[0] % 2 == 0
    return GameScene(
      tiles: [1, 0], columns: 2, parts: [0, 0],
      player: isEven ? GameScene.Player(x: Int(frame[1]), y: Int(frame[2]), facesLeft: false) : nil,
      isOver: false, flaws: isEven ? [] : [.noPlayer])
  }

  func effect(from old: GameScene, to new: GameScene) -> VisibleEffect? {
    guard let before = old.player, let after = new.player else { return nil }
    return VisibleEffect(dx: (after.x - before.x).signum(), rises: after.y < before.y)
  }

  func allowsEveryEffect(_ scene: GameScene) -> Bool { scene.isValid }

  /// The last real action is deadly.
  func outcome(of action: Int32, in scene: GameScene) -> RefereedStep? {
    let effect = VisibleEffect(dx: 0, rises: false)
    return RefereedStep(reward: 0, terminated: action == 1, effect: effect, cause: action == 1 ? "pit" : nil)
  }
}

@Suite struct GameMeasurementTests {
  @Test func theBestMapIsBalanced() {
    let (left, still) = (VisibleEffect(dx: -1, rises: false), VisibleEffect(dx: 0, rises: false))
    // Code 1 goes with standing still more often, but with most of what there is of going left.
    let map = ActionPurity.map([[still: 900], [still: 100, left: 40], [:]])
    #expect(map == [still, left, still])
  }

  /// To the right there are spikes, to the left a wall.
  @Test func whatKillsIsNotImpossible() {
    func step(_ dx: Int, rises: Bool = false, dies: Bool = false) -> RefereedStep {
      RefereedStep(reward: 0, terminated: dies, effect: VisibleEffect(dx: dx, rises: rises))
    }
    let outcomes = [
      step(0), step(0), step(1, dies: true), step(0, rises: true), step(0, rises: true),
      RefereedStep(reward: 10, terminated: true, effect: VisibleEffect(dx: 1, rises: true)),
    ]
    func situation(_ dx: Int, rises: Bool) -> BarredActions.Situation {
      BarredActions.situation(of: VisibleEffect(dx: dx, rises: rises), outcomes)
    }
    #expect(situation(0, rises: false) == .possible)
    #expect(situation(-1, rises: false) == .impossible)
    #expect(situation(1, rises: false) == .deadly)
    #expect(situation(1, rises: true) == .possible)
  }

  @Test func whatScrollsInIsCounted() {
    var arrivals = Arrivals(ParityJudge())
    for tiles: [UInt8] in [[1, 0, 1, 0], [0, 1, 0, 1], [1, 1, 0, 0], [0, GameScene.unreal, 0, 1]] {
      arrivals.add(
        GameScene(tiles: tiles, columns: 2, parts: [0, 0, 0, 0], player: nil, isOver: false, flaws: []))
    }
    // Only the last column of each came into sight, and only that of the second is solid from top to bottom.
    #expect(arrivals.columns == 4 && arrivals.closed == 1)
    #expect(arrivals.perHundred.map(\.name) == ["nothing", "something"])
    #expect(arrivals.perHundred.map(\.cells) == [75, 100])
  }

  @Test func framesThatTheTokenizerSpoilsAreKept() throws {
    let world = try SmallWorld.make(rewards: false)
    let clips = (0..<world.levels.clips).map { world.levels.clips($0..<$0 + 1) }
    let decoded = DecodedFrames(
      world.genie.tokenizer, clips, most: 2, judge: ParityJudge(), workers: Workers(count: 2))
    let arena = Arena()
    let odd = clips.filter { clip in
      arena.reset()
      let codes = world.genie.tokenizer.encode(clip, arena: arena)
      return world.genie.tokenizer.decode(codes, clips: 1, time: clip.time, arena: arena).bytes[0] % 2 == 1
    }
    #expect(decoded.frames == clips.count && decoded.frames - decoded.valid == odd.count)
    #expect(decoded.spoilt.map(\.real.pixels) == odd.prefix(2).map(\.bytes))
  }

  @Test func worldsThatCeaseToBeValidAreCounted() throws {
    let world = try SmallWorld.make(rewards: false)
    let workers = Workers(count: 2)
    let starts = (0..<6).map { ResetOptions(seed: UInt64($0), level: $0) }
    let map = ActionMap(real: [0, 0, 1, 0, 0, 0, 0, 0], samples: 1)
    var even: [[Bool]] = []
    func play() throws -> FreePlay {
      var pool: any EnvironmentPool = GeneratedWorldPool(world, workers: workers)
      even = []
      return try FreePlay(
        &pool, starts: starts, frames: 12, judge: ParityJudge(), real: [0, 1], workers: workers, map: map,
        choose: { batch, step in
          even.append((0..<batch.count).map { batch.newestFrame($0).pixels[0] % 2 == 0 })
          return (0..<batch.count).map { Int32(($0 + step) % 5) }
        })
    }
    let first = try play()
    #expect(first.validity.count == 13 && first.worlds == 6)
    #expect(first.validity.allSatisfy { (0...1).contains($0) })
    #expect(zip(first.validity, first.flaws[.noPlayer]!).allSatisfy { abs($0 + $1 - 1) < 1e-9 })
    #expect(first.variety.allSatisfy { $0 == 1 })
    #expect(
      !first.failures.isEmpty && abs(first.firstFlaws.values.reduce(first.invalidAfterEnd, +) - 1) < 1e-9)
    // What the last step led to is not seen by who chooses.
    var expected: [String: FreePlay.Steps] = [:]
    for step in 0..<11 {
      for row in 0..<6 where even[step][row] {
        let name = (row + step) % 5 == 2 ? "pit" : FreePlay.goesOn
        expected[name, default: .init()].all += 1
        if !even[step + 1][row] { expected[name]!.flawed += 1 }
      }
    }
    let counted = first.stepsByOutcome
    #expect(Set(counted.keys) == ["pit", FreePlay.goesOn])
    for (name, steps) in expected {
      let last = even[11].enumerated().count { $1 && (($0 + 11) % 5 == 2) == (name == "pit") }
      #expect(counted[name]!.all == steps.all + last && steps.flawed > 0)
      #expect((steps.flawed...steps.flawed + last).contains(counted[name]!.flawed))
    }
    #expect(try play().validity == first.validity)
  }

  /// The game itself forgets nothing: the picture is the one from before the way back, whatever was collected.
  @Test func theGameRemembersEveryPlace() throws {
    var game: any EnvironmentPool = GamePool(Platformer(startAnywhere: true))
    let (right, left) = (PlatformerAction.right.rawValue, PlatformerAction.left.rawValue)
    let memory = try PlaceMemory(
      &game, starts: (0..<40).map { ResetOptions(seed: $0) }, right: right, left: left, lengths: [2, 6],
      judge: PlatformerJudge())
    #expect(memory.trips.map(\.frames) == [2, 6])
    for trip in memory.trips { #expect(trip.worlds > 5 && trip.remembered == 1) }
    // Who does not come back does not see the same.
    let away = try PlaceMemory(
      &game, starts: (0..<40).map { ResetOptions(seed: $0) }, right: right, left: right, lengths: [2],
      judge: PlatformerJudge())
    #expect(away.trips[0].worlds > 5 && away.trips[0].remembered < 0.5)
  }

  @Test func aClipIsRegeneratedAndChanged() throws {
    let world = try SmallWorld.make(rewards: false)
    let bytes = (0..<7).flatMap { frame in
      (0..<768).map { UInt8(truncatingIfNeeded: $0 * 31 + frame * 57) }
    }
    let clip = FrameBatch(clips: 1, time: 7, height: 16, width: 16, bytes: bytes)
    let plain = try Regeneration(world, clip: clip, workers: Workers(count: 1))
    #expect(plain.dreamt.count == 7 && plain.actions.count == 6 && plain.changed == nil)
    let other = Int32((Int(plain.actions[3]) + 1) % 5)
    let changed = try Regeneration(world, clip: clip, changes: [4: other], workers: Workers(count: 1))
    #expect(changed.dreamt == plain.dreamt)
    #expect(Array(changed.changed![..<4]) == Array(plain.dreamt[..<4]))
    #expect(changed.changedActions[3] == other)
  }

  @Test func levelsAreDreamtBySeed() throws {
    let world = try SmallWorld.make(rewards: false)
    var pool = GeneratedWorldPool(world, workers: Workers(count: 1), levelSampling: .level)
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    func start(_ options: ResetOptions) throws -> [UInt8] {
      try pool.reset([slot], [options], into: &batch)
      #expect(batch.faults[0] == nil)
      return batch.observations
    }
    let (one, two) = (try start(.init(seed: 1)), try start(.init(seed: 2)))
    #expect(one != two)
    #expect(try start(.init(seed: 1)) == one)
    // A level that is named is that level.
    #expect(try start(.init(seed: 1, level: 3)) == start(.init(seed: 2, level: 3)))
    try pool.step([slot], [1], into: &batch)
    #expect(batch.faults[0] == nil)
  }

  @Test func anyPictureIsAStart() throws {
    let world = try SmallWorld.make()
    let pictures = [Picture(height: 90, width: 40, red: 200), Picture(height: 5, width: 70, blue: 90)]
    let other = world.starting(from: pictures)
    #expect(other.levels.clips == 2 && other.levels.height == 16)
    #expect(Array(other.levels.clips(0..<1).bytes.prefix(3)) == [200, 0, 0])
    let sheet = try PromptSheet(
      world, pictures: pictures.map { ("", $0) }, steps: 2, workers: Workers(count: 1))
    #expect(sheet.fidelity.count == 2 && sheet.picture.width > 100)
  }
}

@Suite struct DreamtEventsTests {
  @Test func momentsHaveTheFramesAroundThem() throws {
    let world = try SmallWorld.make()
    let model = try #require(world.rewards)
    // A reward of 1 in every step, and never another.
    let bias = model.parameters.all.last!.value
    (bias[0], bias[1]) = (100, -100)
    let events = try DreamtEvents(
      world, starts: (0..<3).map { ResetOptions(seed: $0) }, steps: 4, kept: 5, workers: Workers(count: 2))
    #expect(events.counts == ["+1": 12] && events.steps == 12 && events.moments.count == 5)
    let first = try #require(events.moments.first)
    #expect(first.event == "+1" && first.before.count == 1 && first.after != nil)
    #expect(events.sheet().height > 5 * 32)
  }

  @Test func anEndHasNoFrameAfterIt() throws {
    let world = try SmallWorld.make()
    let model = try #require(world.rewards)
    let bias = model.parameters.all.last!.value
    (bias[0], bias[1], bias[2]) = (-100, -100, 100)
    let events = try DreamtEvents(
      world, starts: [ResetOptions(seed: 1)], steps: 4, workers: Workers(count: 1))
    #expect(events.counts == ["end": 1] && events.moments.map(\.event) == ["end"])
    #expect(events.moments[0].after == nil)
  }
}
