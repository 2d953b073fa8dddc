import Foundation
import TestSupport
import Testing

/// From the dream to the real game, wherever that is.
@Suite(.serialized) struct TransferTests {
  /// The game behind an endpoint is the game itself: the same policies come out, and earn the same.
  @Test func aServedGameIsAsGoodAsABuiltInOne() throws {
    let temporary = try TemporaryFolder()
    let folder = temporary.url
    defer { withExtendedLifetime(temporary) {} }
    let clips = folder.appending(path: "clips").path
    #expect(try CommandLineTool.run("record", "--episodes", "6", "--seed", "3", "--out", clips).status == 0)
    let endpoint = "ipc://\(folder.path)/game"
    let (server, output, _) = try CommandLineTool.start([
      "serve", "--game", "Platformer-v1", "--endpoint", endpoint,
    ])
    defer {
      server.terminate()
      server.waitUntilExit()
    }
    #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).contains("serving at"))
    func transfer(_ name: String, _ more: [String]) throws -> [String: Double] {
      let out = folder.appending(path: name)
      let result = try CommandLineTool.run(
        [
          "experiment", "transfer", "--clips", clips, "--rules", "lively-short", "--steps", "512", "--seeds",
          "1",
          "--levels", "10", "--dreams", "10", "--out", out.path, "--quiet",
        ] + more)
      #expect(result.status == 0, "\(result.errors)")
      let figures = try #require(
        try CommandLineTool.json(out.appending(path: "transfer.json"))["transfer"] as? [String: Any])
      return figures.compactMapValues { ($0 as? [String: Any])?["value"] as? Double }
    }
    let (here, there) = (try transfer("here", []), try transfer("there", ["--endpoint", endpoint]))
    #expect(
      here["return_random"] != nil && here["return_real_trained"] != nil
        && here["return_dream_trained"] != nil)
    // A rule that cuts dreams is tried in the game, too, and dreams are held against the better of both.
    let trainings = try #require(
      (try CommandLineTool.json(folder.appending(path: "here/transfer.json"))["transfer"] as? [String: Any])?[
        "real"] as? [[String: Any]])
    let returns = trainings.compactMap { ($0["return"] as? [String: Any])?["value"] as? Double }
    #expect(returns.count == 2 && returns.max() == here["return_real_trained"], "\(returns)")
    for (key, value) in here where key.hasPrefix("return") { #expect(there[key] == value, "\(key)") }

    let refused = try CommandLineTool.run(
      "experiment", "transfer", "--out", folder.path, "--endpoint", endpoint, "--quiet")
    #expect(refused.status != 0 && refused.errors.contains("--clips"), "\(refused.errors)")
  }
}
