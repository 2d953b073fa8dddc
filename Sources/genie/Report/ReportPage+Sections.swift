import Environments
import Reporting

extension ReportPage {
  private var learnedHere: Bool { policy.environment == world.manifest.name }

  var header: HTML {
    let source = world.manifest.training.map { record in
      ", a world that a model dreams after watching \(grouped(record.frames)) frames of \(record.source)"
    }
    let transfer = game == nil ? "" : " It never saw the game itself. Then it was put into it, unchanged."
    let cards = [card("In the dream", dream)] + (game.map { [card("In the real game", $0)] } ?? [])
    return """
      <header>
      <div class="overline">\(world.manifest.name)</div>
      <h1>\(learnedHere ? "An agent that learned in a dream" : "An agent in a dream")</h1>
      <p class="lead">It practised for \(grouped(policy.steps)) steps in \(policy.environment)\
      \(learnedHere ? source ?? "" : "").\(learnedHere ? transfer : "")</p>
      <div class="cards">\(cards)</div>
      </header>
      """
  }

  var dreamSection: HTML {
    """
    <section>
    <h2>In the dream</h2>
    <p>\(seeds.count) episodes that begin with the world's \(world.levels.clips) start frames in turn, none \
    of which a model was trained on, and last at most \(world.manifest.horizon) steps. What is seen, earned \
    and lost here is what the world model imagines.</p>
    \(scores(dream))
    \(films(dream, name: "dream"))
    </section>
    """
  }

  var gameSection: HTML {
    guard let game else {
      return "<section><h2>In the real game</h2><p>Not played: \(obstacle ?? "")</p></section>"
    }
    let sentences = game.verdicts.filter { $0.other.key != "expert" }.map { "<p>\($0.sentence)</p>" as HTML }
    return """
      <section>
      <h2>In the real game</h2>
      <p>The same policy in \(game.environment), on \(seeds.count) levels that were in no video: numbers \
      \(grouped(seeds.lowerBound)) to \(grouped(seeds.upperBound - 1)), where recorded levels are drawn \
      from 63 bits. It still chooses latent actions; the world's action map, learned from \
      \(world.manifest.actionMap?.samples ?? 0) labelled transitions, presses the buttons. A coin earns 1, \
      the flag 10.</p>
      \(scores(game))
      \(sentences)
      \(films(game, name: "game"))
      </section>
      """
  }

  var actionSection: HTML {
    let hasNames = world.manifest.actionMap != nil
    let names = hasNames ? ", and is named after the button that it turned out to be" : ""
    return """
      <section>
      <h2>What the actions do</h2>
      <p>Nobody told the model which actions there are. Each row starts from one picture, dreams six frames \
      with one latent action held\(names).</p>
      <figure><div class="sheet"><img src="actions.png" loading="lazy" \
      alt="One row of dreamt frames for each action"></div></figure>
      </section>
      """
  }

  var curveSection: HTML {
    guard let curve, let random = dream.other("random") else { return "" }
    return """
      <section>
      <h2>How it learned</h2>
      <p>Mean return of the episodes that ended in each rollout, over steps of practice; the dashed line is \
      what random actions earn.</p>
      \(curve.drawing(baseline: random.evaluation.meanReturn.value))
      </section>
      """
  }

  var methodSection: HTML {
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
          "\(training.command), \(String(format: "%.0f", training.seconds / 60)) minutes on "
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
