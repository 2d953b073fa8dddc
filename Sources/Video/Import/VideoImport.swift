import Foundation

/// Imports videos and folders of pictures as a folder of clip shards.
///
/// Frames stream through: memory holds a shard or two, however long the video is. The folder is there whole or
/// not at all. Each input begins a shard of its own.
public struct VideoImport {
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
  private let searchPath: String

  public init(_ options: ImportOptions = ImportOptions()) {
    self.init(options, searchPath: ProcessInfo.processInfo.environment["PATH"] ?? "")
  }

  init(_ options: ImportOptions, searchPath: String) {
    self.options = options
    self.searchPath = searchPath
  }

  /// - Parameters:
  ///   - inputs: video files, folders of PNG files (one video each) and folders of video files.
  ///   - target: a folder that does not exist yet, or is empty.
  ///   - progress: called after every frame.
  /// - Throws: ``ImportError``; nothing is left behind then.
  public func run(
    _ inputs: [URL], to target: URL, progress: (Progress) -> Void = { _ in }
  ) throws(ImportError) -> CurationReport {
    var expanded: [Input] = []
    for input in inputs { expanded += try Self.expanded(input) }
    let writer = try clips { () throws(ClipError) in try ClipFolderWriter(target) }
    var report = CurationReport()
    for (index, input) in expanded.enumerated() {
      let source = try source(input)
      var metadata = ["source": URL(filePath: source.path).lastPathComponent]
      if let rate = source.framesPerSecond { metadata["fps"] = "\(rate)" }
      var curator = Curator(options: options, metadata: metadata) { clip throws(ImportError) in
        try clips { () throws(ClipError) in try writer.append(clip) }
      }
      let before = report.total.read
      while let frame = try source.next() {
        try curator.append(frame)
        progress(
          Progress(
            path: source.path, frames: before + curator.counts.read,
            // As if the inputs to come were as long as those so far.
            expected: source.expectedFrames.map { (before + $0) * expanded.count / (index + 1) }))
      }
      try curator.finish()
      report.sources.append(
        CurationReport.Source(
          path: source.path, framesPerSecond: source.framesPerSecond, counts: curator.counts,
          samples: curator.samples, warning: source.warning))
    }
    guard writer.shardCount > 0 else { throw .nothingLeft(report) }
    try clips { () throws(ClipError) in try writer.finish() }
    return report
  }

  private enum Input {
    case video(URL)
    case pictures(folder: URL, files: [URL])
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
