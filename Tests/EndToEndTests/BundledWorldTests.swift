import Environments
import Foundation
import GeneratedWorlds
import TestSupport
import Testing

/// The world that comes with the library, on levels that it has never seen.
@Suite struct BundledWorldTests {
  @Test func itIsAsGoodAsItsCardSays() throws {
    let temporary = try TemporaryFolder()
    let folder = temporary.url
    defer { withExtendedLifetime(temporary) {} }
    let (clips, figures) = (folder.appending(path: "clips").path, folder.appending(path: "figures.json"))
    let recorded = try CommandLineTool.run("record", "--episodes", "16", "--seed", "900001", "--out", clips)
    #expect(recorded.status == 0, "\(recorded.errors)")
    let measured = try CommandLineTool.run(
      "measure", "--clips", clips, "--count", "96", "--worlds", "32", "--frames", "50", "--starts", "40",
      "--json", figures.path)
    #expect(measured.status == 0, "\(measured.errors)")
    let json = try CommandLineTool.json(figures)
    #expect(try #require(json["tokenizer_psnr"] as? Double) >= 50)
    #expect(try #require(json["changed_token_accuracy"] as? Double) >= 0.95)
    #expect(try #require(json["delta_psnr_t4"] as? Double) >= 20)
    let usage = try #require(json["action_usage"] as? [Double])
    #expect(usage.allSatisfy { $0 >= 0.02 }, "\(usage)")
    #expect(try #require(json["action_purity"] as? Double) >= 0.97)
    // 40 starts, 32 worlds: two starts, and three worlds, fewer than the card says.
    #expect(try #require(json["action_consistency"] as? Double) >= 0.92)
    #expect(try #require((json["validity"] as? [String: Double])?["50"]) >= 0.78)
  }

  @Test func itKeepsTheContract() throws {
    let world = try World.bundled()
    let findings = EnvironmentChecker(steps: 8) { GeneratedWorldPool(world) }.run()
    #expect(findings.isEmpty, "\(findings)")
  }

  @Test func itIsSmallAndSaysHowItWasMade() throws {
    let folder = try World.bundledFolder()
    let bytes = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: [.fileSizeKey]
    )
    .reduce(0) { $0 + (try $1.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0) }
    #expect(bytes < 20_000_000)
    let training = try #require(try World.bundled().manifest.training)
    #expect(training.command.hasPrefix("genie train") && training.seconds < 3600)
  }
}
