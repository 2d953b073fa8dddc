import AgentSDK
import ArgumentParser
import ClientOptions
import Environments
import Foundation
import ReinforcementLearning
import Reporting

/// Plans instead of learning: before every few steps it forks the world, tries random actions in the copies,
/// and does what went best (random shooting). It needs nothing but an environment that can be forked.
@main
struct PlanningAgent: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "PlanningAgent",
    abstract: "Plays the environment behind an endpoint by trying actions in forks of it first.")

  @Option(help: "Where the server is, such as tcp://127.0.0.1:5555 or ipc:///run/genie.sock.")
  var endpoint: String

  @OptionGroup var keys: KeyOptions

  @Option(help: "The environment's name; not needed where the server has only one.")
  var environment: String?

  @Option(help: "Episodes to play.")
  var episodes = 10

  @Option(help: "Steps after which an episode is cut.")
  var horizon = 200

  @Option(help: "Forks that are tried before a decision.")
  var forks = 32

  @Option(help: "Steps that each fork is followed.")
  var depth = 24

  @Option(help: "Steps of the best one that are done before the next decision.")
  var commit = 6

  @Option(help: "Of the episodes and of the actions.")
  var seed: UInt64 = 1

  @Flag(help: "Play at random instead, for comparison.")
  var random = false

  func validate() throws {
    guard episodes > 0, horizon > 0, (1...4_000).contains(forks), (1...1_000_000).contains(depth),
      (1...depth).contains(commit)
    else {
      throw ValidationError(
        "All numbers are at least 1, --depth at most 1000000, and --commit at most --depth.")
    }
  }

  func run() throws {
    let pool = try RemotePool(endpoint, environment: environment, keys: try keys.keys())
    var generator = SplitMix64(seed: seed)
    let bar = ProgressBar(random ? "random" : "planning", total: episodes, unit: "episodes")
    var returns: [Double] = []
    for episode in 0..<episodes {
      returns.append(try play(pool, ResetOptions(seed: seed &+ UInt64(episode)), &generator))
      bar.update(to: episode + 1, figures: ["return": returns.reduce(0, +) / Double(returns.count)])
    }
    bar.finish()
    let mean = Scores(returns).estimate { $0.mean }
    print(
      "\(pool.specification.name): \(episodes) episodes \(random ? "at random" : "planned"), return",
      String(format: "%.3f (95%%: %.3f to %.3f)", mean.value, mean.low, mean.high))
  }

  private func play(_ pool: RemotePool, _ start: ResetOptions, _ generator: inout SplitMix64) throws -> Double
  {
    let slot = try pool.open(OpenOptions(horizon: horizon))
    defer { pool.close(slot) }
    var batch = pool.makeBatch()
    try pool.reset([slot], [start], into: &batch)
    var total = 0.0
    while true {
      let plan = random ? [action(pool, &generator)] : try best(pool, slot, &generator)
      for action in plan {
        try pool.step([slot], [action], into: &batch)
        if let fault = batch.faults[0] { throw fault }
        total += Double(batch.rewards[0])
        if batch.terminated[0] || batch.truncated[0] { return total }
      }
    }
  }

  /// The first steps of the fork that earned most; of those that earned the same, one that is still alive.
  private func best(_ pool: RemotePool, _ slot: Slot, _ generator: inout SplitMix64) throws -> [Int32] {
    let copies = try pool.fork(slot, count: forks)
    defer { for copy in copies { pool.close(copy) } }
    var plans = copies.map { _ in [Int32]() }
    var scores = copies.map { _ in Float(0) }
    var running = Array(copies.indices)
    var batch = pool.makeBatch()
    for step in 0..<depth {
      if running.isEmpty { break }
      // Actions are held for a while: single presses lead nowhere.
      for row in running {
        plans[row].append(step % 4 == 0 ? action(pool, &generator) : plans[row][step - 1])
      }
      try pool.step(running.map { copies[$0] }, running.map { plans[$0][step] }, into: &batch)
      var alive: [Int] = []
      for (row, index) in running.enumerated() where batch.faults[row] == nil {
        // What comes early counts a little more, so that it is not put off for ever.
        scores[index] += batch.rewards[row] * (1 - Float(step) / Float(4 * depth))
        if batch.terminated[row] {
          if batch.rewards[row] <= 0 { scores[index] -= 1 }
        } else {
          alive.append(index)
        }
      }
      running = alive
    }
    let chosen = scores.indices.max { scores[$0] < scores[$1] } ?? 0
    return Array(plans[chosen].prefix(commit))
  }

  private func action(_ pool: RemotePool, _ generator: inout SplitMix64) -> Int32 {
    Int32(generator.next(below: pool.actionSpace.count))
  }
}
