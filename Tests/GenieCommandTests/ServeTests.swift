import Environments
import Foundation
import GeneratedWorlds
import TestSupport
import Testing
import Video

@testable import genie

@Suite struct ServeTests {
  @Test(arguments: [
    ["--session-seconds", "0"], ["--batching-milliseconds", "-1"], ["--batching-milliseconds", "2000"],
    ["--sessions", "0"], ["--game", "Chess-v1"], ["--key", "a.secret"], ["--allow", "clients"],
    ["--metrics", "70000"], ["--least-share", "2"], ["--start", "a.png", "--clips", "video"],
  ])
  func whatMakesNoSenseIsRefused(_ arguments: [String]) {
    #expect(throws: (any Error).self) { try ServeCommand.parse(arguments) }
  }

  @Test func flagsAreTaken() throws {
    let command = try ServeCommand.parse([
      "--game", "Noop-v1", "--game", "Platformer-v1", "--endpoint", "ipc:///a", "--keep", "there",
      "--metrics",
      "9100", "--session-seconds", "5", "--batching-milliseconds", "0", "--sessions", "7", "--json-log",
    ])
    let configuration = try command.serverConfiguration()
    #expect(configuration.endpoints == ["ipc:///a"] && configuration.metricsPort == 9_100)
    #expect(configuration.sessionSeconds == 5 && configuration.batchingSeconds == 0)
    #expect(configuration.limits.sessions == 7 && configuration.persistence?.lastPathComponent == "there")
    #expect(try command.catalogue().names == ["Noop-v1", "Platformer-v1"])
    #expect(command.jsonLog && !command.verbose && configuration.security == nil)
  }

  @Test func aDreamTakesTheGamesButtons() throws {
    let latent = try ServeCommand.parse([]).catalogue()
    let buttons = try ServeCommand.parse(["--buttons"]).catalogue()
    let name = try #require(latent.names.first)
    #expect(try latent.makePool(name).actionSpace == Discrete(8))
    #expect(try buttons.makePool(name).actionSpace == Platformer().specification.actionSpace)
  }

  /// What agents are to learn in is served as the experiment that trains them here has it.
  @Test func aWorldToLearnInIsServed() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let clips = temporary.file("firsts")
    let frames = (UInt8(0)..<3).map { [UInt8](repeating: $0, count: 64 * 64 * 3) }
    let writer = try ClipFolderWriter(clips)
    for frame in frames {
      try writer.append(
        Clip(height: 64, width: 64, frames: frame + frame, actions: [0, -1], metadata: ["source": "test"]))
    }
    try writer.finish()
    let file = temporary.file("serve.json")
    try Data(#"{"tellAge": true, "leastOdds": 0, "temperature": 0.5, "repeatLimit": 16}"#.utf8).write(
      to: file)
    var command = try ServeCommand.parse([
      "--clips", clips.path, "--temperature", "1", "--least-share", "0.05",
    ])
    command.fill(try ServeOptions(file))
    let catalogue = try command.catalogue()
    let limited = try #require(try catalogue.makePool(catalogue.names[0]) as? RepeatLimit)
    let pool = try #require(limited.base as? GeneratedWorldPool)
    let sampling = pool.world.manifest.sampling
    #expect(pool.specification.levels == 3 && pool.world.levels.bytes.count == 3 * frames[0].count)
    #expect(sampling.tellsAge && sampling.temperature == 1)
    #expect(sampling.leastShare == 0.05 && sampling.leastOdds == 0)
  }

  @Test func aGameToLearnInIsServed() throws {
    let catalogue = try ServeCommand.parse(["--game", "Platformer-v1", "--repeat-limit", "16"]).catalogue()
    #expect(try catalogue.makePool("Platformer-v1") is RepeatLimit)
  }

  @Test func theFileFillsAndTheCommandLineWins() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let file = temporary.file("serve.json")
    try Data(
      #"{"game": ["Noop-v1"], "sessions": 3, "sessionSeconds": 9, "metrics": 9000, "verbose": true, "buttons": true, "start": ["a.png"]}"#
        .utf8
    )
    .write(to: file)
    var command = try ServeCommand.parse(["--sessions", "8", "--config", file.path])
    command.fill(try ServeOptions(file))
    let configuration = try command.serverConfiguration()
    #expect(command.game == ["Noop-v1"] && command.verbose)
    #expect(command.buttons && !command.dreamtLevels && command.start == ["a.png"])
    #expect(configuration.limits.sessions == 8 && configuration.sessionSeconds == 9)
    #expect(configuration.metricsPort == 9_000 && configuration.endpoints == ["tcp://127.0.0.1:5555"])
  }

  @Test func theExampleIsReadable() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    #expect(throws: Never.self) { try ServeOptions(root.appending(path: "Agents/serve.json")) }
  }

  @Test func filesThatAreWrongSayHow() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let file = temporary.file("serve.json")
    #expect(throws: ServeOptions.Failure.unreadable(file: file.path)) { try ServeOptions(file) }
    for (text, failure) in [
      ("[]", ServeOptions.Failure.malformed(file: file.path, option: nil)),
      ("{", .malformed(file: file.path, option: nil)),
      (#"{"sessions": "many"}"#, .malformed(file: file.path, option: "sessions")),
      (#"{"sesions": 3, "x": 1}"#, .unknown(file: file.path, options: ["sesions", "x"])),
    ] {
      try Data(text.utf8).write(to: file)
      #expect(throws: failure) { try ServeOptions(file) }
    }
  }
}
