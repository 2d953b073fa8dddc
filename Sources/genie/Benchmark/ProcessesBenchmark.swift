import Autograd
import Reporting
import WorldModel

/// Training steps of several processes that `mpirun` started: how much of its time each waits for the others, and how fast
/// gradients go between them.
struct ProcessesBenchmark {
  private let options: BenchmarkOptions
  private let collective: any Collective

  init(_ options: BenchmarkOptions, _ collective: any Collective) {
    self.options = options
    self.collective = collective
  }

  /// Every process does the same number of steps, however long they take.
  private static let steps = 12

  func run() throws -> BenchmarkPart {
    let dynamics = try options.model.configuration().dynamics
    let clips = options.clips ?? options.model.clips
    let together = DynamicsBenchmark(
      dynamics, clips: clips, time: options.time,
      workers: Workers(count: options.threads, collective: collective), precision: options.precision)
    // The same share of the work by oneself.
    let alone = DynamicsBenchmark(
      dynamics, clips: max(1, clips / collective.count), time: options.time, workers: options.workers,
      precision: options.precision)
    let gradients = Tensor(shape: [together.parameterCount])
    let share = (together.parameterCount + collective.count - 1) / collective.count
    let pieces = (0..<collective.count).map { max(0, min(share, together.parameterCount - share * $0)) }
    var times: [[Double]] = [[], [], []]
    let works: [() -> Void] = [
      { together.step() }, { alone.step() },
      { [collective] in
        collective.reduceScatter(gradients.pointer, pieces: pieces)
        collective.gather(gradients.pointer, pieces: pieces.map { 4 * $0 })
      },
    ]
    for round in 0..<options.repeats + 1 {
      // In turn, so that what else the machine does meets all of them; the first finds out about memory.
      for (index, work) in works.enumerated() {
        _ = collective.shared(0)
        let seconds = Stopwatch.seconds { for _ in 0..<Self.steps { work() } }
        if round > 0 { times[index].append(seconds / Double(Self.steps)) }
      }
    }
    let medians = times.map(Stopwatch.median)
    var part = BenchmarkPart(
      name: "processes",
      configuration: [
        "model": .string(options.model.rawValue), "clips": .integer(clips), "frames": .integer(options.time),
        "processes": .integer(collective.count), "threads": .integer(options.workers.count),
        "precision": .string(options.precision.rawValue), "repeats": .integer(options.repeats),
        "parameters": .integer(together.parameterCount),
      ])
    part.append("tokens_per_second", Double(together.tokensPerStep) / medians[0], "tokens/s")
    part.append("step_ms", medians[0] * 1e3, "ms")
    part.append("own_share_ms", medians[1] * 1e3, "ms")
    part.append("efficiency", medians[1] / medians[0], "")
    part.append("exchange_ms", medians[2] * 1e3, "ms")
    let sent =
      2 * 4 * Double(together.parameterCount) * Double(collective.count - 1) / Double(collective.count)
    part.append("exchange_gigabytes_per_second", sent / medians[2] / 1e9, "GB/s")
    return part
  }
}
