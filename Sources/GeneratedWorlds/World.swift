import Autograd
import Foundation
import NeuralNetwork
import Safetensors
import Video
import WorldModel

/// Why a world cannot be read or written.
public enum WorldError: Error, Sendable, CustomStringConvertible {
  case missing(path: String)
  case noManifest(path: String)
  case badManifest(path: String, reason: String)
  case newerFormat(path: String, format: Int, known: Int)
  case damaged(path: String, file: String)
  case model(path: String, GenieError)
  case levels(path: String, ClipError)
  case unwritable(path: String, reason: String)
  case noBundledWorld
  /// Video of another size.
  case otherFrames(world: String, height: Int, width: Int)
  /// Some of the game's actions are no latent action's, or nobody ever told which they are.
  case noButtons(world: String)

  public var description: String {
    switch self {
    case .missing(let path): "\(path): no such world; a world is a folder that 'genie train' makes"
    case .noManifest(let path): "\(path): is no world: it has no world.json"
    case .badManifest(let path, let reason): "\(path)/world.json: \(reason)"
    case .newerFormat(let path, let format, let known):
      "\(path): has format \(format), this version reads up to \(known): update, or train it again"
    case .damaged(let path, let file): "\(path)/\(file): is not the file that the world was made with"
    case .model(let path, let error): "\(path): \(error)"
    case .levels(let path, let error): "\(path): its levels cannot be read: \(error)"
    case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
    case .noBundledWorld: "no world is bundled with this build: name one"
    case .otherFrames(let world, let height, let width):
      "\(world) sees frames of \(height) x \(width): import the video at that size (genie import --size)"
    case .noButtons(let world):
      "\(world) does not know a latent action for each button of the game: it has only latent actions"
    }
  }
}

/// A trained Genie with all that is needed to act in it: a folder `NAME.world/`.
public final class World: Sendable {
  public let genie: Genie
  /// Says what a transition earned; nil leaves reward 0 and no end but the horizon.
  public let rewards: TokenRewardModel?
  /// Finds actions that cannot be done at a frame; nil takes every action as it is.
  public let odds: ActionOdds?
  /// Start frames that were never trained on, `[levels, 1, height, width, 3]`.
  public let levels: FrameBatch
  /// For each level, whether it may be where an episode begins: such a one's age can be told
  /// (``WorldModel/SamplingConfiguration/tellsAge``), that of a frame from later in an episode cannot.
  public let begins: [Bool]
  public let manifest: WorldManifest
  /// What it is sampled at; not a part of the file, since any processor can do with any.
  public let precision: Precision

  /// - Parameter begins: one for each level; nil takes all for such as an episode may begin with.
  public init(
    genie: Genie, rewards: TokenRewardModel?, odds: ActionOdds? = nil, levels: FrameBatch,
    begins: [Bool]? = nil, manifest: WorldManifest, precision: Precision = .preferred
  ) {
    let begins = begins ?? [Bool](repeating: true, count: levels.clips)
    precondition(begins.count == levels.clips, "\(begins.count) of \(levels.clips) levels")
    self.genie = genie
    self.rewards = rewards
    self.odds = odds
    self.levels = levels
    self.begins = begins
    self.manifest = manifest
    self.precision = precision
  }

  /// - Throws: ``WorldError/otherFrames(world:height:width:)`` for video of another size than the world's.
  public func check(_ video: ClipFolder) throws(WorldError) {
    let size = genie.configuration.tokenizer
    guard video.height == size.height, video.width == size.width else {
      throw .otherFrames(world: manifest.name, height: size.height, width: size.width)
    }
  }

  /// The same world, sampled at another precision.
  public func at(_ precision: Precision) -> World {
    World(
      genie: genie, rewards: rewards, odds: odds, levels: levels, begins: begins, manifest: manifest,
      precision: precision)
  }

  private static let manifestFile = "world.json"
  private static let levelsFile = "levels.safetensors"

