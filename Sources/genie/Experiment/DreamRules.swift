import ArgumentParser
import Autograd
import Environments
import GeneratedWorlds
import ReinforcementLearning
import Video
import WorldModel

/// What dreams can start from; empty where no rule asks for it.
struct DreamStarts {
  /// Of the video, from anywhere.
  var video: [StartFrame] = []
  /// First pictures of levels of the game.
  var begins: [StartFrame] = []
  /// On the way of a player who began there.
  var way: [StartFrame] = []
}

/// How a policy is trained in a dream: what keeps it from learning the dream's faults.
struct DreamRules: Codable, Equatable, Sendable {
  /// In file names and reports.
  var name: String
  /// Start frames; nil takes the world's own levels.
  var starts: Int?
  /// Whether these are the first pictures of levels of the game, where its episodes start, too; else any of the video.
  var begins: Bool?
  /// Whether half of them are from later in episodes instead, as a player who makes mistakes comes to see them.
  var along: Bool?
  /// Steps of an episode; nil leaves the world's own.
  var horizon: Int?
  /// Log-likelihood below which a frame is doubtful, and what follows.
  var doubt: Float?
  var consequence: Consequence?

  /// Of the drawn tokens; nil leaves the world's own.
  var temperature: Float?
  var leastShare: Float?
  /// Actions with lower odds do the most similar possible thing; nil leaves the world's own.
  var leastOdds: Float?
  /// Whether the policy presses the game's buttons, each its latent action, instead of latent actions.
  var buttons: Bool?
  /// Whether a flag cuts the episode, unpaid.
  var cutsGoals: Bool?
  /// Steps that show nothing new, after which an episode is over; nil lets it go on.
  var repeats: Int?

  enum Consequence: String, Codable, Sendable, CaseIterable {
    case penalty, truncation, termination

    var limit: DoubtLimit.Consequence {
      switch self {
      case .penalty: .penalty(0.1)
      case .truncation: .truncation
      case .termination: .termination
      }
    }
  }

  /// Frames of the video that episodes start from, where they do not start from the world's levels.
  static let startFrames = 4096
  /// A frame is doubtful where its tokens are, on average, less likely than this, in nats.
  static let doubt: Float = -0.1
  /// What scrolls in is drawn as it occurs; what the dream is sure of stays. Deaths are not barred as unlikely.
  static let lively: (temperature: Float, leastShare: Float, leastOdds: Float) = (1, 0.05, 0)

  /// The rule that answers what was found to break transfer.
  static let usual = "lively-begin-rich"

  /// That one, and others that tell which of its parts it was.
  static let all = [
    DreamRules(name: "plain"),
    DreamRules(name: "starts", starts: startFrames),
    DreamRules(name: "short", starts: startFrames, horizon: 32),
    lively("lively"),
    lively("lively-begin", begins: true),
    lively("lively-begin-long", begins: true, horizon: 256),
    lively("lively-begin-whole", begins: true, horizon: 500),
    lively("lively-begin-new", begins: true, horizon: 256, repeats: 16),
    lively("lively-begin-rich", begins: true, horizon: 256, repeats: 16, leastShare: 0.02),
    lively("lively-begin-mild", begins: true, horizon: 256, repeats: 16, temperature: 0.85),
    lively("lively-begin-calm", begins: true, horizon: 256, repeats: 16, temperature: 0.7),
    lively("lively-along-new", begins: true, along: true, horizon: 256, repeats: 16),
    lively("lively-begin-new-whole", begins: true, horizon: 500, repeats: 16),
    lively("lively-begin-cut", begins: true, cutsGoals: true),
    lively("lively-buttons", buttons: true),
    lively("lively-begin-buttons", begins: true, buttons: true),
    lively("lively-begin-short", begins: true, buttons: true, horizon: 64),
    lively("lively-short", horizon: 32),
    lively("lively-penalty", consequence: .penalty),
    lively("lively-cut", consequence: .truncation),
    lively("lively-end", consequence: .termination),
  ]

  private static func lively(
    _ name: String, begins: Bool? = nil, along: Bool? = nil, buttons: Bool? = nil, horizon: Int? = nil,
    consequence: Consequence? = nil, cutsGoals: Bool? = nil, repeats: Int? = nil,
    temperature: Float = lively.temperature, leastShare: Float = lively.leastShare
  ) -> DreamRules {
    DreamRules(
      name: name, starts: startFrames, begins: begins, along: along, horizon: horizon,
      doubt: consequence.map { _ in doubt },
      consequence: consequence, temperature: temperature, leastShare: leastShare,
      leastOdds: lively.leastOdds, buttons: buttons,
      cutsGoals: cutsGoals, repeats: repeats)
  }

  /// In words.
  var summary: String {
    let origin =
      begins != true
      ? "start frames of the video"
      : along == true
        ? "first pictures of levels of the game and pictures on a player's way, half of each"
        : "first pictures of levels of the game"
    var parts = [starts.map { "\($0) \(origin)" } ?? "the world's own start frames"]
    if let horizon { parts.append("episodes of \(horizon) steps") }
    if let temperature { parts.append("temperature \(temperature)") }
    if let leastShare { parts.append("no token below \(leastShare) of the likeliest") }
    if leastOdds == 0 { parts.append("every action as it is") }
    if buttons == true { parts.append("the game's buttons for actions") }
    if let repeats { parts.append("over after \(repeats) steps that show nothing new") }
    if cutsGoals == true { parts.append("a flag cuts the episode, unpaid") }
    if let doubt, let consequence {
      let what =
        switch consequence {
        case .penalty: "costs 0.1"
        case .truncation: "cuts the episode"
        case .termination: "ends the episode"
        }
      parts.append("a log-likelihood below \(doubt) \(what)")
    }
    return "\(name): \(parts.joined(separator: ", "))"
  }

  /// The world as episodes start in it.
  func started(_ world: World, _ offered: DreamStarts) -> World {
    guard starts != nil else { return world }
    guard begins == true else { return world.starting(from: offered.video) }
    guard along == true else { return world.starting(from: offered.begins) }
    let half = min(offered.begins.count, offered.way.count) / 2
    return world.starting(from: Array(offered.begins.prefix(half) + offered.way.prefix(half)))
  }

  /// The pool that the policy is trained in.
  func pool(_ world: World, _ offered: DreamStarts, workers: Workers) throws -> any EnvironmentPool {
    var pool: any EnvironmentPool = GeneratedWorldPool(
      started(world, offered), workers: workers, sampling: sampling(of: world))
    if let doubt, let consequence {
      pool = try DoubtLimit(pool, limit: doubt, consequence: consequence.limit)
    }
    pool = ended(pool)
    return try buttons == true ? MappedActions(pool, map: world.buttons) : pool
  }

  /// What of the rule can end an episode of the game, too.
  func ended(_ pool: any EnvironmentPool) -> any EnvironmentPool {
    var pool = pool
    if let repeats { pool = RepeatLimit(pool, steps: repeats) }
    if cutsGoals == true { pool = GoalCut(pool, reward: Ground.goal) }
    return pool
  }

  func sampling(of world: World) -> SamplingConfiguration {
    world.manifest.sampling.with(
      temperature: temperature, leastShare: leastShare, leastOdds: leastOdds,
      tellsAge: begins)
  }
}
