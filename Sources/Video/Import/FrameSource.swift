/// Where frames come from, one at a time, all `[size, size, 3]`.
protocol FrameSource: AnyObject {
  /// What errors and reports call it.
  var path: String { get }
  var framesPerSecond: Double? { get }
  /// A guess for the progress bar.
  var expectedFrames: Int? { get }
  /// The decoder's last complaint, if it went on nevertheless; complete after the last frame.
  var warning: String? { get }
  /// The next frame's bytes, nil after the last.
  func next() throws(ImportError) -> [UInt8]?
}