  /// Reads a world.
  public convenience init(_ folder: URL) throws(WorldError) {
    let path = folder.path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      throw .missing(path: path)
    }
    guard let text = try? Data(contentsOf: folder.appending(path: Self.manifestFile)) else {
      throw .noManifest(path: path)
    }
    struct Format: Decodable { var format: Int }
    let manifest: WorldManifest
    do {
      let format = try JSONDecoder().decode(Format.self, from: text).format
      guard format <= WorldManifest.currentFormat else {
        throw WorldError.newerFormat(path: path, format: format, known: WorldManifest.currentFormat)
      }
      manifest = try JSONDecoder().decode(WorldManifest.self, from: text)
    } catch let error as WorldError {
      throw error
    } catch {
      throw .badManifest(path: path, reason: "\(error)")
    }
    for (file, hash) in manifest.hashes.sorted(by: { $0.key < $1.key }) {
      guard !file.contains("/"),
        let bytes = try? Data(contentsOf: folder.appending(path: file), options: .mappedIfSafe),
        Self.hash(bytes) == hash
      else { throw .damaged(path: path, file: file) }
    }
    let genie: Genie
    var rewards: TokenRewardModel?
    var odds: ActionOdds?
    do {
      genie = try Genie(folder: folder, sampling: manifest.sampling)
      // What another world left in the folder is none of this one's.
      func isOwn(_ file: String) -> Bool { manifest.hashes.isEmpty || manifest.hashes[file] != nil }
      if isOwn(TokenRewardModel.file) { rewards = try TokenRewardModel.found(in: folder) }
      if isOwn(ActionOdds.file) { odds = try ActionOdds.found(in: folder) }
    } catch { throw .model(path: path, error) }
    let d = genie.configuration.dynamics
    if let r = rewards?.configuration,
      r.rows != d.rows || r.columns != d.columns || r.vocabulary != d.vocabulary
    {
      throw .badManifest(path: path, reason: "its reward model belongs to another tokenizer")
    }
    if let o = odds?.configuration,
      o.rows != d.rows || o.columns != d.columns || o.vocabulary != d.vocabulary || o.actions != d.actions
    {
      throw .badManifest(path: path, reason: "its odds of actions belong to another tokenizer")
    }
    if let map = manifest.actionMap, map.real.count != d.actions {
      throw .badManifest(
        path: path, reason: "its action map has \(map.real.count) entries for \(d.actions) actions")
    }
    if let map = manifest.actionMap,
      let wrong = map.real.first(where: { $0 < 0 || !map.names.isEmpty && $0 >= Int32(map.names.count) })
    {
      throw .badManifest(path: path, reason: "its action map leads to an action \(wrong)")
    }
    guard WorldManifest.frameRates.contains(manifest.frameRate) else {
      throw .badManifest(path: path, reason: "it shows \(manifest.frameRate) frames a second")
    }
    guard manifest.horizon > 0, manifest.actionNames.isEmpty || manifest.actionNames.count == d.actions else {
      throw .badManifest(path: path, reason: "its horizon or action names cannot be")
    }
    let clip: Clip
    do { clip = try ClipShard(folder.appending(path: Self.levelsFile)).clip() } catch {
      throw .levels(path: path, error)
    }
    let t = genie.configuration.tokenizer
    guard clip.height == t.height, clip.width == t.width else {
      throw .badManifest(path: path, reason: "its levels are \(clip.height) x \(clip.width)")
    }
    if let begins = manifest.levelsBegin, begins.count != clip.count {
      throw .badManifest(path: path, reason: "it tells of \(begins.count) levels and has \(clip.count)")
    }
    self.init(
      genie: genie, rewards: rewards, odds: odds,
      levels: FrameBatch(
        clips: clip.count, time: 1, height: clip.height, width: clip.width, bytes: clip.frames),
      begins: manifest.levelsBegin ?? [Bool](repeating: false, count: clip.count), manifest: manifest)
  }

  /// Writes the world; the manifest last, whose hashes say what belongs to it. Where another world was there and the disk is full,
  /// nothing of that is lost before the first of the new files is whole.
  /// - Returns: the world with its files' hashes.
  @discardableResult
  public func save(to folder: URL) throws(WorldError) -> World {
    let path = folder.path
    var manifest = manifest
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try genie.save(to: folder)
      try rewards?.save(to: folder)
      try odds?.save(to: folder)
      let clip = Clip(
        height: levels.height, width: levels.width, frames: levels.bytes,
        episodeStarts: Array(0..<levels.clips))
      try ClipShard.write(clip, to: folder.appending(path: Self.levelsFile))
      var files = Genie.File.allCases.map(\.rawValue) + [Self.levelsFile]
      if rewards != nil { files.append(TokenRewardModel.file) }
      if odds != nil { files.append(ActionOdds.file) }
      manifest.levelsBegin = begins
      manifest.hashes = [:]
      for file in files {
        manifest.hashes[file] = Self.hash(try Data(contentsOf: folder.appending(path: file)))
      }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try AtomicFile.write(try encoder.encode(manifest), to: folder.appending(path: Self.manifestFile))
      // What another world had there, and this one has not.
      for file in [TokenRewardModel.file, ActionOdds.file] where !files.contains(file) {
        try? FileManager.default.removeItem(at: folder.appending(path: file))
      }
    } catch {
      throw .unwritable(path: path, reason: "\(error)")
    }
    return World(
      genie: genie, rewards: rewards, odds: odds, levels: levels, begins: begins, manifest: manifest,
      precision: precision)
  }

  private static func hash(_ bytes: Data) -> String { ContentHash(bytes).description }

  /// Whether first frames were masked in training, so that levels can be dreamt from nothing.
  public var dreamsLevels: Bool { (manifest.training?.configuration.masking.firstFrame ?? 0) > 0 }

  public var actions: Int { genie.configuration.dynamics.actions }
}

extension PreparedGenie {
  /// Of a world, with its odds of actions.
  public init(_ world: World) {
    self.init(world.genie, precision: world.precision, odds: world.odds)
  }
}
