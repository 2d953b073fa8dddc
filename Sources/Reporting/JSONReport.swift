import Foundation
import Safetensors

/// The figures of a run as nested JSON objects, for `--json FILE`.
///
/// ```swift
/// var report = JSONReport()
/// report["evaluation", "dream", "mean_return"] = .number(7.5)
/// try report.write(to: url)
/// ```
public struct JSONReport: Sendable, Equatable {
  /// The outermost object.
  public private(set) var figures: [String: JSONValue]

  public init(_ figures: [String: JSONValue] = [:]) { self.figures = figures }

  /// The value at a path of keys. Setting one makes the objects on the way and replaces whatever else stood
  /// there; setting nil removes it.
  public subscript(path: String...) -> JSONValue? {
    get { Self.value(at: path[...], in: .object(figures)) }
    set {
      precondition(!path.isEmpty, "a figure needs a name")
      Self.set(newValue, at: path[...], in: &figures)
    }
  }

  /// Indented JSON with sorted keys and a final newline: equal reports are equal texts.
  public var text: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    guard let data = try? encoder.encode(JSONValue.object(figures)) else {
      preconditionFailure("every JSONValue can be encoded")
    }
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  /// Writes ``text`` atomically.
  /// - Throws: `AtomicFileError`
  public func write(to url: URL) throws(AtomicFileError) {
    try AtomicFile.write(Array(text.utf8), to: url)
  }

  private static func value(at path: ArraySlice<String>, in value: JSONValue) -> JSONValue? {
    guard let key = path.first else { return value }
    guard case .object(let object) = value, let next = object[key] else { return nil }
    return Self.value(at: path.dropFirst(), in: next)
  }

  private static func set(
    _ value: JSONValue?, at path: ArraySlice<String>, in object: inout [String: JSONValue]
  ) {
    let key = path[path.startIndex]
    guard path.count > 1 else {
      object[key] = value
      return
    }
    var inner: [String: JSONValue] = [:]
    if case .object(let existing)? = object[key] { inner = existing }
    set(value, at: path.dropFirst(), in: &inner)
    object[key] = .object(inner)
  }
}
