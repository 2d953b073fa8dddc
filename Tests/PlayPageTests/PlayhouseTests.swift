import Environments
import Testing

@testable import PlayPage

@Suite struct PlayhouseTests {
  private let actions: [Int32] = (0..<70).map { [2, 1, 3, 0, 2, 4, 1][$0 % 7] }

  private func frame(_ reply: Reply) throws -> FrameReply {
    guard case .frame(let frame) = reply else {
      Issue.record("no frame: \(reply)")
      throw PlayError.malformed(reason: "no frame")
    }
    return frame
  }

  private func sheet(_ reply: Reply) throws -> Sheet {
    guard case .sheet(let sheet) = reply else {
      Issue.record("no sheet: \(reply)")
      throw PlayError.malformed(reason: "no sheet")
    }
    return sheet
  }

  private func refusal(_ reply: Reply) -> PlayError? {
    if case .refused(let error) = reply { error } else { nil }
  }

  /// Plays until the episode ends, and gives all frames.
  private func play(_ house: inout Playhouse, visit: Int, world: Int = 0) throws -> [FrameReply] {
    var frames = [try frame(house.answer(.start(world: world, seed: 4, level: 11, prompt: nil), of: visit))]
    for action in actions where !frames.last!.terminated {
      frames.append(try frame(house.answer(.step(world: world, action: action), of: visit)))
    }
    return frames
  }

