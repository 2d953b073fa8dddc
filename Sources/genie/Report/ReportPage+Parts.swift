import Foundation
import ReinforcementLearning
import Reporting

extension ReportPage {
  func card(_ title: String, _ comparison: Comparison) -> HTML {
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

  func scores(_ comparison: Comparison) -> HTML {
    // The expert knows what no policy can see; on its scale the others would be one point.
    let estimates = comparison.contenders.filter { $0.key != "expert" }.map(\.evaluation.meanReturn)
    let low = min(0, estimates.map(\.low).min() ?? 0)
    let top = max(estimates.map(\.high).max() ?? 1, low + 0.01)
    let high = top + 0.03 * (top - low)
    func place(_ value: Double) -> String { String(format: "%.2f%%", 100 * (value - low) / (high - low)) }
    let rows = comparison.contenders.map { contender -> HTML in
      let evaluation = contender.evaluation
      let mean = evaluation.meanReturn
      let played = evaluation.episodes.count - evaluation.faults
      let successes = evaluation.episodes.count { $0.success == true }
      let flags = evaluation.successRate == nil ? "" : "\(successes) of \(played)"
      let width = String(format: "%.2f%%", 100 * (mean.high - mean.low) / (high - low))
      let mark: HTML =
        mean.high > high
        ? "<span class=\"beyond\" title=\"beyond this scale\">→</span>"
        : """
        <i class="band" style="left:\(place(mean.low));width:\(width)"></i>\
        <i class="dot" style="left:\(place(mean.value))"></i>
        """
      return """
        <tr class="\(contender.key)"><td>\(contender.title)</td>\
        <td class="plot"><div class="track">\(mark)</div></td>\
        <td class="mean">\(decimal(mean.value))</td>\
        <td class="interval" data-label="95%:">\(decimal(mean.low)) to \(decimal(mean.high))</td>\
        <td class="length" data-label="steps:">\(Int(evaluation.meanLength.rounded()))</td>\
        <td class="success" data-label="flag:">\(flags)</td></tr>

        """
    }
    return """
      <table><thead><tr><th>policy</th><th></th><th>mean return</th><th>95% interval</th><th>steps</th>\
      <th>\(comparison.trained.evaluation.successRate == nil ? "" : "reached the flag")</th></tr></thead>
      <tbody>\(rows)</tbody></table>
      """
  }

  func films(_ comparison: Comparison, name: String) -> HTML { Film.gallery(comparison.films, name: name) }
}

extension Film {
  /// Films beside each other over a sheet of their frames; the pictures are `NAME.png` and `NAME-FILM.png`.
  static func gallery(_ films: [Film], name: String) -> HTML {
    guard !films.isEmpty else { return "" }
    let figures = films.map { film -> HTML in
      let strip = film.strip
      let result = film.result
      let end = result.success == true ? "success" : result.terminated ? "ended" : "time is up"
      return """
        <figure><div class="film" role="img" aria-label="The \(film.name) episode" \
        style="--strip:url(\(name)-\(film.name).png);--frames:\(strip.frames);\
        --seconds:\(String(format: "%.1fs", strip.seconds))"></div>
        <figcaption><b>\(film.name)</b> · return \(String(format: "%g", result.return)) · \
        \(result.length) steps · \(end)</figcaption></figure>

        """
    }
    return """
      <div class="films">\(figures)</div>
      <figure><div class="sheet"><img src="\(name).png" loading="lazy" \
      alt="Frames of the episodes, from left to right"></div>
      <figcaption>The same episodes, from their first to their last frame.</figcaption></figure>
      """
  }
}
