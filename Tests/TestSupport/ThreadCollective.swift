import Autograd
import Foundation

/// Ranks that are threads of one process.
public final class ThreadCollective: Collective, @unchecked Sendable {
  public let rank: Int
  public let count: Int
  private let meeting: Meeting

  private init(rank: Int, meeting: Meeting) {
    self.rank = rank
    self.count = meeting.count
    self.meeting = meeting
  }

  /// Runs `body` as each of `count` ranks, at the same time.
  /// - Returns: what they returned, by rank.
  public static func run<Result: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (any Collective) throws -> Result
  ) throws -> [Result] {
    let meeting = Meeting(count: count)
    nonisolated(unsafe) var results = [Swift.Result<Result, any Error>?](repeating: nil, count: count)
    let lock = NSLock()
    let group = DispatchGroup()
    for rank in 0..<count {
      group.enter()
      Thread.detachNewThread {
        let result = Swift.Result { try body(ThreadCollective(rank: rank, meeting: meeting)) }
        lock.withLock { results[rank] = result }
        group.leave()
      }
    }
    group.wait()
    return try results.map { try $0!.get() }
  }

  public func reduceScatter(_ values: UnsafeMutablePointer<Float>, pieces: [Int]) {
    let total = pieces.reduce(0, +)
    let all = meeting.exchange(
      Array(UnsafeBufferPointer(start: values, count: total)).map(\.bitPattern), rank)
    let start = pieces.prefix(rank).reduce(0, +)
    for i in start..<start + pieces[rank] {
      values[i] = all.dropFirst().reduce(Float(bitPattern: all[0][i])) { $0 + Float(bitPattern: $1[i]) }
    }
  }

  public func gather(_ bytes: UnsafeMutableRawPointer, pieces: [Int]) {
    let total = pieces.reduce(0, +)
    let own = UnsafeRawBufferPointer(start: bytes, count: total).map(UInt32.init)
    let all = meeting.exchange(own, rank)
    var place = 0
    for (rank, size) in pieces.enumerated() {
      for i in place..<place + size {
        bytes.storeBytes(of: UInt8(all[rank][i]), toByteOffset: i, as: UInt8.self)
      }
      place += size
    }
  }

  /// Where everybody leaves something and takes what all have left.
  private final class Meeting: @unchecked Sendable {
    let count: Int
    private let condition = NSCondition()
    private var left: [[UInt32]]
    private var (arrived, departed, round) = (0, 0, 0)

    init(count: Int) {
      self.count = count
      left = Array(repeating: [], count: count)
    }

    func exchange(_ values: [UInt32], _ rank: Int) -> [[UInt32]] {
      condition.lock()
      defer { condition.unlock() }
      // Those who were here before take what is theirs first.
      while departed > 0 { condition.wait() }
      left[rank] = values
      arrived += 1
      let own = round
      if arrived == count {
        round += 1
        departed = count
        condition.broadcast()
      }
      while round == own { condition.wait() }
      let all = left
      departed -= 1
      if departed == 0 {
        arrived = 0
        condition.broadcast()
      }
      return all
    }
  }
}
