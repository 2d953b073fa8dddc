import AgentSDK
import Environments
import Foundation
import GeneratedWorlds
import TestSupport
import Testing

/// From video to an agent in a served dream, through the commands that the README names.
@Suite(.serialized) struct VideoToAgentTests {
  @Test func aWorldIsLearnedMeasuredAndServed() throws {
    let temporary = try TemporaryFolder()
    let folder = temporary.url
    defer { withExtendedLifetime(temporary) {} }
    let (clips, world) = (folder.appending(path: "clips").path, folder.appending(path: "small.world"))
    let recorded = try CommandLineTool.run("record", "--episodes", "12", "--seed", "3", "--out", clips)
    #expect(recorded.status == 0, "\(recorded.errors)")

    // Killed on the way, as a power cut would; then gone on with.
    let (process, _, _) = try CommandLineTool.start([
      "train", "--clips", clips, "--out", world.path, "--minutes", "0.15", "--quiet",
    ])
    let checkpoint = folder.appending(path: "small.world.training/tokenizer.safetensors")
    for _ in 0..<600 where !FileManager.default.fileExists(atPath: checkpoint.path) && process.isRunning {
      Thread.sleep(forTimeInterval: 0.1)
    }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let refused = try CommandLineTool.run("train", "--clips", clips, "--out", world.path)
    #expect(refused.status == 1 && refused.errors.contains("--resume"), "\(refused.errors)")
    let trained = try CommandLineTool.run(
      "train", "--clips", clips, "--out", world.path, "--minutes", "0.15", "--resume", "--quiet")
    #expect(trained.status == 0, "\(trained.errors)")

    let (figures, sheets) = (folder.appending(path: "figures.json"), folder.appending(path: "sheets"))
    let measured = try CommandLineTool.run(
      "measure", world.path, "--clips", clips, "--count", "16", "--worlds", "6", "--frames", "20", "--starts",
      "16",
      "--json", figures.path, "--sheets", sheets.path)
    #expect(measured.status == 0, "\(measured.errors)")
    let json = try CommandLineTool.json(figures)
    for key in ["tokenizer_psnr", "changed_token_accuracy", "delta_psnr_t4"] {
      #expect(json[key] is Double)
    }
    #expect((json["rollout_psnr"] as? [String: Any])?.count == 8)
    #expect((json["action_usage"] as? [Any])?.count == 8)
    for key in ["validity", "variety"] { #expect((json[key] as? [String: Any])?["20"] is Double) }
    #expect(json["action_purity"] is Double && json["action_consistency"] is Double)
    #expect((json["reward_f1"] as? [String: Any])?["end"] is Double)
    let drawn = try FileManager.default.contentsOfDirectory(atPath: sheets.path)
    #expect(Set(drawn).isSuperset(of: ["clip-1.png", "clip-4.png", "events.png", "validity.svg"]))

    let (actions, film) = (
      folder.appending(path: "actions.png").path, folder.appending(path: "again.png").path
    )
    #expect(try CommandLineTool.run("inspect", world.path, "--actions", actions).status == 0)
    let again = try CommandLineTool.run(
      "regenerate", clips, "--world", world.path, "--frames", "8", "--change", "3-5=1", "--out", film)
    #expect(again.status == 0, "\(again.errors)")
    let prompted = try CommandLineTool.run("prompt", actions, "--world", world.path, "--out", film)
    #expect(prompted.status == 0, "\(prompted.errors)")

    try remembersLonger(world, clips: clips)
    try serves(try watched(world, clips: clips), endpoint: "ipc://\(folder.path)/socket")
  }

  /// The same dynamics, trained further on two folders of clips, with a longer window.
  private func remembersLonger(_ world: URL, clips: String) throws {
    let longer = world.deletingLastPathComponent().appending(path: "longer.world")
    let others = world.deletingLastPathComponent().appending(path: "others").path
    #expect(
      try CommandLineTool.run("record", "--episodes", "8", "--seed", "9", "--out", others).status == 0)
    let trained = try CommandLineTool.run(
      "train", "--clips", others, clips, "--out", longer.path, "--from", world.path, "--quiet",
      "--set", "model.dynamics.window=12", "--set", "training.dynamics.steps=4", "--set",
      "training.rewards.steps=5")
    #expect(trained.status == 0, "\(trained.errors)")
    let made = try World(longer)
    #expect(made.genie.configuration.dynamics.window == 12)
    // What the latent actions mean was labelled once.
    #expect(try made.manifest.actionMap == World(world).manifest.actionMap && made.manifest.actionMap != nil)
    let shorter = try CommandLineTool.run(
      "train", "--clips", clips, "--out", longer.path + ".not", "--from", world.path, "--quiet",
      "--set", "model.dynamics.window=4")
    #expect(shorter.status == 1 && shorter.errors.contains("configuration"), "\(shorter.errors)")
  }

