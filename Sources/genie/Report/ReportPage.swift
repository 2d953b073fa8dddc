import Foundation
import GeneratedWorlds
import ReinforcementLearning
import Reporting
import Safetensors
import Video

/// A report as a folder: one page that needs nothing from outside, its pictures and its figures.
struct ReportPage {
  let world: World
  let policy: PolicyFile.Record
  let choice: ActorCriticPolicy.Choice
  let seeds: Range<UInt64>
  let dream: Comparison
  let game: Comparison?
  /// Why there is no game.
  let obstacle: String?
  let actions: Picture
  let curve: LearningCurve?

  /// Everything that was measured.
  var figures: JSONReport {
    var report = JSONReport([
      "world": .string(world.manifest.name),
      "policy": [
        "environment": .string(policy.environment), "steps": .integer(policy.steps),
        "seed": .string("\(policy.seed)"), "choice": .string(choice.rawValue),
      ],
      "first_seed": .string("\(seeds.lowerBound)"), "episodes": .integer(seeds.count), "dream": dream.figures,
    ])
    report["game"] = game?.figures ?? ["skipped": .string(obstacle ?? "")]
    if let curve {
      report["curve"] = .array(
        curve.points.map { ["step": .integer($0.step), "return": .number($0.value)] })
    }
    return report
  }

  /// Writes pictures, figures and the page, each whole or not at all, the page last.
  /// - Returns: the page's file.
  func write(to folder: URL) throws -> URL {
    for (name, comparison) in [("dream", dream), ("game", game)] {
      guard let comparison, !comparison.films.isEmpty else { continue }
      for film in comparison.films {
        try PNG.write(film.strip.picture, to: folder.appending(path: "\(name)-\(film.name).png"))
      }
      try PNG.write(Film.sheet(comparison.films), to: folder.appending(path: "\(name).png"))
    }
    try PNG.write(actions, to: folder.appending(path: "actions.png"))
    try figures.write(to: folder.appending(path: "report.json"))
    let page = folder.appending(path: "index.html")
    try AtomicFile.write(Array(html.text.utf8), to: page)
    return page
  }

  private var html: HTML {
    """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(world.manifest.name): what the agent learned</title>
    <style>\(ReportStyle.css)</style>
    </head>
    <body><main>
    \(header)
    \(dreamSection)
    \(gameSection)
    \(actionSection)
    \(curveSection)
    \(methodSection)
    </main></body>
    </html>

    """
  }
}
