/// A pool on trial, with slots in scripted episodes: episode `i` has the seed `i` and actions of its own.
struct Trial {
  /// What one step of one episode showed.
  struct Row: Equatable {
    let observation: [UInt8]
    let reward: Float
    let terminated: Bool
    let truncated: Bool
    let fault: EnvironmentError?

    var isEnd: Bool { terminated || truncated }
  }

  var pool: any EnvironmentPool
  private(set) var slots: [Slot] = []
  var batch: StepBatch
  /// Steps that each episode has taken.
  private var taken: [Int] = []

  init(_ pool: any EnvironmentPool) {
    self.pool = pool
    batch = pool.makeBatch()
  }

  /// The scripted action number `step` of an episode.
  func action(_ episode: Int, _ step: Int) -> Int32 {
    let mixed = SplitMix64.mix(UInt64(episode) << 32 | UInt64(step / 2))
    return Int32(truncatingIfNeeded: mixed % UInt64(pool.actionSpace.count))
  }

  func row(_ index: Int) -> Row {
    Row(
      observation: Array(batch.observation(index)), reward: batch.rewards[index],
      terminated: batch.terminated[index], truncated: batch.truncated[index], fault: batch.faults[index])
  }

  /// Opens slots for the next episodes.
  @discardableResult
  mutating func open(_ count: Int = 1, _ options: OpenOptions = OpenOptions()) throws(EnvironmentError)
    -> [Slot]
  {
    for _ in 0..<count {
      slots.append(try pool.open(options))
      taken.append(0)
    }
    return slots.suffix(count)
  }

  /// Starts the given episodes in their slots.
  mutating func reset(_ episodes: [Int]) throws(EnvironmentError) -> [Row] {
    try pool.reset(
      episodes.map { slots[$0] }, episodes.map { ResetOptions(seed: UInt64($0)) }, into: &batch)
    for episode in episodes { taken[episode] = 0 }
    return episodes.indices.map(row)
  }

  /// Takes the next scripted step in the given episodes, in that order.
  mutating func step(_ episodes: [Int]) throws(EnvironmentError) -> [Row] {
    try pool.step(episodes.map { slots[$0] }, episodes.map { action($0, taken[$0]) }, into: &batch)
    for episode in episodes { taken[episode] += 1 }
    return episodes.indices.map(row)
  }

  /// One episode from its reset to its end, at most `steps` steps.
  mutating func play(_ episode: Int, steps: Int) throws(EnvironmentError) -> [Row] {
    var rows = try reset([episode])
    rows += try continuing(episode, steps: steps)
    return rows
  }

  /// The next steps of an episode, until its end.
  mutating func continuing(_ episode: Int, steps: Int) throws(EnvironmentError) -> [Row] {
    var rows: [Row] = []
    while rows.count < steps, rows.last?.isEnd != true { rows += try step([episode]) }
    return rows
  }
}

extension EnvironmentChecker {
  /// A fresh pool with `count` open slots.
  func trial(_ count: Int, _ options: OpenOptions = OpenOptions()) throws(EnvironmentError) -> Trial {
    var trial = Trial(try makePool())
    try trial.open(count, options)
    return trial
  }

  /// The episodes `0..<count`, each played with nothing else in its pool but idle slots.
  func lonelyEpisodes(_ count: Int) throws(EnvironmentError) -> [[Trial.Row]] {
    var episodes: [[Trial.Row]] = []
    for episode in 0..<count {
      var trial = try trial(episode + 1)
      episodes.append(try trial.play(episode, steps: steps))
    }
    return episodes
  }

  /// The error that a call throws; nil if it throws none.
  func thrown(by call: () throws(EnvironmentError) -> Void) -> EnvironmentError? {
    do throws(EnvironmentError) {
      try call()
      return nil
    } catch {
      return error
    }
  }

  /// Says so where a call did not throw what it should.
  func mismatch(_ found: EnvironmentError?, _ expected: EnvironmentError, when: String) -> String? {
    if found == expected { return nil }
    return "\(when), '\(expected)' was due, but there was \(found.map { "'\($0)'" } ?? "no error")"
  }
}
