/// Checks of calls that are wrong.
extension EnvironmentChecker {
  func checkInvalidAction() throws(EnvironmentError) -> String? {
    var trial = try trial(1)
    let count = trial.pool.actionSpace.count
    for action in [-1, Int32(count), .max, .min] {
      _ = try trial.reset([0])
      try trial.pool.step(trial.slots, [action], into: &trial.batch)
      if let reason = mismatch(
        trial.batch.faults[0], .invalidAction(action, count: count), when: "after action \(action)")
      {
        return reason
      }
    }
    return nil
  }

  func checkNeedsReset() throws(EnvironmentError) -> String? {
    var trial = try trial(1)
    return mismatch(try trial.step([0])[0].fault, .needsReset, when: "before the first reset")
  }

  func checkFaultsStayInTheirSlot() throws(EnvironmentError) -> String? {
    let alone = try lonelyEpisodes(2)
    var trial = try trial(3)
    _ = try trial.reset([0, 1])
    for step in 1..<min(alone[0].count, alone[1].count) {
      // Slot 2 was never reset; slot 1 first gets an action that does not exist.
      try trial.pool.step([trial.slots[2], trial.slots[1]], [0, -7], into: &trial.batch)
      if trial.batch.faults.contains(nil) { return "a step that cannot be taken reported no fault" }
      let rows = try trial.step([2, 0, 1])
      for episode in 0...1 where rows[episode + 1] != alone[episode][step] {
        return "step \(step) of slot \(episode) changed beside faults"
      }
    }
    return nil
  }

  func checkCountMismatch() throws(EnvironmentError) -> String? {
    try refuses("too few values") { trial throws(EnvironmentError) in
      try trial.pool.step(trial.slots, [0], into: &trial.batch)
    } expected: { _ in
      .countMismatch(what: "actions", expected: 2, found: 1)
    } reset: { trial throws(EnvironmentError) in
      try trial.pool.reset(trial.slots, [ResetOptions()], into: &trial.batch)
    }
  }

  func checkRepeatedSlot() throws(EnvironmentError) -> String? {
    try refuses("a slot appears twice") { trial throws(EnvironmentError) in
      try trial.pool.step(trial.slots + [trial.slots[0]], [0, 0, 0], into: &trial.batch)
    } expected: {
      .repeatedSlot($0.slots[0])
    } reset: { trial throws(EnvironmentError) in
      try trial.pool.reset(
        trial.slots + [trial.slots[0]], Array(repeating: ResetOptions(), count: 3), into: &trial.batch)
    }
  }

  func checkUnknownSlot() throws(EnvironmentError) -> String? {
    for strange in [Slot(index: 1_000_000, generation: 1), Slot(index: -1, generation: 0)] {
      let reason = try refuses("a slot is unknown") { trial throws(EnvironmentError) in
        try trial.pool.step(trial.slots + [strange], [0, 0, 0], into: &trial.batch)
      } expected: { _ in
        .unknownSlot(strange)
      } reset: { trial throws(EnvironmentError) in
        try trial.pool.reset(
          trial.slots + [strange], Array(repeating: ResetOptions(), count: 3), into: &trial.batch)
      }
      if let reason { return reason }
    }
    return nil
  }

  func checkClosedSlot() throws(EnvironmentError) -> String? {
    var trial = try trial(1)
    let closed = trial.slots[0]
    _ = try trial.reset([0])
    trial.pool.close(closed)
    let next = try trial.pool.open(OpenOptions())
    if next == closed { return "a slot was given out again" }
    // Closing it once more must not hit the new one.
    trial.pool.close(closed)
    try trial.pool.reset([next], [ResetOptions(seed: 0)], into: &trial.batch)
    let found = thrown { () throws(EnvironmentError) in
      try trial.pool.step([closed], [0], into: &trial.batch)
    }
    return mismatch(found, .unknownSlot(closed), when: "after a close")
  }

  func checkOptions() throws(EnvironmentError) -> String? {
    var pool = try makePool()
    let specification = pool.specification
    let nonsense = "no such auxiliary"
    let unknown = thrown { () throws(EnvironmentError) in
      _ = try pool.open(OpenOptions(auxiliaries: [nonsense]))
    }
    let expected = EnvironmentError.unknownAuxiliary(nonsense, offered: specification.auxiliaries)
    if let reason = mismatch(unknown, expected, when: "asked for what is not offered") { return reason }
    if thrown(by: { () throws(EnvironmentError) in _ = try pool.open(OpenOptions(horizon: 0)) }) == nil {
      return "a horizon of no steps was accepted"
    }
    var trial = try trial(1, OpenOptions(auxiliaries: specification.auxiliaries))
    _ = try trial.play(0, steps: 1)
    for name in specification.auxiliaries where trial.batch.auxiliaries[name]?.count != 1 {
      // Some have a value only at the end of an episode; then nothing need be there yet.
      if !EpisodeStatistics.auxiliaries.contains(name) { return "the auxiliary '\(name)' was not reported" }
    }
    return try checkResetOptions(&trial, specification)
  }

  private func checkResetOptions(
    _ trial: inout Trial, _ specification: EnvironmentSpecification
  ) throws(EnvironmentError) -> String? {
    if let levels = specification.levels {
      try trial.pool.reset(trial.slots, [ResetOptions(level: levels)], into: &trial.batch)
      let expected = EnvironmentError.unknownLevel(levels, count: levels)
      if let reason = mismatch(trial.batch.faults[0], expected, when: "after level \(levels)") {
        return reason
      }
    }
    if specification.promptLimit == 0 {
      let space = specification.observationSpace
      let pixels = [UInt8](repeating: 0, count: space.height * space.width * 3)
      let prompt = Prompt(height: space.height, width: space.width, pixels: pixels)
      try trial.pool.reset(trial.slots, [ResetOptions(prompt: prompt)], into: &trial.batch)
      if trial.batch.faults[0] == nil { return "a prompt was accepted where none is taken" }
    }
    return nil
  }

  /// Checks that a wrong step and a wrong reset are refused as a whole: the episodes go on as if nothing had been.
  private func refuses(
    _ what: String, step: (inout Trial) throws(EnvironmentError) -> Void,
    expected: (Trial) -> EnvironmentError, reset: (inout Trial) throws(EnvironmentError) -> Void
  ) throws(EnvironmentError) -> String? {
    let alone = try lonelyEpisodes(2)
    var trial = try trial(2)
    _ = try trial.reset([0, 1])
    let error = expected(trial)
    let found = thrown { () throws(EnvironmentError) in try step(&trial) }
    if let reason = mismatch(found, error, when: "when \(what)") { return reason }
    if thrown(by: { () throws(EnvironmentError) in try reset(&trial) }) == nil {
      return "when \(what), a reset was done nevertheless"
    }
    for episode in 0...1 where alone[episode].count > 1 {
      if try trial.step([episode])[0] != alone[episode][1] {
        return "a call that was refused changed slot \(episode)"
      }
    }
    return nil
  }
}
