import Autograd
import Environments

/// An ``Evaluation`` under way: a few slots that take one episode after another.
struct EvaluationRun {
  private struct Player {
    var slot: Slot
    /// Whether the environment in the slot has failed: then the slot is of no use any more.
    var isLost = false
    /// The episode that is played, by its place in the evaluation; nil when idle.
    var episode: Int?
    var total = 0.0
    var length = 0
    var observation: [UInt8] = []
  }

  private let evaluation: Evaluation
  private let policy: any Policy
  private var pool: any EnvironmentPool
  private var batch: StepBatch
  private var players: [Player] = []
  /// The first episode that nobody plays yet.
  private var next = 0
  private(set) var finished = 0
  private(set) var results: [EpisodeResult]

  init(
    _ evaluation: Evaluation, _ policy: any Policy, _ pool: any EnvironmentPool
  ) throws(EnvironmentError) {
    self.evaluation = evaluation
    self.policy = policy
    self.pool = policy.frames == 1 ? pool : FrameStack(pool, frames: policy.frames)
    batch = self.pool.makeBatch()
    results = evaluation.starts.map {
      EpisodeResult(seed: $0.seed, level: $0.level, return: 0, length: 0, terminated: false)
    }
    for _ in 0..<min(evaluation.slots, evaluation.starts.count) {
      players.append(Player(slot: try self.pool.open(OpenOptions(horizon: evaluation.horizon))))
    }
  }

  mutating func close() {
    for player in players { pool.close(player.slot) }
  }

  /// Gives idle slots their next episodes.
  /// - Returns: whether any episode is being played.
  mutating func startEpisodes() throws(EnvironmentError) -> Bool {
    // Again, where a start failed: then its slot takes the episode after.
    while true {
      var rows: [Int] = []
      for row in players.indices where players[row].episode == nil && next < evaluation.starts.count {
        if players[row].isLost {
          pool.close(players[row].slot)
          players[row].slot = try pool.open(OpenOptions(horizon: evaluation.horizon))
        }
        players[row] = Player(slot: players[row].slot, episode: next)
        rows.append(row)
        next += 1
      }
      if rows.isEmpty { return players.contains { $0.episode != nil } }
      let options = rows.map { row in
        let start = evaluation.starts[players[row].episode!]
        return ResetOptions(seed: start.seed, level: start.level, prompt: start.prompt)
      }
      try pool.reset(rows.map { players[$0].slot }, options, into: &batch)
      for (source, row) in rows.enumerated() {
        players[row].observation = Array(batch.observation(source))
        if batch.faults[source] != nil { finish(row, source: source) }
      }
    }
  }

  /// One step of every episode that is being played.
  mutating func step() throws(EnvironmentError) {
    let rows = players.indices.filter { players[$0].episode != nil }
    // What is drawn in a step follows from the episode's seed and the step alone.
    let keys = rows.map { row in
      RandomKey(seed: evaluation.starts[players[row].episode!].seed).folded(in: "policy")
        .folded(in: UInt64(players[row].length))
    }
    let actions = policy.actions(for: rows.flatMap { players[$0].observation }, keys: keys)
    try pool.step(rows.map { players[$0].slot }, actions, into: &batch)
    for (source, row) in rows.enumerated() {
      if batch.faults[source] == nil {
        players[row].total += Double(batch.rewards[source])
        players[row].length += 1
        players[row].observation = Array(batch.observation(source))
        if !batch.terminated[source] && !batch.truncated[source] { continue }
      }
      finish(row, source: source)
    }
  }

  private mutating func finish(_ row: Int, source: Int) {
    let player = players[row]
    var result = results[player.episode!]
    result.return = player.total
    result.length = player.length
    if let fault = batch.faults[source] {
      result.fault = "\(fault)"
      if case .fault = fault { players[row].isLost = true }
    } else {
      result.terminated = batch.terminated[source]
      result.success = evaluation.success?.isMet(
        lastReward: batch.rewards[source], episodeReturn: player.total)
    }
    results[player.episode!] = result
    players[row].episode = nil
    finished += 1
  }
}
