import ArgumentParser
import Autograd
import Foundation
import GeneratedWorlds
import Reporting
import Video

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Tells what a world is, how it was made, and what its actions do.",
    discussion: """
      Actions are called by the names that labelled transitions gave them, or else by the motion that is seen when \
      they are held in the dream.
      """)

  @OptionGroup var world: WorldArgument

  @Option(
    help: ArgumentHelp(
      "Draw what each action does, from three starts, to this PNG file.", valueName: "file"))
  var actions: String?

  @OptionGroup var output: OutputOptions

  func run() throws {
    let world = try world.load()
    let genie = world.genie
    let (t, l, d) = (
      genie.configuration.tokenizer, genie.configuration.latentActions, genie.configuration.dynamics
    )
    let parameters = [
      ("tokenizer", genie.tokenizer.parameters.count),
      ("latent actions", genie.latentActions.parameters.count),
      ("dynamics", genie.dynamics.parameters.count), ("rewards", world.rewards?.parameters.count ?? 0),
      ("action odds", world.odds?.parameters.count ?? 0),
    ]
    print(
      "\(world.manifest.name): \(t.height) x \(t.width) frames, \(world.actions) actions, \(world.levels.clips) levels"
    )
    var table = Table(["model", "parameters", "built from"])
    let descriptions = [
      "patch \(t.patch), \(genie.tokenizer.tokens) tokens, \(t.codebook.codes) codes of \(t.codebook.width), width "
        + "\(t.channels), \(t.encoderBlocks) + \(t.decoderBlocks) blocks, window \(t.window)",
      "frames pooled by \(l.pooling), patch \(l.patch), \(l.codebook.codes) codes of \(l.codebook.width), width "
        + "\(l.channels), \(l.encoderBlocks) + \(l.decoderBlocks) blocks, window \(l.window)",
      "width \(d.channels), \(d.blocks) blocks, \(d.heads) heads, window \(d.window), actions \(d.conditioning.rawValue)",
      world.rewards.map { "rewards \($0.configuration.values), and ends" } ?? "none",
      world.odds.map { "two classifiers of \($0.configuration.filters) filters" } ?? "none",
    ]
    for ((name, count), text) in zip(parameters, descriptions) { table.append([name, "\(count)", text]) }
    print(table)
    let sampling = world.manifest.sampling
    let hasOdds = world.odds != nil && sampling.leastOdds > 0
    print(
      "sampling: \(sampling.steps) steps, temperature \(sampling.temperature), \(sampling.pilots) pilots, "
        + (hasOdds ? "least odds \(sampling.leastOdds)" : "every action as it is")
        + "; horizon \(world.manifest.horizon)"
    )
    if let map = world.manifest.actionMap {
      var actions = Table(["latent action", "real action (\(map.samples) labelled transitions)"])
      for (latent, real) in map.real.enumerated() {
        actions.append([
          "\(latent)", map.names.indices.contains(Int(real)) ? map.names[Int(real)] : "\(real)",
        ])
      }
      print(actions)
    }
    if let training = world.manifest.training {
      print(
        "made by: \(training.command)\n\(training.date), \(training.frames) frames of \(training.source), "
          + "\(training.processors) threads, \(String(format: "%.0f", training.seconds)) s")
      var stages = Table(["stage", "steps", "seconds", "held-out figures"])
      for stage in training.stages {
        let figures = stage.figures.sorted { $0.key < $1.key }.map {
          "\($0.key) \(String(format: "%.3f", $0.value))"
        }
        stages.append([
          stage.name, "\(stage.steps)", String(format: "%.0f", stage.seconds),
          figures.joined(separator: "  "),
        ])
      }
      print(stages)
    }
    var names = world.manifest.actionNames
    if let actions {
      let sheet = try ActionSheet(world, workers: Workers())
      names = sheet.names
      try PNG.write(sheet.picture, to: URL(filePath: actions))
      let list = names.enumerated().map { "\($0) \($1)" }.joined(separator: ", ")
      print("actions, drawn in \(actions): \(list)")
    }
    try output.write(
      JSONReport([
        "inspect": [
          "name": .string(world.manifest.name), "actions": .integer(world.actions),
          "action_names": .array(names.map { .string($0) }),
          "levels": .integer(world.levels.clips),
          "parameters": .object(Dictionary(uniqueKeysWithValues: parameters.map { ($0.0, .integer($0.1)) })),
          "training_seconds": .number(world.manifest.training?.seconds ?? 0),
        ]
      ]))
  }
}
