import ArgumentParser
import Foundation

/// Single values of a configuration, changed from the command line: `--set training.masking.corruption=0.1`.
struct SettingOptions: ParsableArguments {
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Changes one value of the preset, such as training.dynamics.steps=2000, training.masking.actionNoise=0.2 or model.dynamics.blocks=4. May be repeated.",
      valueName: "path=value"))
  var settings: [String] = []

  /// - Parameter values: JSON objects by the first part of a path.
  /// - Returns: those that were asked to be changed, changed.
  func applied<Value: Codable>(to value: Value, named name: String) throws -> Value {
    var value = value
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { throw ValidationError("--set takes PATH=VALUE, not '\(setting)'.") }
      let path = parts[0].split(separator: ".").map(String.init)
      guard path.first == name else { continue }
      let object = try JSONSerialization.jsonObject(with: JSONEncoder().encode(value))
      let wanted =
        (try? JSONSerialization.jsonObject(with: Data(parts[1].utf8), options: .fragmentsAllowed)) ?? parts[1]
      let changed = Self.setting(path.dropFirst(), in: object, to: wanted)
      do {
        value = try JSONDecoder().decode(Value.self, from: JSONSerialization.data(withJSONObject: changed))
      } catch { throw ValidationError("--set \(setting): this is no value for \(parts[0]).") }
      // What is no name of a value is left out silently by the decoder.
      let kept = try JSONSerialization.jsonObject(with: JSONEncoder().encode(value))
      // A null leaves out what can be left out.
      guard wanted is NSNull || Self.value(at: path.dropFirst(), in: kept) != nil else {
        throw ValidationError("--set \(setting): there is no \(parts[0]).")
      }
    }
    return value
  }

  func validate() throws {
    for setting in settings where !setting.hasPrefix("training.") && !setting.hasPrefix("model.") {
      throw ValidationError("--set takes training.NAME=VALUE or model.NAME=VALUE, not '\(setting)'.")
    }
  }

  private static func setting(_ path: ArraySlice<String>, in object: Any, to value: Any) -> Any {
    guard let key = path.first else { return value }
    var fields = object as? [String: Any] ?? [:]
    fields[key] = setting(path.dropFirst(), in: fields[key] ?? [String: Any](), to: value)
    return fields
  }

  private static func value(at path: ArraySlice<String>, in object: Any) -> Any? {
    guard let key = path.first else { return object }
    guard let inner = (object as? [String: Any])?[key] else { return nil }
    return value(at: path.dropFirst(), in: inner)
  }
}
