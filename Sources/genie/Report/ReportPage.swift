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

  private var learnedHere: Bool { policy.environment == world.manifest.name }

  private var header: HTML {
    let source = world.manifest.training.map { record -> HTML in
      " that a model dreams after watching \(grouped(record.frames)) frames of \(record.source)"
    }
    let cards = [card("In the dream", dream)] + (game.map { [card("In the real game", $0)] } ?? [])
    return """
      <header>
      <div class="overline">\(world.manifest.name)</div>
      <h1>\(learnedHere ? "An agent that learned in a dream" : "An agent in a dream")</h1>
      <p class="lead">It practised for \(grouped(policy.steps)) steps in \(policy.environment)\
      \(learnedHere ? ", a world" : "")\(learnedHere ? source ?? "" : "")\
      . \(learnedHere && game != nil ? "It never saw the game itself. Then it was put into it, unchanged." : "")</p>
      <div class="cards">\(cards)</div>
      </header>
      """
  }

  private func card(_ title: String, _ comparison: Comparison) -> HTML {
    guard let random = comparison.other("random") else { return "" }
    let verdict = Verdict(comparison.trained, over: random)
    return """
      <div class="card \(verdict.outcome.rawValue)">
      <div class="overline">\(title)</div>
      <div class="figure"><b>\(decimal(comparison.trained.evaluation.meanReturn.value))</b>\
      <span>mean return,<br>\(decimal(random.evaluation.meanReturn.value)) with random actions</span></div>
      <p>\(verdict.sentence)</p>
      </div>
      """
  }

  private var dreamSection: HTML {
    """
    <section>
    <h2>In the dream</h2>
    <p>\(seeds.count) episodes from \(world.levels.clips) start frames that no model was trained on, at most \
    \(world.manifest.horizon) steps each. What is seen, earned and lost here is what the world model imagines.</p>
    \(scores(dream))
    \(films(dream, name: "dream"))
    </section>
    """
  }

  private var gameSection: HTML {
    guard let game else {
      return "<section><h2>In the real game</h2><p>Not played: \(obstacle ?? "")</p></section>"
    }
    let sentences = game.verdicts.filter { $0.other.key != "random" }.map { "<p>\($0.sentence)</p>" as HTML }
    return """
      <section>
      <h2>In the real game</h2>
      <p>The same policy in \(game.environment), on \(seeds.count) levels that were in no video: numbers \
      \(grouped(seeds.lowerBound)) to \(grouped(seeds.upperBound - 1)), where recorded levels are drawn from 63 bits. \
      It still chooses latent actions; the world's action map, learned from \
      \(world.manifest.actionMap?.samples ?? 0) labelled transitions, presses the buttons. A coin earns 1, the flag 10.</p>
      \(scores(game))
      \(films(game, name: "game"))
      <div class="notes">\(sentences)</div>
      </section>
      """
  }

  private func scores(_ comparison: Comparison) -> HTML {
    let estimates = comparison.contenders.map(\.evaluation.meanReturn)
    let low = min(0, estimates.map(\.low).min() ?? 0)
    let high = max(estimates.map(\.high).max() ?? 1, low + 0.01) * 1.03
    func place(_ value: Double) -> String { String(format: "%.2f%%", 100 * (value - low) / (high - low)) }
    let rows = comparison.contenders.map { contender -> HTML in
      let evaluation = contender.evaluation
      let mean = evaluation.meanReturn
      let played = evaluation.episodes.count - evaluation.faults
      let flags = evaluation.episodes.count { $0.success == true }
      let width = String(format: "%.2f%%", 100 * (mean.high - mean.low) / (high - low))
      return """
        <tr class="\(contender.key)"><td>\(contender.title)</td>\
        <td class="plot"><div class="track"><i class="band" style="left:\(place(mean.low));width:\(width)"></i>\
        <i class="dot" style="left:\(place(mean.value))"></i></div></td>\
        <td class="mean">\(decimal(mean.value))</td>\
        <td class="interval" data-label="95%:">\(decimal(mean.low)) to \(decimal(mean.high))</td>\
        <td class="length" data-label="steps:">\(Int(evaluation.meanLength.rounded()))</td>\
        <td class="success" data-label="flag:">\(evaluation.successRate == nil ? "" : "\(flags) of \(played)")</td></tr>

        """
    }
    return """
      <table><thead><tr><th>policy</th><th></th><th>mean return</th><th>95% interval</th><th>steps</th>\
      <th>\(comparison.trained.evaluation.successRate == nil ? "" : "reached the flag")</th></tr></thead>
      <tbody>\(rows)</tbody></table>
      """
  }

  private func films(_ comparison: Comparison, name: String) -> HTML {
    guard !comparison.films.isEmpty else { return "" }
    let figures = comparison.films.map { film -> HTML in
      let strip = film.strip
      let result = film.result
      let end = result.success == true ? "at the flag" : result.terminated ? "lost" : "time is up"
      return """
        <figure><div class="film" role="img" aria-label="The \(film.name) episode" \
        style="--strip:url(\(name)-\(film.name).png);--frames:\(strip.frames);\
        --seconds:\(String(format: "%.1fs", strip.seconds))"></div>
        <figcaption><b>\(film.name)</b> · return \(String(format: "%g", result.return)) · \(result.length) steps · \
        \(end)</figcaption></figure>

        """
    }
    return """
      <div class="films">\(figures)</div>
      <figure><div class="sheet"><img src="\(name).png" loading="lazy" \
      alt="Frames of the best, the median and the worst episode, from left to right"></div>
      <figcaption>The same episodes of the trained policy, from their first to their last frame.</figcaption></figure>
      """
  }

  private var actionSection: HTML {
    """
    <section>
    <h2>What the actions do</h2>
    <p>Nobody told the model which actions there are. Each row starts from one picture, dreams ten frames with one \
    latent action held\(world.manifest.actionMap == nil ? "" : ", and is named after the button that it turned out to be").</p>
    <figure><div class="sheet"><img src="actions.png" loading="lazy" alt="One row of dreamt frames for each action"></div></figure>
    </section>
    """
  }

  private var curveSection: HTML {
    guard let curve, let random = dream.other("random") else { return "" }
    return """
      <section>
      <h2>How it learned</h2>
      <p>Mean return of the episodes that ended in each rollout, over steps of practice; the dashed line is what random \
      actions earn.</p>
      \(curve.drawing(baseline: random.evaluation.meanReturn.value))
      </section>
      """
  }

  private var methodSection: HTML {
    var rows: [(String, String)] = [
      (
        "world", "\(world.manifest.name), \(world.actions) latent actions, \(world.levels.clips) start frames"
      ),
      ("policy", "learned in \(policy.environment), \(grouped(policy.steps)) steps, seed \(policy.seed)"),
      (
        "its actions",
        choice == .sampled ? "drawn from its distribution, as in training" : "the likeliest one"
      ),
      (
        "episodes",
        "\(seeds.count) a policy, seeds \(grouped(seeds.lowerBound)) to \(grouped(seeds.upperBound - 1))"
      ),
      ("intervals", "hold the true value with 95% confidence: 2000 bootstrap resamples of the episodes"),
      (
        "beats",
        "the probability that one of its episodes earns more than one of the other's, equal ones counted "
          + "half, is above one half with 95% confidence"
      ),
    ]
    if let training = world.manifest.training {
      rows.insert(
        (
          "world model",
          "\(training.command), \(Int((training.seconds / 60).rounded())) minutes on "
            + "\(training.processors) threads"
        ), at: 1)
    }
    let constant = game?.other("constant").map {
      ("best constant", "\($0.title): of all constant actions the one that earned most here")
    }
    if let constant { rows.append(constant) }
    return """
      <section>
      <h2>How this was measured</h2>
      <dl>\(rows.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" as HTML })</dl>
      <p class="sans" style="font-size:0.88rem;color:var(--quiet)">All figures are in <a href="report.json" \
      style="color:inherit">report.json</a>.</p>
      </section>
      """
  }

  /// With spaces between thousands.
  private func grouped(_ number: some BinaryInteger) -> String {
    var digits = String(number)
    var place = digits.count - 3
    while place > 0 {
      digits.insert("\u{202F}", at: digits.index(digits.startIndex, offsetBy: place))
      place -= 3
    }
    return digits
  }
}
