import Foundation

/// The `ffmpeg` and `ffprobe` executables.
struct FFmpeg {
  /// What ffprobe tells of a video file.
  struct Properties: Equatable {
    let height: Int
    let width: Int
    let framesPerSecond: Double?
    /// In seconds.
    let duration: Double?
  }

  private let ffmpeg: URL
  private let ffprobe: URL

  /// Finds both in the folders of PATH.
  /// - Throws: ``ImportError/noFFmpeg(executable:)``
  init(searchPath: String = ProcessInfo.processInfo.environment["PATH"] ?? "") throws(ImportError) {
    func find(_ name: String) throws(ImportError) -> URL {
      for folder in searchPath.split(separator: ":") {
        let candidate = URL(filePath: String(folder)).appending(path: name)
        if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
      }
      throw .noFFmpeg(executable: name)
    }
    ffmpeg = try find("ffmpeg")
    ffprobe = try find("ffprobe")
  }

  /// Size, rate and duration of the first video stream.
  /// - Throws: ``ImportError/notAVideo(file:reason:)``
  func properties(of file: URL) throws(ImportError) -> Properties {
    let entries = "stream=codec_name,width,height,avg_frame_rate,r_frame_rate:format=duration"
    let probe = try start(
      ffprobe,
      ["-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "json", "file:" + file.path])
    let answer = probe.readToEnd()
    let (succeeded, lastLine) = probe.finish()
    guard succeeded, let description = try? JSONDecoder().decode(Probe.self, from: answer) else {
      throw .notAVideo(file: file.path, reason: reason(lastLine, file) ?? "ffprobe does not know it")
    }
    // ffmpeg draws any text file as a video of coloured letters; nobody means that.
    guard let stream = description.streams?.first, stream.codecName != "ansi",
      let height = stream.height, let width = stream.width, height > 0, width > 0
    else { throw .notAVideo(file: file.path, reason: "it has no video stream") }
    return Properties(
      height: height, width: width, framesPerSecond: rate(stream.averageRate) ?? rate(stream.baseRate),
      duration: description.format?.duration.flatMap(Double.init))
  }

  /// Starts to decode a video to raw RGB frames of `[size, size, 3]` on its standard output.
  func decode(
    _ file: URL, _ properties: Properties, framesPerSecond: Double?, size: Int, fit: ImportOptions.Fit
  ) throws(ImportError) -> ChildProcess {
    var filters: [String] = []
    if let framesPerSecond { filters.append("fps=\(framesPerSecond)") }
    if fit == .crop { filters.append("crop=min(iw\\,ih):min(iw\\,ih)") }
    // The mean of the area when it shrinks; full chroma, or thin coloured things turn grey.
    let shrinks = min(properties.height, properties.width) >= size
    let flags = "\(shrinks ? "area" : "lanczos")+accurate_rnd+full_chroma_int+full_chroma_inp"
    filters.append("scale=\(size):\(size):flags=\(flags)")
    return try start(
      ffmpeg,
      [
        "-nostdin", "-v", "error", "-i", "file:" + file.path, "-map", "0:v:0",
        "-vf", filters.joined(separator: ","), "-sws_flags", flags,
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-",
      ])
  }

  /// Starts ffmpeg.
  func run(_ arguments: [String]) throws(ImportError) -> ChildProcess { try start(ffmpeg, arguments) }

  private func start(_ executable: URL, _ arguments: [String]) throws(ImportError) -> ChildProcess {
    do {
      return try ChildProcess(executable, arguments)
    } catch {
      throw .noFFmpeg(executable: executable.path)
    }
  }
}

/// ffmpeg's line without the file's name, which the error names already.
func reason(_ line: String?, _ file: URL) -> String? {
  guard let line else { return nil }
  let prefix = "file:\(file.path): "
  return line.hasPrefix(prefix) ? String(line.dropFirst(prefix.count)) : line
}

/// A rate such as `30000/1001`; nil for `0/0`.
private func rate(_ text: String?) -> Double? {
  guard let parts = text?.split(separator: "/").map({ Double($0) ?? 0 }), parts.count == 2 else { return nil }
  return parts[0] > 0 && parts[1] > 0 ? parts[0] / parts[1] : nil
}

/// ffprobe's answer.
private struct Probe: Decodable {
  struct Stream: Decodable {
    let codecName: String?
    let width: Int?
    let height: Int?
    let averageRate: String?
    let baseRate: String?

    private enum CodingKeys: String, CodingKey {
      case codecName = "codec_name"
      case width
      case height
      case averageRate = "avg_frame_rate"
      case baseRate = "r_frame_rate"
    }
  }
  struct Format: Decodable { let duration: String? }
  let streams: [Stream]?
  let format: Format?
}
