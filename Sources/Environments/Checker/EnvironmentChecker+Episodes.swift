/// Checks of what an episode shows.
extension EnvironmentChecker {
  func checkSpecification() throws(EnvironmentError) -> String? {
    let specification = try makePool().specification
    let space = specification.observationSpace
    if specification.name.isEmpty { return "it has no name" }
    if space.height < 1 || space.width < 1 || space.channels < 1 { return "observations of \(space)" }
    let actions = specification.actionSpace
    if actions.count < 1 { return "\(actions.count) actions" }
    if !actions.names.isEmpty && actions.names.count != actions.count {
      return "\(actions.names.count) names for \(actions.count) actions"
    }
    if let horizon = specification.horizon, horizon < 1 { return "a horizon of \(horizon)" }
    if let levels = specification.levels, levels < 1 { return "\(levels) levels" }
    if specification.slotLimit < 1 || specification.promptLimit < 0 { return "negative limits" }
    if Set(specification.auxiliaries).count != specification.auxiliaries.count {
      return "an auxiliary is offered twice"
    }
    return nil
  }

  func checkReset() throws(EnvironmentError) -> String? {
    var trial = try trial(3)
    let rows = try trial.reset([2, 0])
    let batch = trial.batch
    let sizes = [
      batch.count, batch.rewards.count, batch.terminated.count, batch.truncated.count, batch.faults.count,
    ]
    if sizes != Array(repeating: 2, count: 5) { return "a reset of 2 slots filled arrays of \(sizes) rows" }
    if batch.observations.count != 2 * trial.pool.observationSpace.byteCount {
      return "2 observations of \(trial.pool.observationSpace) in \(batch.observations.count) bytes"
    }
    for row in rows {
      if let fault = row.fault { return "a reset ended in '\(fault)'" }
      if row.reward != 0 || row.isEnd { return "a reset brought a reward or an end" }
    }
    try trial.pool.reset([], [], into: &trial.batch)
    try trial.pool.step([], [], into: &trial.batch)
    return trial.batch.count == 0 ? nil : "a call on no slots gave \(trial.batch.count) rows"
  }

  func checkDeterminism() throws(EnvironmentError) -> String? {
    var first = try trial(2)
    var second = try trial(2)
    let original = try first.play(1, steps: steps)
    if let fault = original.last?.fault { return "the episode ended in '\(fault)'" }
    if original != (try second.play(1, steps: steps)) {
      return "the same seed gave another episode in a fresh pool"
    }
    if original != (try first.play(1, steps: steps)) {
      return "the same seed gave another episode in a used slot"
    }
    return nil
  }

  func checkUnseededRuns() throws(EnvironmentError) -> String? {
    var first = try trial(1)
    var second = try trial(1)
    for start in 1...3 {
      try first.pool.reset(first.slots, [ResetOptions()], into: &first.batch)
      try second.pool.reset(second.slots, [ResetOptions()], into: &second.batch)
      if first.row(0) != second.row(0) { return "start number \(start) without a seed did not repeat" }
    }
    return nil
  }

  func checkAnySubsetAnyOrder() throws(EnvironmentError) -> String? {
    let count = 4
    let alone = try lonelyEpisodes(count)
    var together = try trial(count)
    var order = SplitMix64(seed: 1)
    var taken = Array(repeating: 0, count: count)
    for (episode, row) in zip([2, 0, 3, 1], try together.reset([2, 0, 3, 1])) where row != alone[episode][0] {
      return "the reset of several slots gave slot \(episode) another start"
    }
    while true {
      var running = (0..<count).filter { taken[$0] + 1 < alone[$0].count }
      if running.isEmpty { return nil }
      for last in stride(from: running.count - 1, to: 0, by: -1) {
        running.swapAt(last, order.next(below: last + 1))
      }
      let chosen = Array(running.prefix(order.next(in: 1...running.count)))
      for (episode, row) in zip(chosen, try together.step(chosen)) {
        taken[episode] += 1
        if row != alone[episode][taken[episode]] {
          return
            "step \(taken[episode]) of slot \(episode) changed when slots \(chosen) were stepped together"
        }
      }
    }
  }

  func checkStepAfterEnd() throws(EnvironmentError) -> String? {
    var trial = try trial(1, OpenOptions(horizon: 2))
    let rows = try trial.play(0, steps: 3)
    guard let last = rows.last, last.isEnd, rows.count <= 3 else {
      return "a horizon of 2 steps did not end the episode"
    }
    if !last.terminated && rows.count != 3 { return "a horizon of 2 steps cut after \(rows.count - 1)" }
    if last.terminated && last.truncated { return "an episode both ended by itself and was cut" }
    let after = try trial.step([0])[0]
    if let reason = mismatch(after.fault, .needsReset, when: "after the end") { return reason }
    return try trial.play(0, steps: 3) == rows ? nil : "a reset after the end did not start the episode anew"
  }

  func checkBatchReuse() throws(EnvironmentError) -> String? {
    var used = try trial(4)
    var fresh = try trial(4)
    _ = try used.reset([0, 1, 2])
    _ = try fresh.reset([0, 1, 2])
    // Leaves a fault, and more rows than the next call has.
    _ = try used.step([3, 0, 1, 2])
    _ = try fresh.step([3, 0, 1, 2])
    fresh.batch = fresh.pool.makeBatch()
    if used.batch.terminated.contains(true) { return nil }
    return try used.step([2, 0]) == fresh.step([2, 0]) ? nil : "a used batch gave other rows than a new one"
  }

  func checkSnapshots() throws(EnvironmentError) -> String? {
    var trial = try trial(2)
    guard let pool = trial.pool as? any Snapshotting else { return nil }
    trial.pool = pool
    _ = try trial.reset([0, 1])
    for _ in 0..<3 where try trial.step([0, 1]).contains(where: \.isEnd) { return nil }
    let script = (0..<steps).map { trial.action(0, $0) }
    guard var kept = trial.pool as? any Snapshotting else { return nil }
    let snapshot: [UInt8]
    do throws(EnvironmentError) { snapshot = try kept.snapshot(trial.slots[0]) } catch .unsupported {
      // A wrapper of a pool that cannot be kept.
      return nil
    } catch { throw error }
    let fork = try kept.fork(trial.slots[0])
    let original = try follow(script, in: trial.slots[0], of: &kept)
    if try follow(script, in: fork, of: &kept) != original {
      return "a fork went another way than its origin"
    }
    for slot in trial.slots {
      try kept.restore(slot, from: snapshot)
      if try follow(script, in: slot, of: &kept) != original { return "a restored slot went another way" }
    }
    try kept.restore(fork, from: snapshot)
    if thrown(by: { () throws(EnvironmentError) in try kept.restore(fork, from: [1, 2, 3]) }) == nil {
      return "three bytes of nothing were restored"
    }
    if thrown(by: { () throws(EnvironmentError) in try kept.restore(fork, from: snapshot.dropLast()) }) == nil
    {
      return "a snapshot that is cut short was restored"
    }
    return try follow(script, in: fork, of: &kept) == original
      ? nil : "a restore that failed changed the slot"
  }

  /// What a slot shows on the way of a script, until its episode ends.
  private func follow(
    _ script: [Int32], in slot: Slot, of pool: inout any Snapshotting
  ) throws(EnvironmentError) -> [Trial.Row] {
    var trial = Trial(pool)
    var rows: [Trial.Row] = []
    for action in script {
      try pool.step([slot], [action], into: &trial.batch)
      rows.append(trial.row(0))
      if rows.last!.isEnd { break }
    }
    return rows
  }
}
