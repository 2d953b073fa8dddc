import Environments

/// One world of a page: a slot, and its episode so far, from which each of its frames can be had again.
///
/// The same start and the same actions give the same frames, so the list of steps is enough to go back
/// anywhere; marks, where the pool keeps snapshots, spare most of the way.
struct PlayedWorld {
  /// A step that was taken, and what came of it.
  struct Step {
    var action: Int32
    /// The numbers that it was taken with (``Environments/Tunable``).
    var tuning: [String: Double]
    var reward: Float
    var terminated: Bool
    var truncated: Bool
    var logLikelihood: Float
    var entropy: Float
  }

  /// A frame from which the episode can go on without its past.
  struct Mark {
    var number: Int
    var snapshot: [UInt8]
    var recent: [[UInt8]]
  }

  /// Bytes of snapshots that one world may keep.
  static let markBudget = 64 << 20

  let slot: Slot
  let start: ResetOptions
  var steps: [Step] = []
  /// By ascending number.
  private(set) var marks: [Mark] = []
  private var markSpacing = 16
  /// The last frames, the newest last.
  var recent: [[UInt8]]
  var tuning: [String: Double] = [:]
  var player: (any Player)?
  var decision: Decision?
  var chart: String?

  /// - Parameter frame: the first one, `[height, width, channels]`.
  init(slot: Slot, start: ResetOptions, frame: [UInt8]) {
    self.slot = slot
    self.start = start
    recent = [frame]
  }

  var hasEnded: Bool { steps.last.map { $0.terminated || $0.truncated } ?? false }

  mutating func append(_ step: Step, _ frame: [UInt8], keeping limit: Int) {
    steps.append(step)
    recent.append(frame)
    if recent.count > limit { recent.removeFirst() }
  }

  /// Whether a snapshot of the newest frame would be worth its place.
  var wantsMark: Bool { steps.count - (marks.last?.number ?? 0) >= markSpacing && !hasEnded }

  mutating func mark(_ snapshot: [UInt8]) {
    marks.append(Mark(number: steps.count, snapshot: snapshot, recent: recent))
    if marks.reduce(0, { $0 + $1.snapshot.count }) > Self.markBudget {
      marks = marks.indices.filter { $0 % 2 == 1 }.map { marks[$0] }
      markSpacing *= 2
    }
  }

  func mark(before frame: Int) -> Mark? { marks.last { $0.number < frame } }

  /// Forgets what came after a frame.
  mutating func cut(after frame: Int, recent: [[UInt8]]) {
    steps.removeLast(steps.count - frame)
    marks.removeAll { $0.number > frame }
    self.recent = recent
    decision = nil
  }

  /// The same past in another slot.
  func branched(into slot: Slot, at frame: Int, recent: [[UInt8]]) -> PlayedWorld {
    var branch = PlayedWorld(slot: slot, start: start, frame: recent.last ?? [])
    branch.steps = Array(steps.prefix(frame))
    branch.marks = marks.filter { $0.number <= frame }
    branch.markSpacing = markSpacing
    branch.recent = recent
    branch.tuning = tuning
    branch.player = player
    branch.chart = chart
    return branch
  }

  /// Asks the player what it would do next.
  mutating func decide() {
    guard let player, !hasEnded else { return decision = nil }
    decision = player.decide(
      stacked(player.frames), seed: SplitMix64.mix((start.seed ?? 0) &* 0x1_0001 &+ UInt64(steps.count)))
  }

  /// The last frames, interleaved by channel as ``Environments/FrameStack`` does; the oldest fills what is
  /// missing.
  private func stacked(_ frames: Int) -> [UInt8] {
    guard frames > 1 else { return recent.last ?? [] }
    let missing = max(0, frames - recent.count)
    let shown = Array(repeating: recent[0], count: missing) + recent.suffix(frames)
    var result = [UInt8](repeating: 0, count: frames * shown[0].count)
    for pixel in 0..<shown[0].count / 3 {
      for frame in 0..<frames {
        for channel in 0..<3 {
          result[(pixel * frames + frame) * 3 + channel] = shown[frame][pixel * 3 + channel]
        }
      }
    }
    return result
  }

  /// The newest frame as the page gets it.
  func reply(world: Int, milliseconds: Float, chart: FrameChart?) -> FrameReply {
    var reply = FrameReply(world: world, number: steps.count, pixels: recent.last ?? [])
    if let last = steps.last {
      reply.action = last.action
      reply.reward = last.reward
      reply.terminated = last.terminated
      reply.truncated = last.truncated
      reply.logLikelihood = last.logLikelihood
      reply.entropy = last.entropy
    }
    reply.milliseconds = milliseconds
    reply.decision = decision
    reply.chart = chart
    return reply
  }
}
