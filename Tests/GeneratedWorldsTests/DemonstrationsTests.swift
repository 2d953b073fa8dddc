import Autograd
import Environments
import Foundation
import TestSupport
import Testing
import Video
import WorldModel

@testable import GeneratedWorlds

@Suite struct DemonstrationsTests {
  private func clips(_ folder: URL, size: Int, actions: [Int32]?) throws -> ClipFolder {
    let frame = size * size * 3
    var shard = Clip(
      height: size, width: size, frames: [UInt8]((0..<5 * frame).map { UInt8($0 % 251) }), actions: actions)
    shard.append(
      Clip(
        height: size, width: size, frames: [UInt8](repeating: 9, count: frame),
        actions: actions.map { _ in [-1] }))
    let writer = try ClipFolderWriter(folder)
    try writer.append(shard)
    try writer.finish()
    return try ClipFolder(folder)
  }

  /// Nothing is measured on video of another size, and no game's frames are read in it.
  @Test func videoOfAnotherSizeIsRefused() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let (world, workers) = (try SmallWorld.make(), Workers(count: 1))
    for size in [8, 32] {
      let other = try clips(temporary.file("\(size)"), size: size, actions: nil)
      #expect(throws: WorldError.self) { try Demonstrations(world, other, workers: workers) }
      #expect(throws: WorldError.self) { try WorldMeasurement(world, folder: other, workers: workers) }
      #expect(throws: WorldError.self) { try Sheets(world, folder: other, workers: workers) }
      #expect(throws: WorldError.self) {
        try GameMeasurement(world, folder: other, judge: PlatformerJudge(), workers: workers)
      }
    }
    #expect(EnvironmentCatalogue.judge(of: "Platformer-v1", height: 64, width: 64) != nil)
    #expect(EnvironmentCatalogue.judge(of: "Platformer-v1", height: 32, width: 32) == nil)
  }

  /// Of little video each window is measured once, however many are asked for.
  @Test func aWindowIsMeasuredOnce() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let (world, workers) = (try SmallWorld.make(), Workers(count: 1))
    let size = world.genie.configuration.tokenizer.height
    let few = try clips(temporary.file("few"), size: size, actions: nil)
    let measured = try HeldOutClips(
      world, folder: few, episodes: few.episodes, count: 96, context: 1, horizon: 2, workers: workers)
    #expect(measured.count == 3)
  }

  /// A picture that blinks: shown again it is right every second frame, and what is decoded is as right as ever.
  @Test func whatADreamIsWorthLiesBetweenTwoBounds() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let world = try SmallWorld.make()
    let genie = world.genie
    // As long as one window: known frames, and eight after them.
    let context = min(4, genie.configuration.dynamics.window)
    let time = context + 8
    let bytes = (0..<time).flatMap { [UInt8](repeating: $0 % 2 == 0 ? 0 : 255, count: 16 * 16 * 3) }
    let folder = temporary.file("blinking")
    let writer = try ClipFolderWriter(folder)
    try writer.append(Clip(height: 16, width: 16, frames: bytes, actions: nil))
    try writer.finish()
    let measured = try WorldMeasurement(world, folder: ClipFolder(folder), workers: Workers(count: 1))
    #expect(measured.unchangedPSNR == (0..<8).map { $0 % 2 == 0 ? 0 : 60 })
    let shown = FrameBatch(clips: 1, time: time, height: 16, width: 16, bytes: bytes)
    let decoded = genie.tokenizer.decode(
      genie.tokenizer.encode(shown, arena: Arena()), clips: 1, time: time, arena: Arena())
    #expect(
      measured.decodedPSNR
        == (context..<time).map { frame in
          Fidelity.psnr(
            meanSquaredError: Fidelity.meanSquaredError(
              shown.frames(frame..<frame + 1).bytes, decoded.frames(frame..<frame + 1).bytes))
        })
  }

  /// One transition for each frame but an episode's last, whether or not anybody told what was pressed.
  @Test func everyTransitionIsShown() throws {
    let temporary = try TemporaryFolder()
    defer { withExtendedLifetime(temporary) {} }
    let world = try SmallWorld.make()
    let workers = Workers(count: 1)
    let told = try clips(temporary.file("told"), size: 16, actions: [3, 1, 4, 1, -1])
    let shown = try Demonstrations(world, told, workers: workers)
    #expect(shown.count == 4 && shown.pressed == [3, 1, 4, 1])
    #expect(shown.observations.elementsEqual(told.shards[0].frames(0..<4)))
    #expect(shown.latent.allSatisfy { (0..<5).contains($0) })
    let silent = try Demonstrations(
      world, try clips(temporary.file("silent"), size: 16, actions: nil), workers: workers)
    #expect(silent.latent == shown.latent && silent.pressed == [-1, -1, -1, -1])
    // Nobody told this world what its actions are.
    #expect(throws: WorldError.self) { try world.buttons }
    let large = try clips(temporary.file("large"), size: 32, actions: nil)
    #expect(throws: WorldError.self) { try Demonstrations(world, large, workers: workers) }
  }
}
