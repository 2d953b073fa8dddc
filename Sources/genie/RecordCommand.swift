import ArgumentParser
import Environments
import Foundation
import Reporting
import Video

struct RecordCommand: ParsableCommand {
  enum Game: String, CaseIterable, ExpressibleByArgument {
    case platformer
  }

  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Records video of a built-in game, with its actions, rewards and ends.",
    discussion: """
      CLIPS is a new folder of safetensors files. `frames`[t] was seen, `actions`[t] pressed while seeing it, \
      `rewards`[t] and `ends`[t] are what that press gave; the last frame of an episode has action -1. The same \
      seed records the same video; different seeds play different levels.
      """)

  @Option(help: "The game to play.")
  var game = Game.platformer

  @Option(help: "How many episodes.")
  var episodes = 100

  @Option(help: "Determines levels and play.")
  var seed: UInt64 = 0

  @Option(help: ArgumentHelp("The folder to make.", valueName: "clips"))
  var out: String

  @Option(
    help: "Who plays: random, expert, novice (an expert who slips), or mixed (random and expert by turns).")
  var policy = EpisodeRecorder.Policy.random

  @Option(
    help: ArgumentHelp(
      "Of 100 steps that would kill the random player, how many it sees coming: the fewer, the more deaths are shown.",
      valueName: "percent"))
  var caution = 96

  @Flag(
    help:
      "Let the random player begin with the level, as people do, instead of anywhere in it: then little is left behind him."
  )
  var fromBeginning = false

  @Option(help: ArgumentHelp("Steps after which an episode is broken off.", valueName: "steps"))
  var longestEpisode = 500

  @Option(help: ArgumentHelp("Episodes in one file.", valueName: "episodes"))
  var episodesPerShard = 50

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard episodes > 0 else { throw ValidationError("--episodes is at least 1.") }
    guard (0...100).contains(caution) else { throw ValidationError("--caution is 0 to 100.") }
    guard (1...10_000).contains(longestEpisode) else {
      throw ValidationError("--longest-episode is 1 to 10000.")
    }
    guard (1...1000).contains(episodesPerShard) else {
      throw ValidationError("--episodes-per-shard is 1 to 1000.")
    }
  }

  func run() throws {
    let recorder = EpisodeRecorder(
      policy: policy, caution: caution, fromBeginning: fromBeginning, longestEpisode: longestEpisode,
      seed: seed)
    let writer = try ClipFolderWriter(URL(filePath: out))
    let bar = ProgressBar("record", total: episodes, unit: "episodes", style: output.progressStyle)
    var shard: Clip?
    var totals = Totals()
    for episode in 0..<episodes {
      let clip = recorder.record(episode: episode)
      totals.add(clip)
      if shard == nil {
        shard = clip
        shard?.metadata = metadata(firstEpisode: episode)
      } else {
        shard?.append(clip)
      }
      if (episode + 1) % episodesPerShard == 0 || episode + 1 == episodes, let full = shard {
        try writer.append(full)
        shard = nil
      }
      bar.update(to: episode + 1, figures: ["frames": Double(totals.frames)])
    }
    try writer.finish()
    bar.finish()
    print(
      "\(totals.frames) frames in \(episodes) episodes, mean return "
        + String(format: "%.2f", totals.totalReward / Double(episodes)) + ": \(out)")
    try output.write(
      JSONReport([
        "record": [
          "clips": .string(out), "game": .string(game.rawValue), "policy": .string(policy.rawValue),
          "caution": .integer(caution), "begins": .string(begins),
          "seed": .string("\(seed)"), "episodes": .integer(episodes), "frames": .integer(totals.frames),
          "shards": .integer(writer.shardCount), "ended": .integer(totals.ended),
          "mean_return": .number(totals.totalReward / Double(episodes)),
          "mean_length": .number(Double(totals.frames) / Double(episodes)),
          "actions": .array(totals.actions.map { .integer($0) }),
        ]
      ]))
  }

  /// What ``ClipShard/beginsAnywhere`` goes by.
  private var begins: String {
    !fromBeginning && [.random, .mixed].contains(policy) ? "anywhere" : "level"
  }

  private func metadata(firstEpisode: Int) -> [String: String] {
    let specification = Platformer().specification
    return [
      "source": specification.name, "policy": policy.rawValue, "caution": "\(caution)", "seed": "\(seed)",
      "begins": begins,
      "fps": "10",
      "first_episode": "\(firstEpisode)",
      "actions": specification.actionSpace.names.joined(separator: ","),
    ]
  }

  private struct Totals {
    var frames = 0
    var totalReward = 0.0
    var ended = 0
    /// How often each action was pressed.
    var actions = [Int](repeating: 0, count: PlatformerAction.allCases.count)

    mutating func add(_ clip: Clip) {
      frames += clip.count
      totalReward += (clip.rewards ?? []).reduce(0) { $0 + Double($1) }
      ended += (clip.ends ?? []).count { $0 }
      for action in clip.actions ?? [] where action >= 0 { actions[Int(action)] += 1 }
    }
  }
}

extension EpisodeRecorder.Policy: ExpressibleByArgument {}
