import Foundation
import TestSupport
import Video

struct SampleVideo {
  let folder: TemporaryFolder
  let clips: ClipFolder

  /// - Parameter begins: what the second shard says of where its episodes begin.
  init(_ second: [Int] = [90, 40], begins: String = "level") throws {
    folder = try TemporaryFolder()
    for (name, lengths) in [("a", [150, 1, 70]), ("b", second)] {
      var (frames, starts): ([UInt8], [Int]) = ([], [])
      for length in lengths {
        starts.append(frames.count / 768)
        frames += walkingSquare(frames: length, seed: UInt64(length))
      }
      try ClipShard.write(
        Clip(
          height: 16, width: 16, frames: frames, episodeStarts: starts,
          metadata: name == "b" ? ["begins": begins] : [:]),
        to: folder.file("\(name).safetensors"))
    }
    clips = try ClipFolder(folder.url)
  }
}
