import Foundation
import Safetensors

/// Why a movie could not be written.
public enum MovieError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file's name ends with none of the endings that are known.
  case unknownKind(file: String)
  case noFFmpeg(executable: String)
  case failed(file: String, reason: String)

  public var description: String {
    switch self {
    case .unknownKind(let file): "\(file): a movie's name ends with .gif or .mp4"
    case .noFFmpeg(let executable): "\(ImportError.noFFmpeg(executable: executable))"
    case .failed(let file, let reason): "\(file): cannot be written (\(reason))"
    }
  }
}

/// Pictures of one size, one after the other, as a GIF or MP4 file; written by ffmpeg.
public struct Movie: Sendable {
  public var frames: [Picture]
  public var framesPerSecond: Double

  /// - Precondition: at least one picture, all of one size; a rate above 0.
  public init(_ frames: [Picture], framesPerSecond: Double) {
    precondition(
      !frames.isEmpty && framesPerSecond > 0, "\(frames.count) frames, \(framesPerSecond) a second")
    precondition(
      frames.allSatisfy { $0.height == frames[0].height && $0.width == frames[0].width },
      "frames of several sizes")
    self.frames = frames
    self.framesPerSecond = framesPerSecond
  }

  /// What a file's name may end with.
  public static let endings = ["gif", "mp4"]

  /// Writes the movie; a file that is there already is replaced when the new one is whole.
  /// - Parameter url: ends with `.gif` or `.mp4`.
  /// - Throws: ``MovieError``
  public func write(to url: URL) throws(MovieError) {
    let kind = url.pathExtension.lowercased()
    guard Self.endings.contains(kind) else { throw .unknownKind(file: url.path) }
    let ffmpeg: FFmpeg
    do throws(ImportError) { ffmpeg = try FFmpeg() } catch {
      if case .noFFmpeg(let executable) = error { throw .noFFmpeg(executable: executable) }
      throw .failed(file: url.path, reason: "\(error)")
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "genie-movie-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for (index, frame) in frames.enumerated() {
        try PNG.write(frame, to: folder.appending(path: "\(index).png"))
      }
      let made = folder.appending(path: "movie.\(kind)")
      let (succeeded, lastLine) = try ffmpeg.encode(
        folder.appending(path: "%d.png"), framesPerSecond: framesPerSecond, isGIF: kind == "gif", to: made)
      guard succeeded else { throw MovieError.failed(file: url.path, reason: lastLine ?? "ffmpeg failed") }
      try AtomicFile.write([UInt8](Data(contentsOf: made)), to: url)
    } catch let error as MovieError {
      throw error
    } catch { throw .failed(file: url.path, reason: "\(error)") }
  }
}

extension FFmpeg {
  /// Makes a movie from numbered pictures.
  /// - Returns: whether it succeeded, and ffmpeg's last complaint.
  func encode(
    _ pictures: URL, framesPerSecond: Double, isGIF: Bool, to target: URL
  ) throws(ImportError) -> (succeeded: Bool, lastLine: String?) {
    // A palette of its own, and no dithering: small pictures of few colours stay as they are.
    let coding =
      isGIF
      ? ["-filter_complex", "split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=none"]
      : ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p"]
    let process = try run(
      ["-nostdin", "-v", "error", "-y", "-framerate", "\(framesPerSecond)", "-i", pictures.path] + coding
        + [target.path])
    _ = process.readToEnd()
    return process.finish()
  }
}
