import Foundation
import GeneratedWorlds
import Reporting
import Video

/// What `genie measure` found out by reading a game's frames, as rows of a table and as drawings.
struct PlayedGame {
  let measurement: GameMeasurement
  /// Who played, and what became of the worlds.
  let plays: [(name: String, play: FreePlay)]

  func fill(_ table: inout Table) {
    func decimal(_ value: Double) -> String { String(format: "%.3f", value) }
    if let purity = measurement.purity {
      table.append(["action purity", decimal(purity.accuracy)])
      table.append(["actions stand for", purity.effects.map(\.name).joined(separator: " ")])
    }
    if let consistency = measurement.consistency {
      table.append([
        "action consistency",
        "\(decimal(consistency.lowest)) (\(consistency.distinctEffects) effects, \(consistency.starts) starts)",
      ])
      table.append([
        "in the dream",
        consistency.effects.map { "\($0.effect.name) \(decimal($0.share))" }.joined(separator: " "),
      ])
    }
    if let barred = measurement.barred {
      let shares = BarredActions.Situation.allCases.compactMap { situation in
        barred.counts[situation].map { "\(situation.rawValue) \(decimal($0.share)) (\($0.all))" }
      }
      table.append(["barred actions that are", shares.joined(separator: ", ")])
      table.append(["barred ones that do what the game does", decimal(barred.trueStandIns)])
    }
    for score in measurement.rewards {
      table.append(["F1 of \(score.name)", "\(decimal(score.f1)) (\(score.count) events)"])
    }
    table.append([
      "valid when decoded",
      "\(decimal(measurement.decoded.validity)) (last frames \(decimal(measurement.decodedEnds.validity)))",
    ])
    for (name, play) in plays {
      let last = play.validity.count - 1
      for frame in [50, last] where frame <= last {
        table.append(["validity.\(frame), \(name)", decimal(play.validity[frame])])
        table.append(["variety.\(frame), \(name)", decimal(play.variety[frame])])
      }
      let causes = play.firstFlaws.sorted { $0.key.rawValue < $1.key.rawValue }
      table.append([
        "first flaws, \(name)",
        ([
          "after the end \(decimal(play.invalidAfterEnd))", "in the open \(decimal(play.invalidInTheOpen))",
        ]
          + causes.map { "\($0.key.rawValue) \(decimal($0.value))" })
          .joined(separator: ", "),
      ])
      if !play.stepsByOutcome.isEmpty {
        let steps = play.stepsByOutcome.sorted { $0.value.all > $1.value.all }
        table.append([
          "steps by what the game makes of them (all; flawed, over), \(name)",
          steps.map { "\($0.key) (\($0.value.all); \($0.value.flawed), \($0.value.over))" }
            .joined(separator: ", "),
        ])
      }
    }
    if let levels = measurement.levels {
      table.append([
        "levels dreamt from nothing",
        "valid \(decimal(levels.validity ?? 0)), distinct \(decimal(levels.distinct)), variety \(decimal(levels.variety ?? 0))",
      ])
    }
    if let memory = measurement.memory {
      let trips = memory.trips.map { "\($0.frames): \(decimal($0.remembered)) (\($0.worlds))" }
      table.append(["remembered after so many frames there and back (worlds)", trips.joined(separator: ", ")])
    }
    table.append(["variety of real frames", decimal(measurement.realVariety)])
  }

  /// Writes the curves, and the moments in which worlds ceased to be the game's.
  func draw(into folder: URL) throws {
    var chart = LineChart(title: "Share of worlds that are still the game's", x: "frame", range: 0...1)
    for (name, play) in plays {
      chart.append("validity, \(name)", play.validity)
      chart.append("variety, \(name)", play.variety, isDashed: true)
    }
    if let levels = measurement.levels {
      try PNG.write(levels.sheet(), to: folder.appending(path: "levels.png"))
    }
    for (name, frames) in [("decoded", measurement.decoded), ("decoded-ends", measurement.decodedEnds)]
    where !frames.spoilt.isEmpty {
      try PNG.write(frames.sheet(), to: folder.appending(path: "\(name).png"))
    }
    try chart.write(to: folder.appending(path: "validity.svg"))
    for (name, play) in plays where !play.failures.isEmpty {
      try PNG.write(play.failureSheet(), to: folder.appending(path: "failures-\(name).png"))
    }
  }
}