  @Test(arguments: [false, true])
  func everyFrameCanBeHadAgain(withSnapshots: Bool) throws {
    var house = try Playhouse(withSnapshots ? GamePool(Platformer()) : Bare())
    let visit = try house.enter()
    let frames = try play(&house, visit: visit)
    try #require(frames.count > 20)
    for number in [frames.count - 1, 17, 16, 3, 0] {
      let again = try frame(house.answer(.rewind(world: 0, frame: number), of: visit))
      #expect(again.bytes.dropFirst(32) == frames[number].bytes.dropFirst(32), "frame \(number)")
      #expect(
        (again.number, again.action, again.reward) == (number, frames[number].action, frames[number].reward))
    }
    #expect(
      refusal(house.answer(.rewind(world: 0, frame: 1), of: visit)) == .noFrame(1, count: 1),
      "what came after the first frame is forgotten")
  }

  @Test(arguments: [false, true])
  func aBranchLeavesItsOriginAlone(withSnapshots: Bool) throws {
    var house = try Playhouse(withSnapshots ? GamePool(Platformer()) : Bare())
    let visit = try house.enter()
    let frames = try play(&house, visit: visit)
    let branch = try frame(house.answer(.branch(from: 0, to: 1, frame: 18), of: visit))
    #expect(branch.world == 1 && branch.number == 18 && branch.pixels == frames[18].pixels)
    _ = try frame(house.answer(.step(world: 1, action: 1), of: visit))
    _ = try frame(house.answer(.rewind(world: 1, frame: 2), of: visit))
    let origin = try frame(house.answer(.rewind(world: 0, frame: frames.count - 1), of: visit))
    #expect(origin.pixels == frames.last!.pixels)
  }

  @Test func actionsShowWhatEachDoesAndLeaveTheWorldAlone() throws {
    var house = try Playhouse(GamePool(Platformer()))
    let visit = try house.enter()
    let first = try frame(house.answer(.start(world: 0, seed: 1, level: 2, prompt: nil), of: visit))
    let sheet = try sheet(house.answer(.actions(world: 0, frame: 0), of: visit))
    #expect((sheet.rows, sheet.columns) == (6, 9) && sheet.pixels.count == 6 * 9 * 64 * 64 * 3)
    #expect(Array(sheet.pixels.prefix(64 * 64 * 3)) == first.pixels)
    let next = try frame(house.answer(.step(world: 0, action: 2), of: visit))
    let size = 64 * 64 * 3
    #expect(Array(sheet.pixels[(2 * 9 + 1) * size..<(2 * 9 + 2) * size]) == next.pixels)
  }

  @Test(arguments: [false, true])
  func actionsAreShownFromTheFrameThatIsAskedFor(withSnapshots: Bool) throws {
    var house = try Playhouse(withSnapshots ? GamePool(Platformer()) : Bare())
    let visit = try house.enter()
    let frames = try play(&house, visit: visit)
    try #require(frames.count > 20)
    let size = 64 * 64 * 3
    for number in [18, 4, 0] {
      let sheet = try sheet(house.answer(.actions(world: 0, frame: number), of: visit))
      let next = Int(actions[number]) * sheet.columns + 1
      #expect(Array(sheet.pixels.prefix(size)) == frames[number].pixels, "frame \(number)")
      #expect(Array(sheet.pixels[next * size..<(next + 1) * size]) == frames[number + 1].pixels)
    }
    #expect(
      refusal(house.answer(.actions(world: 0, frame: frames.count), of: visit))
        == .noFrame(frames.count, count: frames.count))
  }

  @Test func theGalleryShowsFirstFrames() throws {
    var house = try Playhouse(GamePool(Platformer()))
    let visit = try house.enter()
    let sheet = try sheet(house.answer(.gallery(first: 5, count: 11), of: visit))
    #expect(sheet.rows == 11)
    let start = try frame(house.answer(.start(world: 0, seed: 0, level: 14, prompt: nil), of: visit))
    #expect(Array(sheet.pixels.suffix(64 * 64 * 3 * 2).prefix(64 * 64 * 3)) == start.pixels)
  }

  @Test func aPlayerDecidesAndSeesStackedFrames() throws {
    var house = try Playhouse(GamePool(Platformer()), players: [Sprinter()])
    let visit = try house.enter()
    _ = try frame(house.answer(.start(world: 0, seed: 1, level: 2, prompt: nil), of: visit))
    #expect(refusal(house.answer(.step(world: 0, action: nil), of: visit)) == .noPlayer(nil, offered: []))
    #expect(
      refusal(house.answer(.player(world: 0, name: "nobody"), of: visit))
        == .noPlayer("nobody", offered: ["sprinter"]))
    let chosen = try frame(house.answer(.player(world: 0, name: "sprinter"), of: visit))
    // At the start both frames are the same; later they are not.
    #expect(chosen.decision == Decision(action: 0, probabilities: [1, 0, 0, 0, 0, 0], value: 0))
    _ = try frame(house.answer(.step(world: 0, action: 2), of: visit))
    let next = try frame(house.answer(.step(world: 0, action: 2), of: visit))
    #expect(next.decision?.action == 2)
    #expect(try frame(house.answer(.step(world: 0, action: nil), of: visit)).action == 2)
  }

  @Test func visitsAreApartAndTheirWorldsGoWithThem() throws {
    var house = try Playhouse(GamePool(Platformer()))
    let (one, other) = (try house.enter(), try house.enter())
    _ = try play(&house, visit: one)
    #expect(refusal(house.answer(.step(world: 0, action: 1), of: other)) == .unknownWorld(0))
    let frames = try play(&house, visit: other)
    house.leave(one)
    #expect(refusal(house.answer(.step(world: 0, action: 1), of: one)) == .unknownWorld(0))
    #expect(try frame(house.answer(.rewind(world: 0, frame: 5), of: other)).pixels == frames[5].pixels)
    for _ in 1..<Playhouse.visitLimit { _ = try house.enter() }
    #expect(throws: PlayError.crowded(limit: Playhouse.visitLimit)) { try house.enter() }
  }

  @Test func aRefusedStartLeavesTheEpisode() throws {
    var house = try Playhouse(GamePool(Platformer()))
    let visit = try house.enter()
    let frames = try play(&house, visit: visit)
    let prompt = Prompt(height: 64, width: 64, pixels: [UInt8](repeating: 0, count: 64 * 64 * 3))
    #expect(refusal(house.answer(.start(world: 0, seed: 0, level: nil, prompt: prompt), of: visit)) != nil)
    #expect(try frame(house.answer(.rewind(world: 0, frame: 9), of: visit)).pixels == frames[9].pixels)
  }

  @Test func stepsAfterTheEndAreRefused() throws {
    var house = try Playhouse(GamePool(Platformer()))
    let visit = try house.enter()
    _ = try frame(house.answer(.start(world: 0, seed: 4, level: 11, prompt: nil), of: visit))
    var hasEnded = false
    for _ in 0..<300 where !hasEnded {
      hasEnded = try frame(house.answer(.step(world: 0, action: 3), of: visit)).terminated
    }
    #expect(hasEnded)
    #expect(refusal(house.answer(.step(world: 0, action: 3), of: visit)) == .environment(.needsReset))
    #expect(refusal(house.answer(.step(world: 0, action: 99), of: visit)) == .environment(.needsReset))
  }

  @Test func numbersThatWereTurnedAreTurnedAgainOnTheWayBack() throws {
    var house = try Playhouse(Dial())
    let visit = try house.enter()
    _ = try frame(house.answer(.start(world: 0, seed: 0, level: nil, prompt: nil), of: visit))
    var values: [UInt8] = []
    for step in 0..<6 {
      if step == 3 { _ = house.answer(.tune(world: 0, values: ["gain": 5]), of: visit) }
      values.append(try frame(house.answer(.step(world: 0, action: 0), of: visit)).pixels[0])
    }
    #expect(values == [1, 2, 3, 8, 13, 18])
    #expect(try frame(house.answer(.rewind(world: 0, frame: 5), of: visit)).pixels[0] == 13)
    #expect(try frame(house.answer(.rewind(world: 0, frame: 2), of: visit)).pixels[0] == 2)
    #expect(try frame(house.answer(.step(world: 0, action: 0), of: visit)).pixels[0] == 7, "the turn holds")
    #expect(
      refusal(house.answer(.tune(world: 0, values: ["gain": 99]), of: visit))
        == .environment(.invalidOption(name: "gain", reason: "99.0 is outside 0.0...9.0")))
    #expect(
      refusal(house.answer(.chart(world: 0, name: "tokens"), of: visit)) == .notOffered("chart 'tokens'"))
  }
}
