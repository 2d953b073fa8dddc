import Foundation
import MessagePassing
import TestSupport
import Testing

private let mpirun = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
  .map { URL(filePath: String($0)).appending(path: "mpirun") }
  .first { FileManager.default.isExecutableFile(atPath: $0.path) }

/// Training by several processes, as `mpirun` starts them. Skipped, with a message, where there is no MPI.
@Suite(
  .serialized,
  .enabled(
    if: MessagePassing.isBuiltIn && mpirun != nil,
    "needs MPI: apt install libopenmpi-dev, then swift test -c release --traits MPI"))
struct MPITests {
  private static let settings = [
    "--set", "training.tokenizer.steps=30", "--set", "training.latentActions.steps=30",
    "--set", "training.dynamics.steps=30", "--set", "training.rewards.steps=10", "--set",
    "model.sampling.leastOdds=0.05", "--set", "training.actionOdds.steps=10",
  ]

  private func clips(_ folder: URL) throws -> String {
    let clips = folder.appending(path: "clips").path
    let recorded = try CommandLineTool.run("record", "--episodes", "8", "--seed", "3", "--out", clips)
    #expect(recorded.status == 0, "\(recorded.errors)")
    return clips
  }

  /// `mpirun -n 2 genie train`.
  private func start(_ clips: String, _ world: URL, _ more: [String]) throws -> (Process, Pipe) {
    let process = Process()
    process.executableURL = mpirun
    process.arguments =
      ["--oversubscribe", "-n", "2", CommandLineTool.products.appending(path: "genie").path, "train"]
      + ["--clips", clips, "--out", world.path, "--workers", "1", "--quiet"] + more
    // A container's only user is often root.
    process.environment = ProcessInfo.processInfo.environment.merging([
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    ]) { $1 }
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    return (process, errors)
  }

  /// Two processes of one worker make the very world that one process of two workers makes.
  @Test func twoProcessesMakeTheSameWorld() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let clips = try clips(temporary.url)
    let (one, two) = (temporary.file("one.world"), temporary.file("two.world"))
    let alone = try CommandLineTool.run(
      ["train", "--clips", clips, "--out", one.path, "--workers", "2", "--quiet"] + Self.settings)
    #expect(alone.status == 0, "\(alone.errors)")
    let (process, errors) = try start(clips, two, Self.settings)
    let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(said)")
    for file in ["tokenizer", "latent_actions", "dynamics", "rewards", "action_odds"] {
      let name = file + ".safetensors"
      #expect(
        try Data(contentsOf: one.appending(path: name)) == Data(contentsOf: two.appending(path: name)),
        "\(name)")
    }
  }

  /// A process that dies ends all, is named, and the checkpoint is whole: one process goes on from it.
  @Test func aDeadProcessEndsTheRunAndOneGoesOn() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let clips = try clips(temporary.url)
    let world = temporary.file("killed.world")
    let long = ["--set", "training.tokenizer.steps=30", "--set", "training.latentActions.steps=1000000"]
    let (process, errors) = try start(clips, world, long)
    let checkpoint = temporary.file("killed.world.training/tokenizer.safetensors")
    for _ in 0..<1200 where !FileManager.default.fileExists(atPath: checkpoint.path) && process.isRunning {
      Thread.sleep(forTimeInterval: 0.1)
    }
    let ranks = try processes(named: world.path).filter { $0 != process.processIdentifier }
    #expect(ranks.count == 2)
    kill(ranks.max()!, SIGKILL)
    let said = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus != 0)
    #expect(said.contains("process rank 1") && said.contains("signal 9"), "\(said)")
    #expect(try processes(named: world.path).isEmpty, "nobody is left")
    let resumed = try CommandLineTool.run(
      ["train", "--clips", clips, "--out", world.path, "--resume", "--quiet"] + Self.settings)
    #expect(resumed.status == 0, "\(resumed.errors)")
  }

  private func processes(named argument: String) throws -> [Int32] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { id in
      let line = (try? Data(contentsOf: URL(filePath: "/proc/\(id)/cmdline"))) ?? Data()
      let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      return words.contains(argument) && words[0].hasSuffix("genie")
    }
  }
}
