import CPNG
import Foundation
import Safetensors

/// Reads and writes PNG files with libpng.
///
/// Every kind of PNG (1 to 16 bits, palette, grey, alpha) is read as 8-bit RGB; what is transparent shows
/// black.
public enum PNG {
  /// The longest side and the largest area (in pixels) that are read, so that a small file cannot ask for all
  /// of the memory.
  static let maximumSide = 16_384
  static let maximumArea = 64 << 20
  private static let maximumFileSize = 512 << 20

  /// - Throws: ``PNGError``
  public static func read(_ url: URL) throws(PNGError) -> Picture {
    let bytes: Data
    do {
      let size = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
      guard size <= maximumFileSize else { throw PNGError.tooLarge(file: url.path, what: "\(size) bytes") }
      bytes = try Data(contentsOf: url)
    } catch let error as PNGError {
      throw error
    } catch {
      throw .unreadable(file: url.path, reason: error.localizedDescription)
    }
    return try decode(bytes, file: url.path)
  }

  /// - Parameters:
  ///   - bytes: a whole PNG file.
  ///   - file: its name, for errors.
  /// - Throws: ``PNGError``
  public static func decode(_ bytes: some Sequence<UInt8>, file: String = "PNG data") throws(PNGError)
    -> Picture
  {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    let data = Array(bytes)
    guard !data.isEmpty else { throw .malformed(file: file, reason: "empty") }
    // libpng's simplified interface keeps the pointer until the picture is read.
    return try data.withUnsafeBufferPointer { buffer throws(PNGError) in
      guard png_image_begin_read_from_memory(&image, buffer.baseAddress, buffer.count) != 0 else {
        throw .malformed(file: file, reason: message(image))
      }
      let (height, width) = (Int(image.height), Int(image.width))
      guard height > 0, width > 0, max(height, width) <= maximumSide, height * width <= maximumArea else {
        throw .tooLarge(file: file, what: "\(width) x \(height) pixels")
      }
      image.format = PNG_FORMAT_FLAG_COLOR
      // Without this flag 16-bit samples of unknown gamma would be taken for linear light.
      image.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
      var pixels = [UInt8](repeating: 0, count: height * width * 3)
      var background = png_color(red: 0, green: 0, blue: 0)
      guard png_image_finish_read(&image, &background, &pixels, 0, nil) != 0 else {
        throw .malformed(file: file, reason: message(image))
      }
      return Picture(height: height, width: width, pixels: pixels)
    }
  }

  /// The picture as the bytes of an 8-bit RGB PNG file.
  public static func encode(_ picture: Picture) -> [UInt8] {
    var image = png_image()
    image.version = png_uint_32(PNG_IMAGE_VERSION)
    image.width = png_uint_32(picture.width)
    image.height = png_uint_32(picture.height)
    image.format = PNG_FORMAT_FLAG_COLOR
    defer { png_image_free(&image) }
    var size = png_alloc_size_t(0)
    // The first call tells the size, the second writes.
    guard png_image_write_to_memory(&image, nil, &size, 0, picture.pixels, 0, nil) != 0 else {
      preconditionFailure("libpng cannot encode [\(picture.height), \(picture.width), 3]: \(message(image))")
    }
    var bytes = [UInt8](repeating: 0, count: Int(size))
    guard png_image_write_to_memory(&image, &bytes, &size, 0, picture.pixels, 0, nil) != 0 else {
      preconditionFailure("libpng cannot encode [\(picture.height), \(picture.width), 3]: \(message(image))")
    }
    return Array(bytes.prefix(Int(size)))
  }

  /// Writes the picture atomically as an 8-bit RGB PNG file.
  /// - Throws: `AtomicFileError`
  public static func write(_ picture: Picture, to url: URL) throws(AtomicFileError) {
    try AtomicFile.write(encode(picture), to: url)
  }

  private static func message(_ image: png_image) -> String {
    withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
