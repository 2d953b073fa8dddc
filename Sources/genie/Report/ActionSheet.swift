import Autograd
import Environments
import GeneratedWorlds
import Video

/// What each latent action does: one start, one row an action, the action held.
struct ActionSheet {
  let picture: Picture
  private static let steps = 10

  /// - Throws: `EnvironmentError`, for instance for a world without levels.
  init(_ world: World, level: Int, workers: Workers) throws(EnvironmentError) {
    // Rewards and ends are left out: a hero that dies shows what the action did all the same.
    var pool = GeneratedWorldPool(world, workers: workers, rewards: NoRewards())
    var slots: [Slot] = []
    for _ in 0..<world.actions { slots.append(try pool.open(OpenOptions(horizon: Self.steps + 1))) }
    var batch = pool.makeBatch()
    try pool.reset(slots, slots.map { _ in ResetOptions(seed: 0, level: level) }, into: &batch)
    var rows = [[Picture]](repeating: [], count: world.actions)
    func see() throws(EnvironmentError) {
      for row in rows.indices {
        if let fault = batch.faults[row] { throw fault }
        let space = batch.observationSpace
        rows[row].append(
          Picture(height: space.height, width: space.width, pixels: Array(batch.observation(row))))
      }
    }
    try see()
    for _ in 0..<Self.steps {
      try pool.step(slots, (0..<world.actions).map { Int32($0) }, into: &batch)
      try see()
    }
    var sheet = ContactSheet(
      scale: 1, margin: 2, columns: ["start"] + (1...Self.steps).map { "+\($0)" })
    for (action, row) in rows.enumerated() { sheet.append(Self.name(of: action, in: world), row) }
    picture = sheet.picture().enlarged(by: 2)
  }

  /// The number, and the real action that the map found for it.
  private static func name(of action: Int, in world: World) -> String {
    if !world.manifest.actionNames.isEmpty { return "\(action) \(world.manifest.actionNames[action])" }
    guard let map = world.manifest.actionMap else { return "\(action)" }
    let real = Int(map.real[action])
    return "\(action) \(map.names.indices.contains(real) ? map.names[real] : "button \(real)")"
  }
}
