import Autograd
import Environments
import Foundation
import TestSupport
import Testing
import WorldModel

@testable import GeneratedWorlds

@Suite struct WorldTests {
  private func frames(_ world: World) throws -> [UInt8] {
    var pool = GeneratedWorldPool(world, workers: Workers(count: 1))
    let slot = try pool.open(OpenOptions())
    var batch = pool.makeBatch()
    try pool.reset([slot], [ResetOptions(seed: 7)], into: &batch)
    var all = batch.observations
    for step in 0..<6 {
      try pool.step([slot], [Int32(step % 5)], into: &batch)
      all += batch.observations
    }
    return all
  }

  @Test func aWorldComesBackAsItWas() throws {
    let place = try TemporaryFolder()
    let folder = place.file("small.world")
    defer { withExtendedLifetime(place) {} }
    let world = try SmallWorld.make()
    try world.save(to: folder)
    let loaded = try World(folder)
    #expect(try frames(loaded) == frames(world))
    #expect(loaded.rewards != nil && loaded.odds != nil)
    #expect(loaded.manifest.hashes.count == 6)
    #expect(loaded.levels.bytes == world.levels.bytes)
  }

  /// Rewards that another world left in a folder are none of this one's; and whether levels begin episodes is kept.
  @Test func aWorldIsWrittenOverAnother() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let folder = temporary.file("over.world")
    try SmallWorld.make().save(to: folder)
    let left = folder.appending(path: "rewards.safetensors")
    let foreign = try Data(contentsOf: left)
    let plain = try SmallWorld.make(rewards: false)
    let begins = [true, false, true, true, false, false]
    let written = World(
      genie: plain.genie, rewards: nil, levels: plain.levels, begins: begins, manifest: plain.manifest)
    #expect(try written.save(to: folder).begins == begins)
    #expect(!FileManager.default.fileExists(atPath: left.path))
    // As where the removal failed.
    try foreign.write(to: left)
    let loaded = try World(folder)
    #expect(loaded.rewards == nil && loaded.odds == nil && loaded.begins == begins)
  }

  @Test func whatIsNoWorldIsSaidSo() throws {
    let place = try TemporaryFolder()
    let folder = place.file("small.world")
    defer { withExtendedLifetime(place) {} }
    #expect { try World(folder) } throws: {
      guard case WorldError.missing = $0 else { return false }; return true
    }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    #expect { try World(folder) } throws: {
      guard case WorldError.noManifest = $0 else { return false }; return true
    }
    try Data("{\"format\": 99}".utf8).write(to: folder.appending(path: "world.json"))
    #expect { try World(folder) } throws: {
      guard case WorldError.newerFormat = $0 else { return false }; return true
    }
    try Data("{\"format\": 1}".utf8).write(to: folder.appending(path: "world.json"))
    #expect { try World(folder) } throws: {
      guard case WorldError.badManifest = $0 else { return false }; return true
    }
  }

  /// No hash covers the manifest: what it says is used only where it can be.
  @Test func aManifestThatCannotBeIsSaidSo() throws {
    let place = try TemporaryFolder()
    let folder = place.file("small.world")
    defer { withExtendedLifetime(place) {} }
    let world = try SmallWorld.make()
    try world.save(to: folder)
    let file = folder.appending(path: "world.json")
    let whole = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    let actions = world.actions
    let changes: [(String, Any)] = [
      ("frameRate", -1), ("frameRate", 1e30),
      (
        "actionMap",
        ["real": [Int](repeating: 2, count: actions), "names": ["a", "b"], "samples": 1] as [String: Any]
      ),
      (
        "actionMap",
        ["real": [Int](repeating: -1, count: actions), "names": [String](), "samples": 1] as [String: Any]
      ),
    ]
    for (key, value) in changes {
      try JSONSerialization.data(withJSONObject: whole.merging([key: value]) { $1 }).write(to: file)
      #expect(throws: WorldError.self, "\(key): \(value)") { try World(folder) }
    }
    let fits =
      ["real": [Int](repeating: 1, count: actions), "names": ["a", "b"], "samples": 1] as [String: Any]
    try JSONSerialization.data(withJSONObject: whole.merging(["actionMap": fits]) { $1 }).write(to: file)
    #expect(try World(folder).manifest.actionMap?.real == [Int32](repeating: 1, count: actions))
  }

  @Test(arguments: [
    "tokenizer.safetensors", "dynamics.safetensors", "levels.safetensors", "rewards.safetensors",
    "action_odds.safetensors",
  ])
  func damageIsFound(file: String) throws {
    let place = try TemporaryFolder()
    let folder = place.file("small.world")
    defer { withExtendedLifetime(place) {} }
    try SmallWorld.make().save(to: folder)
    let url = folder.appending(path: file)
    var bytes = try Data(contentsOf: url)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: url)
    #expect { try World(folder) } throws: {
      guard case WorldError.damaged(_, file) = $0 else { return false }
      return true
    }
    try FileManager.default.removeItem(at: url)
    #expect(throws: WorldError.self) { try World(folder) }
  }

  @Test func anIntervalHoldsTheMean() {
    let values = (0..<200).map { Double($0 % 10) }
    let estimate = Estimate(bootstrapping: values, key: RandomKey(seed: 1))
    #expect(abs(estimate.mean - 4.5) < 1e-9)
    #expect(estimate.low < 4.5 && estimate.high > 4.5)
    // 1.96 standard errors of the mean.
    #expect(abs(estimate.high - estimate.low - 2 * 1.96 * 2.872 / 200.0.squareRoot()) < 0.1)
  }
}
