import Environments
import Foundation

/// Holds the examination of agents that it cannot see: whoever resets a slot gets the next episode of an evaluation,
/// whatever was asked for, and what comes of it is written down here.
///
/// Each episode is played once. A reset before the end breaks the episode off, and it counts as it stands. When all
/// episodes were given out, a reset begins one that does not count, for as long as others are still being played; when
/// all are done it is refused. Snapshots and forks are not offered.
public final class Proctor: @unchecked Sendable {
  /// An episode as it was played: from its start, the actions say it all.
  public struct Record: Sendable, Equatable {
    public var result: EpisodeResult
    public var actions: [Int32] = []
    public var isFinished = false
    /// nil before the first step.
    var lastReward: Float?
  }

  public let evaluation: Evaluation
  private let lock = NSLock()
  private var records: [Record]
  private var next = 0
  private var finished = 0
  private let didFinish: @Sendable (Int) -> Void

  /// - Parameter didFinish: called with the number of episodes that are done, on the thread that steps.
  public init(_ evaluation: Evaluation, didFinish: @escaping @Sendable (Int) -> Void = { _ in }) {
    self.evaluation = evaluation
    self.didFinish = didFinish
    records = evaluation.starts.map {
      Record(
        result: EpisodeResult(seed: $0.seed, level: $0.level, return: 0, length: 0, terminated: false))
    }
  }

  /// One a start, in their order.
  public var episodes: [Record] { lock.withLock { records } }

  public var isDone: Bool { lock.withLock { finished == records.count } }

  /// The next episode that nobody has played.
  fileprivate func take() -> Int? {
    lock.withLock {
      guard next < records.count else { return nil }
      next += 1
      return next - 1
    }
  }

  fileprivate func add(_ action: Int32, reward: Float, to episode: Int) {
    lock.withLock {
      records[episode].actions.append(action)
      records[episode].lastReward = reward
      records[episode].result.return += Double(reward)
      records[episode].result.length += 1
    }
  }

  /// - Parameter fault: of the environment, where that is why it ended.
  fileprivate func finish(_ episode: Int, terminated: Bool, fault: EnvironmentError? = nil) {
    let count: Int? = lock.withLock {
      guard !records[episode].isFinished else { return nil }
      records[episode].isFinished = true
      records[episode].result.terminated = terminated
      records[episode].result.fault = fault.map { "\($0)" }
      let total = records[episode].result.return
      let lastReward = records[episode].lastReward
      records[episode].result.success =
        fault == nil
        ? evaluation.success.map { success in
          // Who did nothing has not succeeded.
          lastReward.map { success.isMet(lastReward: $0, episodeReturn: total) } ?? false
        } : nil
      finished += 1
      return finished
    }
    if let count { didFinish(count) }
  }
}

/// A pool under a ``Proctor``: agents play it without knowing.
public struct ProctoredPool: EnvironmentPool {
  private var base: any EnvironmentPool
  private let proctor: Proctor
  private var playing: [Slot: Int] = [:]

  public init(_ base: any EnvironmentPool, _ proctor: Proctor) {
    self.base = base
    self.proctor = proctor
  }

  public var specification: EnvironmentSpecification {
    var specification = base.specification
    specification.horizon = proctor.evaluation.horizon ?? specification.horizon
    // Levels and pictures are not the agent's to choose.
    specification.levels = nil
    specification.promptLimit = 0
    return specification
  }

  public mutating func open(_ options: OpenOptions) throws(EnvironmentError) -> Slot {
    var options = options
    options.horizon = proctor.evaluation.horizon
    return try base.open(options)
  }

  public mutating func close(_ slot: Slot) {
    base.close(slot)
    breakOff(slot)
  }

  private mutating func breakOff(_ slot: Slot) {
    guard let episode = playing.removeValue(forKey: slot) else { return }
    proctor.finish(episode, terminated: false)
  }

  public mutating func reset(
    _ slots: [Slot], _ options: [ResetOptions], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    guard options.count == slots.count else {
      throw .countMismatch(what: "reset options", expected: slots.count, found: options.count)
    }
    for slot in slots { breakOff(slot) }
    guard !proctor.isDone else {
      throw .refused(
        reason: "all \(proctor.evaluation.starts.count) episodes were played: the examination is over")
    }
    let episodes = slots.map { _ in proctor.take() }
    let starts = episodes.map { proctor.evaluation.starts[$0 ?? 0] }
    try base.reset(
      slots, starts.map { ResetOptions(seed: $0.seed, level: $0.level, prompt: $0.prompt) }, into: &batch)
    for (row, slot) in slots.enumerated() {
      guard let episode = episodes[row] else { continue }
      if let fault = batch.faults[row] {
        proctor.finish(episode, terminated: false, fault: fault)
      } else {
        playing[slot] = episode
      }
    }
  }

  public mutating func step(
    _ slots: [Slot], _ actions: [Int32], into batch: inout StepBatch
  ) throws(EnvironmentError) {
    try base.step(slots, actions, into: &batch)
    for (row, slot) in slots.enumerated() where batch.faults[row] == nil {
      guard let episode = playing[slot] else { continue }
      proctor.add(actions[row], reward: batch.rewards[row], to: episode)
      if batch.terminated[row] || batch.truncated[row] {
        playing[slot] = nil
        proctor.finish(episode, terminated: batch.terminated[row])
      }
    }
  }
}
