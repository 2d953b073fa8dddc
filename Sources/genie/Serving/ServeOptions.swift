import Foundation

/// The options of `genie serve` in a file.
struct ServeOptions: Decodable {
  var world: String?
  var game: [String]?
  var endpoint: [String]?
  var key: String?
  var allow: String?
  var keep: String?
  var metrics: UInt16?
  var sessionSeconds: Double?
  var batchingMilliseconds: Double?
  var sessions: Int?
  var replicas: Int?
  var workers: Int?
  var jsonLog: Bool?
  var verbose: Bool?
  var clips: [String]?
  var start: [String]?
  var dreamtLevels: Bool?
  var buttons: Bool?
  var repeatLimit: Int?
  var temperature: Float?
  var leastShare: Float?
  var pilots: Int?
  var leastOdds: Float?
  var tellAge: Bool?

  enum CodingKeys: CodingKey, CaseIterable {
    case world, game, endpoint, key, allow, keep, metrics, sessionSeconds, batchingMilliseconds, sessions,
      replicas, workers, jsonLog, verbose, clips, start, dreamtLevels, buttons, repeatLimit, temperature,
      leastShare, pilots, leastOdds,
      tellAge
  }

  /// What is wrong with such a file.
  enum Failure: Error, Equatable, CustomStringConvertible {
    case unreadable(file: String)
    /// Not a JSON object, or an option's value is of another type.
    case malformed(file: String, option: String?)
    case unknown(file: String, options: [String])

    var description: String {
      switch self {
      case .unreadable(let file): "\(file): cannot be read"
      case .malformed(let file, nil): "\(file) is not a JSON object of options"
      case .malformed(let file, let option?): "\(file): the value of \(option) is none"
      case .unknown(let file, let options):
        "\(file): no such option: \(options.joined(separator: ", ")); there are "
          + CodingKeys.allCases.map(\.stringValue).joined(separator: ", ")
      }
    }
  }

  /// Reads a file of options.
  init(_ file: URL) throws(Failure) {
    guard let data = try? Data(contentsOf: file) else { throw .unreadable(file: file.path) }
    guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw .malformed(file: file.path, option: nil)
    }
    // A name that is misspelt would else be left out in silence.
    let unknown = object.keys.filter { CodingKeys(stringValue: $0) == nil }.sorted()
    guard unknown.isEmpty else { throw .unknown(file: file.path, options: unknown) }
    do {
      self = try JSONDecoder().decode(ServeOptions.self, from: data)
    } catch DecodingError.typeMismatch(_, let context) {
      throw .malformed(file: file.path, option: context.codingPath.first?.stringValue)
    } catch {
      throw .malformed(file: file.path, option: nil)
    }
  }
}
