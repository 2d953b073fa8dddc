import Autograd
import Environments
import GeneratedWorlds
import Video
import WorldModel

/// What each latent action does: a row an action, and in it, from several starts, what is seen while it is held.
struct ActionSheet {
  let picture: Picture
  /// What each action is called.
  let names: [String]
  /// Steps after which a frame is shown.
  private static let shown = [0, 1, 3, 6]

  /// - Parameter starts: levels to start from.
  /// - Throws: `EnvironmentError`, for instance for a world without levels.
  init(_ world: World, starts: Int = 3, workers: Workers) throws(EnvironmentError) {
    let names = try world.namesOfActions(workers: workers)
    let levels = (0..<min(starts, world.levels.clips)).map { $0 * world.levels.clips / starts }
    guard !levels.isEmpty else {
      throw .invalidPrompt(reason: "this world has no levels to show its actions from")
    }
    // Rewards and ends are left out: a hero that dies shows what the action did all the same.
    var pool = GeneratedWorldPool(world, workers: workers, rewards: NoRewards())
    let last = Self.shown.last!
    let cells = (0..<world.actions).flatMap { action in levels.map { (action: Int32(action), level: $0) } }
    var slots: [Slot] = []
    for _ in cells { slots.append(try pool.open(OpenOptions(horizon: last + 1))) }
    var batch = pool.makeBatch()
    try pool.reset(slots, cells.map { ResetOptions(seed: 0, level: $0.level) }, into: &batch)
    var frames = [[Picture]](repeating: [], count: cells.count)
    for step in 0...last {
      if step > 0 { try pool.step(slots, cells.map(\.action), into: &batch) }
      for row in cells.indices where Self.shown.contains(step) {
        if let fault = batch.faults[row] { throw fault }
        let space = batch.observationSpace
        frames[row].append(
          Picture(height: space.height, width: space.width, pixels: Array(batch.observation(row))))
      }
    }
    let headings = Self.shown.map { $0 == 0 ? "start" : "+\($0)" }
    var sheet = ContactSheet(
      scale: max(1, 128 / batch.observationSpace.width), margin: 4,
      columns: levels.flatMap { _ in headings })
    for action in 0..<world.actions {
      let rows = levels.indices.flatMap { frames[action * levels.count + $0] }
      sheet.append("\(action) \(names[action])", rows)
    }
    picture = sheet.picture()
    self.names = names
  }
}