  /// The same dynamics with odds of actions.
  private func watched(_ world: URL, clips: String) throws -> URL {
    let watched = world.deletingLastPathComponent().appending(path: "watched.world")
    let trained = try CommandLineTool.run(
      "train", "--clips", clips, "--out", watched.path, "--dynamics-of", world.path, "--quiet", "--set",
      "training.rewards.steps=5", "--set", "training.actionOdds.steps=5", "--set",
      "model.sampling.leastOdds=0.9")
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(FileManager.default.fileExists(atPath: watched.appending(path: "action_odds.safetensors").path))
    try agree(watched, world, in: ["tokenizer", "latent_actions", "dynamics"])
    // A head without steps is taken, too.
    let paid = world.deletingLastPathComponent().appending(path: "paid.world")
    let again = try CommandLineTool.run(
      "train", "--clips", clips, "--out", paid.path, "--dynamics-of", watched.path, "--quiet", "--seed", "7",
      "--set", "training.rewards.steps=5", "--set", "training.actionOdds.steps=0")
    #expect(again.status == 0, "\(again.errors)")
    try agree(paid, watched, in: ["tokenizer", "latent_actions", "dynamics", "action_odds"])
    #expect(
      try Data(contentsOf: paid.appending(path: "rewards.safetensors"))
        != Data(contentsOf: watched.appending(path: "rewards.safetensors")))
    return watched
  }

  private func agree(_ one: URL, _ other: URL, in files: [String]) throws {
    for file in files.map({ $0 + ".safetensors" }) {
      #expect(
        try Data(contentsOf: one.appending(path: file)) == Data(contentsOf: other.appending(path: file)),
        "\(file)")
    }
  }

  /// A remote agent sees the frames that a local one sees, bit for bit.
  private func serves(_ world: URL, endpoint: String) throws {
    let (server, output, _) = try CommandLineTool.start(["serve", world.path, "--endpoint", endpoint])
    defer {
      server.terminate()
      server.waitUntilExit()
      #expect(server.terminationStatus == 0)
    }
    #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).contains("serving at"))
    func play(_ pool: some EnvironmentPool) throws -> [UInt8] {
      var pool = pool
      let slots = [try pool.open(OpenOptions()), try pool.open(OpenOptions())]
      var batch = pool.makeBatch()
      try pool.reset(slots, [ResetOptions(seed: 4), ResetOptions(seed: 5)], into: &batch)
      var frames = batch.observations
      for action in Int32(0)..<6 {
        try pool.step(slots, [action, 7 - action], into: &batch)
        frames += batch.observations
      }
      return frames
    }
    #expect(try play(RemotePool(endpoint)) == play(GeneratedWorldPool(World(world))))
  }

  @Test func mistakesAreExplained() throws {
    let temporary = try TemporaryFolder()
    let folder = temporary.url
    defer { withExtendedLifetime(temporary) {} }
    let missing = folder.appending(path: "nothing").path
    for arguments in [
      ["train", "--clips", missing, "--out", missing + ".world"], ["measure", missing, "--clips", missing],
      ["inspect", missing], ["serve", missing, "--endpoint", "ipc:///tmp/never"],
      ["serve", "--game", "Noop-v1", "--endpoint", "tcp://0.0.0.0:5999"],
    ] {
      let (process, _, errors) = try CommandLineTool.start(arguments)
      let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 1, "\(arguments): \(text)")
      #expect(text.contains("Error") && !text.contains("Fatal"), "\(arguments): \(text)")
    }
    #expect(
      try CommandLineTool.run("train", "--clips", missing, "--out", missing, "--preset", "huge").status == 2
    )
    #expect(try CommandLineTool.run("nonsense").status == 2)
  }
}
