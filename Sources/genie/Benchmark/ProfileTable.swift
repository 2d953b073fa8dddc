import Autograd
import Foundation
import Reporting

/// Where the time of a step goes, the dearest operation first.
struct ProfileTable {
  let title: String
  private let rows: [(name: String, entry: Profile.Entry)]
  private let steps: Double

  /// - Parameters:
  ///   - profiles: one a worker.
  ///   - steps: over which the profiles were taken.
  init(_ title: String, _ profiles: [Profile], steps: Int) {
    let sum = Profile()
    for profile in profiles { sum.add(profile) }
    rows = sum.entries.map { (name: $0.key, entry: $0.value) }
      .sorted { ($0.entry.seconds, $1.name) > ($1.entry.seconds, $0.name) }
    self.steps = Double(max(1, steps))
    self.title = title
  }

  private var total: Double { max(rows.reduce(0) { $0 + $1.entry.seconds }, 1e-12) }

  var table: Table {
    var table = Table(["operation", "calls", "ms", "share", "GFLOP/s"])
    func append(_ name: String, _ entry: Profile.Entry) {
      table.append([
        name, String(format: "%.4g", Double(entry.calls) / steps),
        String(format: "%.3f", entry.seconds / steps * 1e3),
        String(format: "%.1f%%", 100 * entry.seconds / total),
        entry.flops > 0 ? String(format: "%.0f", entry.flops / entry.seconds * 1e-9) : "",
      ])
    }
    for (name, entry) in rows { append(name, entry) }
    let sum = rows.reduce(into: Profile.Entry()) {
      $0.calls += $1.entry.calls
      $0.seconds += $1.entry.seconds
      $0.flops += $1.entry.flops
    }
    append("all", sum)
    return table
  }

  var json: JSONValue {
    .object(
      Dictionary(
        rows.map { name, entry in
          var value: [String: JSONValue] = [
            "calls": .number(Double(entry.calls) / steps),
            "milliseconds": .number(entry.seconds / steps * 1e3), "share": .number(entry.seconds / total),
          ]
          if entry.flops > 0 { value["gflops"] = .number(entry.flops / entry.seconds * 1e-9) }
          return (name, .object(value))
        }, uniquingKeysWith: { $1 }))
  }
}
