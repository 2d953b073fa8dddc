import Video
import WorldModel

extension FrameBatch {
  /// A frame of a single clip.
  func picture(_ time: Int) -> Picture {
    Picture(height: height, width: width, pixels: frames(time..<time + 1).bytes)
  }
}
