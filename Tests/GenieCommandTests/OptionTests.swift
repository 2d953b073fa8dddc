import Foundation
import GeneratedWorlds
import Testing
import WorldModel

@testable import genie

@Suite struct OptionTests {
  @Test func oneValueIsSet() throws {
    let options = try SettingOptions.parse([
      "--set", "training.masking.actionNoise=0.25", "--set", "training.codePlacement=0.6", "--set",
      "training.dynamics.steps=7", "--set", "model.latentActions.pooling=2",
    ])
    let training = try options.applied(to: TrainingConfiguration(), named: "training")
    var expected = TrainingConfiguration()
    expected.masking.actionNoise = 0.25
    expected.codePlacement = 0.6
    expected.dynamics.steps = 7
    #expect(training == expected)
    #expect(try options.applied(to: GenieConfiguration.tiny, named: "model").latentActions.pooling == 2)
  }

  @Test(arguments: [
    "training.nothing=1", "training.dynamics.steps=many", "training.dynamics=1", "training.masking",
  ])
  func whatCannotBeSetIsRefused(setting: String) throws {
    let options = try SettingOptions.parse(["--set", setting])
    #expect(throws: (any Error).self) {
      try options.applied(to: TrainingConfiguration(), named: "training")
    }
  }

  @Test func otherPathsAreRefused() {
    #expect(throws: (any Error).self) { try SettingOptions.parse(["--set", "steps=1"]).validate() }
  }

  @Test func aWorldIsDrawnOtherwise() throws {
    let world = try World.bundled()
    let drawn = try SamplingOptions.parse(["--temperature", "0.5", "--least-odds", "0"]).applied(to: world)
    var expected = world.manifest.sampling
    (expected.temperature, expected.leastOdds) = (0.5, 0)
    #expect(drawn.manifest.sampling == expected)
    #expect(try SamplingOptions.parse([]).applied(to: world).manifest == world.manifest)
    for bad in [
      ["--temperature", "-1"], ["--least-share", "2"], ["--pilots", "1000"], ["--least-odds", "nan"],
    ] {
      #expect(throws: (any Error).self) { try SamplingOptions.parse(bad) }
    }
  }

  @Test func changesOfActionsAreRead() {
    #expect(ActionChange(argument: "8-15=3")?.frames == 8...15)
    #expect(ActionChange(argument: "4=0")?.action == 0)
    for bad in ["", "=", "3", "0=1", "5-4=1", "a=1", "4=-1", "1-2-3=1", "1=2=3", "8-l5=3", "x-5=3", "5-=3"] {
      #expect(ActionChange(argument: bad) == nil, "\(bad)")
    }
  }

  /// What would be ignored is refused.
  @Test func optionsThatExcludeEachOtherAreRefused() {
    for arguments in [
      ["random", "--suite", "a.suite.safetensors", "--episodes", "5"],
      ["random", "--suite", "a.suite.safetensors", "--seed", "5"],
      ["--serve", "a.suite.safetensors", "--endpoint", "tcp://127.0.0.1:5555", "--horizon", "5"],
    ] {
      #expect(throws: (any Error).self) { try EvaluateCommand.parse(arguments) }
    }
    #expect(throws: Never.self) { try EvaluateCommand.parse(["random", "--episodes", "5"]) }
    #expect(throws: (any Error).self) { try ServeCommand.parse(["--dreamt-levels", "--clips", "a"]) }
    var game = try? ServeCommand.parse(["--game", "Noop-v1", "--temperature", "1"])
    #expect(throws: (any Error).self) { try game?.run() }
  }

  @Test func rewardsAreChosen() {
    #expect(RewardChoice(argument: "novelty") == .novelty)
    #expect(RewardChoice(argument: "goal:there.png") == .goal("there.png"))
    #expect(RewardChoice(argument: "goal:") == nil && RewardChoice(argument: "fame") == nil)
  }
}
