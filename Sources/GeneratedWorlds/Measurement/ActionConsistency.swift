import Autograd
import Environments
import NeuralNetwork
import WorldModel

/// Whether a latent action does the same wherever it is played: each code is played once from many held-out starts in the
/// dream, and what is seen to happen is counted.
///
/// A start counts where the game would let every action show its effect: a wall beside the player says nothing about a code.
public struct ActionConsistency: Sendable {
  /// Starts that counted, the same for every code.
  public var starts: Int
  /// What each code does most often, and in which share of the starts.
  public var effects: [(effect: VisibleEffect, share: Double)]
  /// The same share over all starts, also where something is in the way.
  public var sharesAnywhere: [Double]

  /// The least of the codes' shares.
  public var lowest: Double { effects.map(\.share).min() ?? 0 }
  public var distinctEffects: Int { Set(effects.map(\.effect)).count }

  /// - Parameter wanted: starts that count; windows of `clips` are tried until there are so many.
  init?(
    _ pool: inout GeneratedWorldPool, clips: HeldOutClips, wanted: Int, judge: any GameJudge, workers: Workers
  ) throws(EnvironmentError) {
    let actions = pool.actionSpace.count
    let free = (0..<clips.count).filter {
      judge.allowsEveryEffect(judge.read(clips.frame($0, clips.context - 1)))
    }
    guard !free.isEmpty else { return nil }
    let counting = Set(free.prefix(wanted))
    let rows = (0...counting.max()!).filter { row in
      counting.contains(row) || !judge.read(clips.frame(row, clips.context - 1)).isOver
    }
    starts = counting.count
    let jobs = rows.flatMap { row in (0..<actions).map { (row: row, action: $0) } }
    var counts = [[VisibleEffect?: Int]](repeating: [:], count: actions)
    var countsAnywhere = counts
    for first in stride(from: 0, to: jobs.count, by: 128) {
      let part = Array(jobs[first..<min(jobs.count, first + 128)])
      let dreamt = try Rollout(
        &pool, clips: clips, rows: part.map(\.row), actions: part.map { [Int32($0.action)] })
      let seen = Slots<VisibleEffect?>(count: part.count)
      workers.run { [count = workers.count] worker in
        for place in stride(from: worker, to: part.count, by: count) {
          seen[place] = judge.effect(
            from: judge.read(dreamt.starts[place]), to: judge.read(dreamt.frames[place][0]))
        }
      }
      for (job, effect) in zip(part, seen.all) {
        if counting.contains(job.row) { counts[job.action][effect, default: 0] += 1 }
        countsAnywhere[job.action][effect, default: 0] += 1
      }
    }
    let majorities = counts.map { row in
      // Where the player was lost there is no effect: it counts as a failure, whatever it is called.
      let best = row.filter { $0.key != nil }.max { ($0.value, $0.key!.name) < ($1.value, $1.key!.name) }
      return (effect: best?.key ?? VisibleEffect(dx: 0, rises: false), count: best?.value ?? 0)
    }
    effects = majorities.map { ($0.effect, Double($0.count) / Double(counting.count)) }
    sharesAnywhere = zip(countsAnywhere, majorities).map { Double($0[$1.effect] ?? 0) / Double(rows.count) }
  }
}
