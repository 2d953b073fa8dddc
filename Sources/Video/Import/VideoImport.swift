import Foundation
import Safetensors

/// Imports videos and folders of pictures as a folder of clip shards.
///
/// Frames stream through: memory holds a shard or two of each input that is read at the time, however long the video is.
/// The folder is there whole or not at all. Each input begins a shard of its own.
public struct VideoImport: Sendable {
  /// Files with these extensions are taken for videos when a folder is imported; a file named by itself may
  /// have any name.
  static let videoExtensions: Set<String> = [
    "mp4", "m4v", "mov", "mkv", "webm", "avi", "gif", "mpg", "mpeg", "ts", "wmv", "flv", "ogv", "apng",
  ]

  /// Where an import is, for a progress bar.
  public struct Progress: Sendable {
    /// The input that is read.
    public let path: String
    /// Frames read so far, of all inputs.
    public let frames: Int
    /// A guess of the frames of all inputs.
    public let expected: Int?
  }

  private let options: ImportOptions
  private let workers: Int
  private let searchPath: String

  /// - Parameter workers: inputs that are read at the same time.
  public init(_ options: ImportOptions = ImportOptions(), workers: Int = 1) {
    self.init(options, workers: workers, searchPath: ProcessInfo.processInfo.environment["PATH"] ?? "")
  }

  init(_ options: ImportOptions, workers: Int = 1, searchPath: String) {
    precondition(workers > 0, "\(workers) workers")
    self.options = options
    self.workers = workers
    self.searchPath = searchPath
  }

  /// - Parameters:
  ///   - inputs: video files, folders of PNG files (one video each) and folders of video files.
  ///   - target: a folder that does not exist yet, or is empty.
  ///   - resumes: keeps the inputs that were finished when the import fails or is killed, and goes on with those that an
  ///     earlier one left. (Of these the report has no samples.)
  ///   - progress: called after every frame, never twice at the same time.
  /// - Throws: ``ImportError``; nothing is left behind then, unless `resumes`.
  public func run(
    _ inputs: [URL], to target: URL, resumes: Bool = false, progress: (Progress) -> Void = { _ in }
  ) throws(ImportError) -> CurationReport {
    var expanded: [Input] = []
    for input in inputs { expanded += try Self.expanded(input) }
    // Threads write parts of their own, and tell of their progress one at a time.
    nonisolated(unsafe) let writer = try clips { () throws(ClipError) in
      try ClipFolderWriter(target, keepsUnfinished: resumes)
    }
    let count = expanded.count
    writer.discard { $0 >= count }
    let state = State(inputs: expanded.count)
    withoutActuallyEscaping(progress) { progress in
      nonisolated(unsafe) let progress = progress
      DispatchQueue.concurrentPerform(iterations: min(workers, expanded.count)) { [expanded] _ in
        while let index = state.takeInput() {
          do throws(ImportError) {
            let (part, samples) = try run(expanded[index], index, writer, state, progress)
            state.finish(index, part, samples)
          } catch { state.fail(error) }
        }
      }
    }
    let report = try state.report()
    guard report.total.kept > 0 else { throw .nothingLeft(report) }
    try clips { () throws(ClipError) in try writer.finish() }
    return report
  }

  /// What is remembered of an input that is imported.
  struct Part: Codable {
    /// Tells inputs and options apart.
    var key: String
    var path: String
    var framesPerSecond: Double?
    var counts: CurationReport.Counts
    var shards: Int
    var warning: String?
  }

  /// Imports one input, or finds that this was done.
  private func run(
    _ input: Input, _ index: Int, _ writer: ClipFolderWriter, _ state: State, _ progress: (Progress) -> Void
  ) throws(ImportError) -> (Part, [CurationReport.Sample]) {
    let key = "\(input.identity), \(options)"
    if let done = writer.record(of: index, Part.self, shards: \.shards), done.key == key {
      state.read(done.counts.read, of: done.path, expected: done.counts.read, at: index, progress)
      return (done, [])
    }
    // Of other options, or of a file that was changed since.
    writer.discard { $0 == index }
    let source = try source(input)
    // Nobody knows where in an episode a video begins, or goes on after a cut.
    var metadata = ["source": URL(filePath: source.path).lastPathComponent, "begins": "anywhere"]
    if let rate = source.framesPerSecond { metadata["fps"] = "\(rate)" }
    var shards = 0
    var curator = Curator(options: options, metadata: metadata) { clip throws(ImportError) in
      try clips { () throws(ClipError) in try writer.append(clip, part: index, shard: shards) }
      shards += 1
    }
    while !state.hasFailed, let frame = try source.next() {
      try curator.append(frame)
      state.read(
        curator.counts.read, of: source.path, expected: source.expectedFrames, at: index, progress)
    }
    try curator.finish()
    let part = Part(
      key: key, path: source.path, framesPerSecond: source.framesPerSecond, counts: curator.counts,
      shards: shards, warning: source.warning)
    if !state.hasFailed { try clips { () throws(ClipError) in try writer.complete(part: index, part) } }
    return (part, curator.samples)
  }

