import Foundation

/// The PNG files of a folder in natural order (`2.png` before `10.png`), as frames.
final class PictureSequence: FrameSource {
  let path: String
  let framesPerSecond: Double?
  let expectedFrames: Int?
  let warning: String? = nil
  private let files: [URL]
  private let size: Int
  private let fit: ImportOptions.Fit
  private var position = 0
  private var expected: [Int]?

  init(folder: URL, files: [URL], options: ImportOptions) {
    path = folder.path
    self.files = files
    framesPerSecond = options.framesPerSecond
    expectedFrames = files.count
    size = options.size
    fit = options.fit
  }

  func next() throws(ImportError) -> [UInt8]? {
    guard position < files.count else { return nil }
    let file = files[position]
    position += 1
    let picture: Picture
    do throws(PNGError) {
      picture = try PNG.read(file)
    } catch {
      throw .picture(error)
    }
    let found = [picture.height, picture.width]
    if let expected, expected != found {
      throw .pictureSize(file: file.path, found: found, expected: expected)
    }
    expected = found
    let fitted = fit == .crop ? picture.centreSquare() : picture
    return fitted.resized(height: size, width: size).pixels
  }
}
