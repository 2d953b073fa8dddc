import Environments
import GeneratedWorlds

/// Steps the bundled world through the public products alone.
@main
struct StepWorld {
  static func main() throws {
    var pool = GeneratedWorldPool(try World.bundled())
    let slots = [try pool.open(OpenOptions()), try pool.open(OpenOptions())]
    var batch = pool.makeBatch()
    try pool.reset(slots, [ResetOptions(seed: 1), ResetOptions(seed: 2)], into: &batch)
    let first = batch.observations
    var fresh = pool.makeBatch()
    for action in Int32(0)..<4 {
      try pool.step(slots, [action, action + 1], into: &batch)
      precondition(batch.faults.allSatisfy { $0 == nil }, "a step failed: \(batch.faults)")
      let over = slots.indices.filter { batch.terminated[$0] }.map { slots[$0] }
      if !over.isEmpty { try pool.reset(over, over.map { _ in ResetOptions() }, into: &fresh) }
    }
    precondition(batch.observations != first, "four steps changed nothing")
    print("stepped \(slots.count) worlds of '\(pool.specification.name)'")
  }
}
