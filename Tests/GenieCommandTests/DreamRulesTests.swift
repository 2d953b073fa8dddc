import Autograd
import Environments
import Foundation
import GeneratedWorlds
import Testing
import Video

@testable import genie

@Suite struct DreamRulesTests {
  @Test func rulesHaveNamesOfTheirOwn() {
    #expect(Set(DreamRules.all.map(\.name)).count == DreamRules.all.count)
    #expect(DreamRules.all.contains { $0.name == DreamRules.usual })
  }

  @Test func buttonsAreThoseOfTheGame() throws {
    let world = try World.bundled()
    let size = world.genie.configuration.tokenizer
    let frame = StartFrame(
      Picture(
        height: size.height, width: size.width,
        pixels: Array(world.levels.bytes.prefix(size.height * size.width * 3))))
    let starts = DreamStarts(video: [frame], begins: [frame, frame], way: [frame, frame])
    for rule in DreamRules.all where rule.name.hasPrefix("lively") {
      let pool = try rule.pool(world, starts, workers: Workers(count: 1))
      let expected = rule.buttons == true ? Platformer().specification.actionSpace : Discrete(world.actions)
      #expect(pool.actionSpace == expected, "\(rule.name)")
      #expect(
        rule.sampling(of: world).leastOdds == 0
          && rule.sampling(of: world).pilots == world.manifest.sampling.pilots)
    }
  }

  /// Half of the dreams on the way, and only of the others it is told that they begin.
  @Test func halfBeginOnTheWay() throws {
    let rule = try #require(DreamRules.all.first { $0.along == true })
    let size = try World.bundled().genie.configuration.tokenizer
    func start(_ red: UInt8, begins: Bool) -> StartFrame {
      StartFrame(Picture(height: size.height, width: size.width, red: red), begins: begins)
    }
    let starts = DreamStarts(
      begins: (1...4).map { start($0, begins: true) }, way: (5...8).map { start($0, begins: false) })
    let world = rule.started(try World.bundled(), starts)
    let reds = (0..<world.levels.clips).map { world.levels.clips($0..<$0 + 1).bytes[0] }
    #expect(reds == [1, 2, 5, 6] && world.begins == [true, true, false, false])
    #expect(rule.sampling(of: world).tellsAge)
  }

  /// What ends a dream early ends the game as early, where it is practised in by the same rule.
  @Test func rulesEndGames() {
    let game = GamePool(Platformer())
    for rule in DreamRules.all {
      let pool = rule.ended(game)
      #expect((pool is GoalCut) == (rule.cutsGoals == true), "\(rule.name)")
      #expect((pool is RepeatLimit) == (rule.repeats != nil && rule.cutsGoals != true), "\(rule.name)")
    }
  }

  /// Video as people play it shows the level from its beginning, also where the player is random.
  @Test func aRecordingBeginsWhereTheLevelDoes() {
    func differ(fromBeginning: Bool) -> [Bool] {
      let recorder = EpisodeRecorder(
        policy: .random, fromBeginning: fromBeginning, longestEpisode: 2, seed: 5)
      return (0..<8).map { episode in
        var game = Platformer()
        let level = recorder.level(of: episode)
        game.reset(seed: SplitMix64.mix(UInt64(level)), level: level)
        let size = game.specification.observationSpace.height * game.specification.observationSpace.width * 3
        let first = [UInt8](unsafeUninitializedCapacity: size) { pixels, count in
          game.draw(into: UnsafeMutableBufferPointer(rebasing: pixels[..<size]))
          count = size
        }
        return first != Array(recorder.record(episode: episode).frames.prefix(size))
      }
    }
    #expect(!differ(fromBeginning: true).contains(true))
    #expect(differ(fromBeginning: false).count { $0 } >= 6)
  }
}
