import Foundation
import Synchronization

/// Workers that compute one frame together, each the rows of its own tokens.
///
/// A frame's rows only meet in spatial attention, where each worker needs the keys and values of all; so the
/// workers meet once a block there, spinning: a frame is over before a sleeping thread would have been woken.
public final class Team: Sendable {
  public let count: Int
  /// Of a frame.
  public let tokens: Int
  /// Two, so that a fast worker fills one while a slow one still reads the other.
  private let shared: [Tensor]
  private let arrived = Atomic<Int>(0)

  /// - Parameters:
  ///   - tokens: of a frame, at least one a worker.
  ///   - channels: the most that a token's queries, keys and values have together.
  public init(count: Int, tokens: Int, channels: Int) {
    precondition(count > 0 && tokens >= count, "\(count) workers for \(tokens) tokens")
    self.count = count
    self.tokens = tokens
    shared = (0..<2).map { _ in Tensor(shape: [tokens * channels]) }
  }

  /// Returns when every worker has called it as often as this one.
  /// - Parameter round: how often this worker has called it before, counted from 0.
  func meet(round: Int) {
    let target = (round + 1) * count
    arrived.add(1, ordering: .acquiringAndReleasing)
    var turns = 0
    while arrived.load(ordering: .acquiring) < target {
      turns += 1
      if turns > 4096 { sched_yield() }
    }
  }

  /// Room for rows that all workers will read, of round `round`.
  func buffer(round: Int, _ shape: Shape) -> Tensor {
    let buffer = shared[round % 2]
    precondition(shape.count <= buffer.count, "a team that shares \(buffer.count) floats was given \(shape)")
    return buffer.slice(0..<shape.count).reshaped(shape)
  }
}

/// One worker's place in a ``Team``.
public final class TeamMember {
  let team: Team
  let index: Int
  private var round = 0

  public init(_ team: Team, index: Int) {
    self.team = team
    self.index = index
  }

  /// One member does what is done once for all.
  public var leads: Bool { index == 0 }

  /// Of a frame.
  public var tokens: Int { team.tokens }

  /// The rows that are this worker's.
  public var rows: Range<Int> {
    team.tokens * index / team.count..<team.tokens * (index + 1) / team.count
  }

  /// Waits for the others.
  public func meet() {
    team.meet(round: round)
    round += 1
  }

  /// Shows the others its rows, and returns when it sees theirs.
  /// - Parameter own: `[1, 1, rows, channels]`.
  /// - Returns: `[1, 1, tokens, channels]`, valid until the next but one exchange.
  func exchange(_ own: Tensor) -> Tensor {
    let (channels, rows) = (own.shape[-1], rows)
    precondition(own.shape.rows == rows.count, "rows \(rows) of \(tokens), but \(own.shape)")
    let all = team.buffer(round: round, [1, 1, tokens, channels])
    (all.pointer + rows.lowerBound * channels).update(from: own.pointer, count: own.count)
    meet()
    return all
  }
}
