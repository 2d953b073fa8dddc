import AgentSDK
import Environments
import Foundation
import TestSupport
import Testing

@Suite(.serialized) struct ReplicaTests {
  /// Dreams of replicas, whose weights are mapped, are those of one server to the bit; a replica that is killed comes back.
  @Test func replicasServeTheSameAndOutliveAKill() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let endpoint = "ipc://\(temporary.url.path)/s"
    let (server, output, _) = try CommandLineTool.start([
      "serve", "--game", "Noop-v1", "--replicas", "2", "--endpoint", endpoint,
    ])
    defer {
      server.terminate()
      server.waitUntilExit()
      #expect(server.terminationStatus == 0)
    }
    var said = ""
    while said.components(separatedBy: "serving at").count < 3, server.isRunning {
      said += String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    }
    var retry = RetryPolicy()
    (retry.resendSeconds, retry.silenceSeconds) = (0.1, 0.5)
    let fleet = try RemoteFleet([endpoint, endpoint + "-1"], environment: "Noop-v1", retry: retry)
    let slots = try (0..<4).map { _ in try fleet.open(OpenOptions()) }
    var batch = fleet.makeBatch()
    try fleet.reset(slots, slots.map { _ in ResetOptions() }, into: &batch)
    let children = try children(of: server.processIdentifier)
    #expect(children.count == 2 && fleet.load.map(\.slots) == [2, 2])
    kill(children[1], SIGKILL)
    // Whether the new one is there already is a matter of luck; the episodes are lost either way.
    try fleet.step(slots, [0, 0, 0, 0], into: &batch)
    #expect(batch.faults.count { $0 != nil } == 2)
    try fleet.reset(slots, slots.map { _ in ResetOptions() }, into: &batch)
    try fleet.step(slots, [0, 0, 0, 0], into: &batch)
    #expect(batch.faults.allSatisfy { $0 == nil })
    for _ in 0..<100 where fleet.load.count < 2 {
      Thread.sleep(forTimeInterval: 0.05)
      fleet.rejoin()
    }
    #expect(fleet.load.count == 2)
  }

  @Test func aReplicaThatCannotServeEndsAll() throws {
    let result = try CommandLineTool.run(
      "serve", "--game", "Noop-v1", "--replicas", "2", "--endpoint", "ipc:///nowhere/at/all")
    #expect(result.status == 1 && result.errors.contains("ended with status 1"), "\(result.errors)")
  }

  private func children(of parent: Int32) throws -> [Int32] {
    let text = try String(contentsOfFile: "/proc/\(parent)/task/\(parent)/children", encoding: .utf8)
    let main = text.split(separator: " ").compactMap { Int32($0) }
    guard main.isEmpty else { return main.sorted() }
    // Started by another thread of the parent.
    return try FileManager.default.contentsOfDirectory(atPath: "/proc/\(parent)/task").flatMap { task in
      try String(contentsOfFile: "/proc/\(parent)/task/\(task)/children", encoding: .utf8)
        .split(separator: " ").compactMap { Int32($0) }
    }.sorted()
  }
}
