import Foundation
import Safetensors

/// What a long work was begun with, kept in the folder of what it has done: so that nobody goes on with it as with another.
public enum KeptSettings {
  private static let file = "settings.json"

  /// Keeps the settings of a work that begins; of one that was begun, holds them against those that it was begun with.
  /// - Parameters:
  ///   - settings: all that decides what is kept, by names that a user knows.
  ///   - folder: made where it is missing.
  ///   - isBegun: whether the folder holds anything that would be gone on with; else settings of a work that is done are replaced.
  /// - Throws: ``OtherSettings`` for the first that differs, or what is thrown when the folder cannot be written.
  public static func check(_ settings: [String: String], in folder: URL, isBegun: Bool = true) throws {
    let file = folder.appending(path: file)
    if isBegun, let data = try? Data(contentsOf: file),
      let kept = try? JSONDecoder().decode([String: String].self, from: data)
    {
      for name in Set(kept.keys).union(settings.keys).sorted() where kept[name] != settings[name] {
        throw OtherSettings(
          folder: folder.relativePath, name: name, was: kept[name] ?? "none", now: settings[name] ?? "none")
      }
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try AtomicFile.write(Array(try encoder.encode(settings)), to: file)
  }
}

/// A folder holds work that was begun with other settings.
public struct OtherSettings: Error, Sendable, Equatable, CustomStringConvertible {
  public var folder: String
  public var name: String
  public var was: String
  public var now: String

  public var description: String {
    "\(folder) holds what was begun with another \(name): \(was), and not \(now); name another folder, or remove this one"
  }
}
