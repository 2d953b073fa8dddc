import ArgumentParser
import Autograd
import Environments
import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Video

struct AuditCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract:
      "Holds a dream against the game's rules while policies play it: what pays there that would not here.",
    discussion: """
      Each step of the dream is compared with what the game itself would have done in the picture before it: reward, \
      end, and where the hero went. A POLICY is a file, `random` (latent actions) or `constant:N`; one that was trained \
      in the game plays the dream through the world's action map, backwards.
      """)

  @Argument(help: ArgumentHelp("Files, `random`, or `constant:N`.", valueName: "policy"))
  var policies: [String]

  @OptionGroup var worldOptions: WorldOption

  @Option(
    help: ArgumentHelp("Start from frames of this video instead of the world's levels.", valueName: "clips"))
  var clips: String?

  @Flag(help: "Let the policies play the game itself, on unseen levels: what they die of there.")
  var inGame = false

  @Flag(help: "The game's pictures as the world draws them, and nothing else changed; with --in-game.")
  var asDrawn = false

  @Option(help: "Worlds that each policy plays.")
  var worlds = 64

  @Option(help: "Steps of each, unless it ends.")
  var steps = 128

  @OptionGroup var sampling: SamplingOptions

  @Option(help: "Of the worlds and of what the policies draw.")
  var seed: UInt64 = 1

  @Option(
    help: ArgumentHelp(
      "Also draw where dream and game disagree about a reward or an end: before the step, and after it.",
      valueName: "png"))
  var sheet: String?

  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard (1...1024).contains(worlds), (1...10_000).contains(steps) else {
      throw ValidationError("--worlds is 1 to 1024, --steps 1 to 10000.")
    }
    guard inGame || !asDrawn else { throw ValidationError("--as-drawn goes with --in-game.") }
    guard !inGame || (clips == nil && sampling.isEmpty) else {
      throw ValidationError(
        "The game starts and is drawn as it is: --in-game goes without --clips and the like.")
    }
  }

  func run() throws {
    let world = sampling.applied(to: try worldOptions.load())
    let threads = Workers()
    guard let map = world.manifest.actionMap, let judge = world.judge else {
      throw ExperimentError.noGame(world: world.manifest.name)
    }
    var started = world
    if let clips {
      started = world.starting(from: try ClipFolder(URL(filePath: clips)).starts(worlds, seed: seed))
    }
    let ground = try Ground(world)
    func makePool() throws -> any EnvironmentPool {
      guard inGame else { return GeneratedWorldPool(started, workers: threads) }
      return try asDrawn ? DrawnGame(ground.game(), drawnBy: world) : ground.game()
    }
    let specification = try makePool().specification
    let pressed =
      inGame
      ? ActionMap(
        real: (0..<Int32(specification.actionSpace.count)).map { $0 },
        names: specification.actionSpace.names, samples: 0)
      : map
    let starts = (0..<worlds).map { index in
      ResetOptions(
        seed: seed &+ UInt64(index),
        level: inGame ? 2 * Ground.firstLevel + index : index % started.levels.clips)
    }
    // A name that is wrong is found before the first plays.
    let players = try policies.map { name in
      let policy = try PolicyChoice(name).mapped(to: specification, map: map, workers: threads)
      try policy.check(specification)
      return (name, policy)
    }
    var table = Table([
      "policy", "return", "length", "readable", "obeyed", "reward true", "reward found", "end true",
      "end found",
      "would be paid", "coins from nowhere", "columns closed", "below bricks: ended and fell, hovered",
    ])
    var causes = Table(["policy", "ends by", "told", "missed", "in 1,000 steps"])
    var lives = Table(["policy", "deaths outlived", "steps after each", "earned after each"])
    var (figures, below): ([String: JSONValue], [String: JSONValue]) = ([:], [:])
    var disagreements = ContactSheet(scale: 2)
    for (name, policy) in players {
      let base = try makePool()
      var pool: any EnvironmentPool = policy.frames == 1 ? base : FrameStack(base, frames: policy.frames)
      let bar = ProgressBar("audit \(name)", total: steps, unit: "steps", style: output.progressStyle)
      var hanging = HangingSteps()
      let audit = try DreamAudit(
        &pool, starts: starts, steps: steps, judge: judge, map: pressed,
        choose: { batch, step in
          let key = RandomKey(seed: seed).folded(in: UInt64(step))
          return policy.actions(
            for: batch.observations, keys: (0..<batch.count).map { key.folded(in: UInt64($0)) })
        }, observe: { hanging.add($0) }, progress: { bar.update(to: $0) })
      bar.finish()
      table.append(audit.row(name) + [hanging.row])
      figures[name] = audit.figures
      below[name] = hanging.report
      audit.draw(on: &disagreements, names: pressed.names)
      let outlived = Double(max(1, audit.afterDeath.worlds))
      lives.append([
        name, "\(audit.afterDeath.worlds)", decimal(Double(audit.afterDeath.steps) / outlived),
        decimal(audit.afterDeath.reward / outlived),
      ])
      for (cause, events) in audit.endsByCause.sorted(by: { $0.key < $1.key }) {
        causes.append([
          name, cause, "\(events.confirmed)", "\(events.missed)",
          decimal(1000 * Double(events.confirmed + events.missed) / Double(audit.steps)),
        ])
      }
    }
    print(table)
    print(causes)
    print(lives)
    if let sheet { try PNG.write(disagreements.picture(), to: URL(filePath: sheet)) }
    try output.write(JSONReport(["audit": .object(figures), "below_bricks": .object(below)]))
  }
}

