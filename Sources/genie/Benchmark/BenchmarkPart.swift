import Foundation
import Reporting

/// What one part of the benchmark found out.
struct BenchmarkPart {
  struct Figure {
    let name: String
    let value: Double
    let unit: String
  }

  let name: String
  /// What was measured, and how.
  var configuration: [String: JSONValue]
  var figures: [Figure] = []
  /// Tables beside the figures, under a title, and the same as JSON.
  var tables: [(title: String, table: Table)] = []
  var details: [String: JSONValue] = [:]

  mutating func append(_ name: String, _ value: Double, _ unit: String) {
    figures.append(Figure(name: name, value: value, unit: unit))
  }

  /// The rate of the whole, where it is known, what share of the possible it is, and whether the machine was calm.
  mutating func append(flops: Double?, peak: PeakRate) {
    if let flops { append("gflops", flops * 1e-9, "GFLOP/s of the model") }
    append("peak_gflops", peak.best * 1e-9, "GFLOP/s that the processor can do")
    if let flops { append("fraction_of_peak", flops / peak.best, "of that") }
    let warning = peak.calm < 0.95 ? ": something else was running, measure again" : ""
    append("calm", peak.calm, "of the processors were ours\(warning)")
  }

  /// The profile of some steps, as a table and as JSON.
  mutating func append(_ profile: ProfileTable) {
    tables.append((profile.title, profile.table))
    details["profile"] = profile.json
  }

  var text: String {
    let settings = configuration.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.short)" }
    var parts = ["\(name): " + settings.joined(separator: ", ")]
    if !figures.isEmpty {
      var table = Table(["figure", "value", "unit"])
      for figure in figures { table.append([figure.name, Self.number(figure.value), figure.unit]) }
      parts.append("\(table)")
    }
    for (title, table) in tables { parts.append("\(title)\n\(table)") }
    return parts.joined(separator: "\n\n")
  }

  var json: JSONValue {
    var object = details
    for figure in figures { object[figure.name] = .number(figure.value) }
    object["configuration"] = .object(configuration)
    return .object(object)
  }

  /// Three digits, or all before the point.
  static func number(_ value: Double) -> String {
    let magnitude = abs(value)
    return String(format: magnitude >= 100 ? "%.0f" : magnitude >= 10 ? "%.1f" : "%.3g", value)
  }
}

extension JSONValue {
  /// As a person writes it.
  fileprivate var short: String {
    switch self {
    case .string(let text): text
    case .integer(let value): "\(value)"
    case .number(let value): BenchmarkPart.number(value)
    case .bool(let value): "\(value)"
    case .null, .array, .object: "..."
    }
  }
}