  private enum Input: Sendable {
    case video(URL)
    case pictures(folder: URL, files: [URL])

    /// Another one where the file was changed since.
    var identity: String {
      func of(_ url: URL) -> String {
        // A URL may remember what it was asked before.
        let attributes = (try? FileManager.default.attributesOfItem(atPath: url.path)) ?? [:]
        let date = (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        return "\(url.path) \(attributes[.size] ?? 0) \(date)"
      }
      switch self {
      case .video(let url): return of(url)
      case .pictures(_, let files): return "\(ContentHash(files.map(of).joined(separator: "\n").utf8))"
      }
    }
  }

  /// A file is a video; a folder is its pictures as one video, or else its videos.
  private static func expanded(_ url: URL) throws(ImportError) -> [Input] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
      throw .missing(path: url.path)
    }
    guard isFolder.boolValue else { return [.video(url)] }
    let pictures = naturallySorted(folder: url, extensions: ["png"])
    if !pictures.isEmpty { return [.pictures(folder: url, files: pictures)] }
    let videos = naturallySorted(folder: url, extensions: videoExtensions)
    guard !videos.isEmpty else { throw .emptyFolder(path: url.path) }
    return videos.map { .video($0) }
  }

  private func source(_ input: Input) throws(ImportError) -> any FrameSource {
    switch input {
    case .pictures(let folder, let files):
      PictureSequence(folder: folder, files: files, options: options)
    case .video(let url):
      try VideoFile(url, options: options, ffmpeg: FFmpeg(searchPath: searchPath))
    }
  }

  private func clips<Result>(_ body: () throws(ClipError) -> Result) throws(ImportError) -> Result {
    do throws(ClipError) {
      return try body()
    } catch {
      throw .clips(error)
    }
  }
}

extension VideoImport {
  /// Where the threads of an import are.
  private final class State: @unchecked Sendable {
    private let lock = NSLock()
    private let inputs: Int
    private var next = 0
    private var failure: ImportError?
    private var sources: [CurationReport.Source?]
    /// Samples of a reason, of all inputs together.
    private static let sampleLimit = 192
    /// Frames of each input that was begun: those read, and a guess of all.
    private var frames: [Int: (read: Int, expected: Int?)] = [:]

    init(inputs: Int) {
      self.inputs = inputs
      sources = Array(repeating: nil, count: inputs)
    }

    /// The next input that nobody reads; nil where there is none, or another one failed.
    func takeInput() -> Int? {
      lock.withLock {
        guard next < inputs, failure == nil else { return nil }
        defer { next += 1 }
        return next
      }
    }

    var hasFailed: Bool { lock.withLock { failure != nil } }

    func fail(_ error: ImportError) { lock.withLock { failure = failure ?? error } }

    func read(
      _ count: Int, of path: String, expected: Int?, at index: Int, _ progress: (Progress) -> Void
    ) {
      lock.withLock {
        frames[index] = (count, expected)
        let known = frames.values.compactMap(\.expected)
        progress(
          Progress(
            path: path, frames: frames.values.reduce(0) { $0 + $1.read },
            // As if the inputs to come were as long as those so far.
            expected: known.count == frames.count ? known.reduce(0, +) * inputs / frames.count : nil))
      }
    }

    func finish(_ index: Int, _ part: Part, _ samples: [CurationReport.Sample]) {
      lock.withLock {
        sources[index] = CurationReport.Source(
          path: part.path, framesPerSecond: part.framesPerSecond, counts: part.counts, samples: samples,
          warning: part.warning)
        for reason in CurationReport.Reason.allCases { thin(reason) }
      }
    }

    /// What is kept to look at does not grow with the number of inputs.
    private func thin(_ reason: CurationReport.Reason) {
      let count = sources.reduce(0) { $0 + ($1?.samples.count { $0.reason == reason } ?? 0) }
      guard count > Self.sampleLimit else { return }
      var seen = 0
      for index in sources.indices {
        sources[index]?.samples.removeAll {
          guard $0.reason == reason else { return false }
          seen += 1
          return seen.isMultiple(of: 2)
        }
      }
    }

    func report() throws(ImportError) -> CurationReport {
      if let failure = lock.withLock({ failure }) { throw failure }
      var report = CurationReport()
      report.sources = lock.withLock { sources.map { $0! } }
      return report
    }
  }
}