extension DreamAudit {
  /// Four moments a row, each a picture before the step and one after it.
  func draw(on sheet: inout ContactSheet, names: [String]) {
    for kind in Moment.Kind.allCases {
      let own = moments.filter { $0.kind == kind }
      for start in stride(from: 0, to: own.count, by: 4) {
        let row = own[start..<min(own.count, start + 4)]
        let pressed = row.map {
          names.indices.contains(Int($0.action)) ? names[Int($0.action)] : "\($0.action)"
        }
        sheet.append("\(kind.rawValue): \(pressed.joined(separator: ", "))", row.flatMap(\.pictures))
      }
    }
  }

  func row(_ name: String) -> [String] {
    [
      name, decimal(meanReturn), decimal(meanLength), percent(Double(readable) / Double(steps)),
      percent(Double(obeyed) / Double(compared)), percent(rewards.precision), percent(rewards.recall),
      percent(ends.precision), percent(ends.recall),
      "\(decimal(refereedReward / Double(worlds))) of \(decimal(claimedReward / Double(worlds)))",
      decimal(Double(coinsFromNowhere) / Double(worlds)), "\(arrivals.closed) of \(arrivals.columns)",
    ]
  }

  /// As JSON files show it.
  var figures: JSONValue {
    func events(_ events: Events) -> JSONValue {
      [
        "confirmed": .integer(events.confirmed), "invented": .integer(events.invented),
        "missed": .integer(events.missed),
      ]
    }
    return [
      "return": .number(meanReturn), "length": .number(meanLength),
      "readable": .number(Double(readable) / Double(steps)),
      "obeyed": .number(Double(obeyed) / Double(compared)),
      "obeyed_by_effect": .object(
        Dictionary(
          uniqueKeysWithValues: comparedByEffect.map { name, count in
            (name, ["obeyed": .integer(obeyedByEffect[name] ?? 0), "of": .integer(count)])
          })),
      "rewards": events(rewards), "ends": events(ends),
      "ends_by_cause": .object(endsByCause.mapValues(events)),
      "after_missed_ends": [
        "worlds": .integer(afterDeath.worlds), "steps": .integer(afterDeath.steps),
        "reward": .number(afterDeath.reward),
      ],
      "claimed_reward": .number(claimedReward / Double(worlds)),
      "refereed_reward": .number(refereedReward / Double(worlds)),
      "unreadable_reward": .number(unreadableReward / Double(worlds)),
      "coins_from_nowhere": .number(Double(coinsFromNowhere) / Double(worlds)),
      "arrivals": arrivals.report,
      "doubt_tells": .number(doubtTells),
      "doubt_of_true_steps": [
        "0.01": .number(Double(doubt(ofTrue: 0.01))), "0.05": .number(Double(doubt(ofTrue: 0.05))),
        "0.2": .number(Double(doubt(ofTrue: 0.2))),
      ],
      "broken_below": .object(
        Dictionary(
          uniqueKeysWithValues: [0.01, 0.05, 0.2].map { share in
            let limit = doubt(ofTrue: share)
            let caught = likelihoodsWhenFalse.count { $0 < limit }
            return ("\(share)", .number(Double(caught) / Double(max(1, likelihoodsWhenFalse.count))))
          })),
    ]
  }
}
