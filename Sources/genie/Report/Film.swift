import Environments
import ReinforcementLearning
import Video

/// An episode as it was seen: to be played by the page, and laid out in a sheet.
struct Film {
  /// `best`, `median` or `worst`.
  let name: String
  let result: EpisodeResult
  let frames: [Picture]
  let frameRate: Double

  /// Frames that a moving strip holds: browsers draw no picture that is much wider.
  private static let longestStrip = 120
  /// Frames of a row in a sheet.
  static let columns = 12

  /// The best, the median and the worst episode, by return; of equal returns, the sooner earned is the better one.
  static func chosen(_ results: [EpisodeResult]) -> [(name: String, index: Int)] {
    let ranking = results.indices.filter { results[$0].fault == nil }.sorted {
      (results[$0].return, -results[$0].length) > (results[$1].return, -results[$1].length)
    }
    guard let best = ranking.first, let worst = ranking.last else { return [] }
    var chosen = [(name: "best", index: best)]
    if ranking.count > 2 { chosen.append(("median", ranking[ranking.count / 2])) }
    if ranking.count > 1 { chosen.append(("worst", worst)) }
    return chosen
  }

  /// Plays the best, the median and the worst episode again and keeps what is seen. An episode follows from
  /// its start alone, so that it is the same one.
  static func record(
    _ evaluation: Evaluation, _ results: [EpisodeResult], _ policy: any Policy, _ pool: any EnvironmentPool
  ) throws -> [Film] {
    let chosen = chosen(results)
    var again = evaluation
    again.starts = chosen.map { evaluation.starts[$0.index] }
    var episodes: [UInt64: RecordedEpisode] = [:]
    let recording = Recording(pool) { episode in
      if let seed = episode.seed { episodes[seed] = episode }
    }
    _ = try again.run(policy, on: recording)
    return chosen.compactMap { name, index in
      guard let episode = episodes[evaluation.starts[index].seed] else { return nil }
      return Film(
        name: name, result: results[index], frames: pictures(episode),
        frameRate: pool.specification.frameRate)
    }
  }

  /// The same of episodes of which the actions were kept.
  static func replay(_ episodes: [Proctor.Record], of evaluation: Evaluation, in pool: any EnvironmentPool)
    throws -> [Film]
  {
    try chosen(episodes.map(\.result)).map { name, index in
      let start = evaluation.starts[index]
      var environment = try Environment(pool, options: OpenOptions(horizon: evaluation.horizon))
      defer { environment.close() }
      try environment.reset(ResetOptions(seed: start.seed, level: start.level, prompt: start.prompt))
      let space = pool.specification.observationSpace
      var frames = [Picture(height: space.height, width: space.width, pixels: Array(environment.observation))]
      for action in episodes[index].actions {
        _ = try environment.step(action)
        frames.append(
          Picture(height: space.height, width: space.width, pixels: Array(environment.observation)))
      }
      return Film(
        name: name, result: episodes[index].result, frames: frames, frameRate: pool.specification.frameRate)
    }
  }

  private static func pictures(_ episode: RecordedEpisode) -> [Picture] {
    let space = episode.observationSpace
    return (0..<episode.frameCount).map { frame in
      Picture(
        height: space.height, width: space.width,
        pixels: Array(episode.frames[frame * space.byteCount..<(frame + 1) * space.byteCount]))
    }
  }

  /// Every n-th frame, and the last.
  private func spread(over count: Int) -> [Picture] {
    let step = max(1, (frames.count + count - 3) / max(1, count - 1))
    let picked = stride(from: 0, to: frames.count - 1, by: step).map { frames[$0] }
    return picked + frames.suffix(1)
  }

  /// Side by side without gaps, to be moved past a window of one frame; the last is held for a second.
  var strip: (picture: Picture, frames: Int, seconds: Double) {
    let picked = spread(over: Self.longestStrip)
    let frameSeconds = Double(frames.count) / frameRate / Double(picked.count)
    let held = picked + repeatElement(frames[frames.count - 1], count: Int((1 / frameSeconds).rounded(.up)))
    var sheet = ContactSheet(scale: 1, margin: 0)
    sheet.append("", held)
    return (sheet.picture(), held.count, Double(held.count) * frameSeconds)
  }

  /// A row for each film.
  static func sheet(_ films: [Film]) -> Picture {
    var sheet = ContactSheet(scale: 1, margin: 2)
    for film in films { sheet.append(film.name, film.spread(over: columns)) }
    return sheet.picture().enlarged(by: 2)
  }
}
