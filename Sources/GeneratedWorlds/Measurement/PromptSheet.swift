import Autograd
import Environments
import NeuralNetwork
import Video
import WorldModel

/// What a world makes of pictures: a row for each, with what the world is shown, what its tokenizer keeps of that, and
/// where each action leads.
public struct PromptSheet: Sendable {
  /// dB of what the tokenizer keeps against what it was shown, one for each picture.
  public let fidelity: [Double]
  public let picture: Picture

  /// - Parameters:
  ///   - pictures: of any size, each with a name.
  ///   - steps: how long each action is held.
  public init(
    _ world: World, pictures: [(name: String, picture: Picture)], steps: Int, workers: Workers
  ) throws(EnvironmentError) {
    let shown = world.frames(showing: pictures.map(\.picture))
    let names = try world.namesOfActions(workers: workers)
    var pool = GeneratedWorldPool(
      world.starting(from: pictures.map(\.picture)), workers: workers, rewards: NoRewards())
    var slots: [Slot] = []
    for _ in 0..<world.actions { slots.append(try pool.open(OpenOptions(horizon: steps + 1))) }
    var sheet = ContactSheet(
      scale: 2, margin: 4,
      columns: ["picture", "seen as"] + names.enumerated().map { "\($0) \($1)" })
    var batch = pool.makeBatch()
    var fidelity: [Double] = []
    for (row, (name, _)) in pictures.enumerated() {
      try pool.reset(slots, slots.map { _ in ResetOptions(seed: 0, level: row) }, into: &batch)
      if let fault = batch.faults[0] { throw fault }
      let given = Picture(
        height: shown.height, width: shown.width, pixels: shown.clips(row..<row + 1).bytes)
      let start = batch.newestFrame(0)
      fidelity.append(
        Fidelity.psnr(meanSquaredError: Fidelity.meanSquaredError(given.pixels, start.pixels)))
      for _ in 0..<steps { try pool.step(slots, (0..<world.actions).map { Int32($0) }, into: &batch) }
      sheet.append(name, [given, start] + slots.indices.map { batch.newestFrame($0) })
    }
    self.fidelity = fidelity
    picture = sheet.picture()
  }
}
