import Foundation
import TestSupport
import Testing

@testable import Safetensors

struct MalformedFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func open(_ bytes: [UInt8]) throws {
    let url = folder.file("bad.safetensors")
    try Data(bytes).write(to: url)
    do throws(SafetensorsError) {
      _ = try SafetensorsFile(url)
    } catch {
      #expect(error.file == url.path)
      #expect(error.description.hasPrefix(url.path + ": "))
      throw error
    }
  }

  private static func file(_ header: String, data: Int = 0) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8)
      + [UInt8](repeating: 0, count: data)
  }

  static let headers: [(header: String, data: Int)] = [
    ("", 0), (" {}", 0), ("[]", 0), ("null", 0), ("{", 0), ("{}}", 0), ("{\"a\":}", 0), ("{\"a\":1}", 0),
    ("{\"a\":{}}", 0), ("{\"a\":null}", 0), ("{\"__metadata__\":{\"k\":1}}", 0),
    ("{\"__metadata__\":[]}", 0), ("{\u{0}}", 0),
    (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4),
    (#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":3,"shape":[1],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[]}}"#, 0),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0),
    (#"{"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}"#, 4),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[9223372036854775806,9223372036854775807]}}"#, 4),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1e400]}}"#, 4),
    (#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,99999999999999999999]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8),
    (
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"#
        + #""data_offsets":[2,6]}}"#, 6
    ),
    (
      #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"#
        + #""data_offsets":[0,4]}}"#, 4
    ),
    (
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"#
        + #""data_offsets":[2,3]}}"#, 3
    ),
    (
      #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"#
        + #""data_offsets":[1,2]}}"#, 2
    ),
    (String(repeating: "{\"a\":", count: 100_000), 0),
    ("{\"a\":" + String(repeating: "[", count: 100_000), 0),
  ]

  @Test(arguments: headers)
  func brokenHeaderIsAnError(header: String, data: Int) {
    #expect(throws: SafetensorsError.self) { try open(Self.file(header, data: data)) }
  }

  @Test(
    arguments: [
      [], [1], [UInt8](repeating: 0, count: 7), [UInt8](repeating: 255, count: 8),
      [0, 0, 0, 0, 0, 0, 0, 128, 123, 125], [3, 0, 0, 0, 0, 0, 0, 0, 123, 125],
      [4, 0, 0, 0, 0, 0, 0, 0, 123, 0, 125, 0], [3, 0, 0, 0, 0, 0, 0, 0, 123, 255, 125],
    ] as [[UInt8]])
  func brokenBytesAreAnError(bytes: [UInt8]) {
    #expect(throws: SafetensorsError.self) { try open(bytes) }
  }

  @Test func missingFileAndFolderAreErrors() {
    #expect(throws: SafetensorsError.self) { try SafetensorsFile(folder.file("none")) }
    #expect(throws: SafetensorsError.self) { try SafetensorsFile(folder.url) }
  }

  /// Every truncation and every changed byte of a good file either opens or throws; nothing traps.
  @Test func damageNeverTraps() throws {
    let url = folder.file("good.safetensors")
    try SafetensorsContent(
      metadata: ["k": "v"],
      tensors: [
        "a": SafetensorsTensor(shape: [2, 2], values: [1, 2, 3, 4] as [Float]),
        "b": SafetensorsTensor(shape: [3], values: [1, 2, 3] as [UInt8]),
      ]
    ).write(to: url)
    let good = [UInt8](try Data(contentsOf: url))
    for length in 0..<good.count {
      #expect(throws: SafetensorsError.self) { try open(Array(good[..<length])) }
    }
    for index in good.indices {
      for value: UInt8 in [0, 0x22, 0x2d, 0x39, 0x7d, 0xff] {
        var bytes = good
        bytes[index] = value
        let bad = folder.file("damaged.safetensors")
        try Data(bytes).write(to: bad)
        _ = try? SafetensorsContent(contentsOf: bad)
      }
    }
  }
}
