import Foundation
import TestSupport
import Testing

@testable import Safetensors

struct RoundTripTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private var sample: SafetensorsContent {
    SafetensorsContent(
      metadata: ["note": "quote \" back\\slash\nline \u{1} é", "a": ""],
      tensors: [
        "weight": SafetensorsTensor(
          shape: [2, 3], values: [1, -2.5, .infinity, 0, -0.0, .leastNonzeroMagnitude] as [Float]),
        "frames": SafetensorsTensor(shape: [3], values: [0, 128, 255] as [UInt8]),
        "starts": SafetensorsTensor(shape: [2, 1], values: [Int64.min, .max]),
        "actions": SafetensorsTensor(shape: [1], values: [-1] as [Int32]),
        "ends": SafetensorsTensor(shape: [2], values: [true, false]),
        "half": SafetensorsTensor(type: .bf16, shape: [1], bytes: [0x80, 0x3f]),
        "scalar": SafetensorsTensor(shape: [], values: [7] as [Float]),
        "empty": SafetensorsTensor(shape: [0, 5], values: [] as [Float]),
        "name \"é": SafetensorsTensor(shape: [1], values: [3] as [Float]),
      ])
  }

  @Test func everyTypeComesBack() throws {
    let url = folder.file("x.safetensors")
    try sample.write(to: url)
    let back = try SafetensorsContent(contentsOf: url)
    #expect(back == sample)
    #expect(try back.tensor("starts").int64s(shape: [2, 1]) == [.min, .max])
    #expect(try back.tensor("actions").int32s() == [-1])
    #expect(try back.tensor("ends").bools() == [true, false])
    #expect(try back.tensor("half").bfloat16Bits() == [0x3f80])
    #expect(try back.tensor("scalar").floats(shape: []) == [7])
    #expect(try folder.names == ["x.safetensors"])
  }

  /// The bytes that Python's safetensors 0.5 makes of the same dictionary.
  @Test func bytesAreThoseOfThePythonPackage() throws {
    let url = folder.file("x.safetensors")
    let content = SafetensorsContent(
      metadata: ["k": "v"],
      tensors: [
        "b": SafetensorsTensor(shape: [1], values: [1] as [Float]),
        "a": SafetensorsTensor(shape: [2], values: [1, 2] as [UInt8]),
        "c": SafetensorsTensor(shape: [1, 1], values: [-1] as [Int64]),
      ])
    try content.write(to: url)
    var header =
      #"{"__metadata__":{"k":"v"},"c":{"dtype":"I64","shape":[1,1],"data_offsets":[0,8]},"#
      + #""b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"#
      + #""a":{"dtype":"U8","shape":[2],"data_offsets":[12,14]}}"#
    while header.utf8.count % 8 != 0 { header += " " }
    let expected =
      [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8)
      + [UInt8](repeating: 255, count: 8) + [0, 0, 0x80, 0x3f] + [1, 2]
    #expect([UInt8](try Data(contentsOf: url)) == expected)
  }

  @Test func rowsAreReadAlone() throws {
    let url = folder.file("x.safetensors")
    try SafetensorsContent(tensors: [
      "t": SafetensorsTensor(shape: [3, 2], values: [0, 1, 2, 3, 4, 5] as [Int32]),
      "odd": SafetensorsTensor(shape: [3], values: [1, 2, 3] as [UInt8]),
      "s": SafetensorsTensor(shape: [], values: [1] as [Float]),
    ]).write(to: url)
    let file = try SafetensorsFile(url)
    #expect(try file.tensor("t", rows: 1..<3).int32s(shape: [2, 2]) == [2, 3, 4, 5])
    #expect(try file.tensor("t", rows: 2..<2).int32s(shape: [0, 2]) == [])
    #expect(try file.withUnsafeBytes(of: "odd", rows: 1..<2) { Array($0) } == [2])
    #expect(try file.shape(of: "t") == [3, 2])
    #expect(try file.type(of: "t") == .i32)
    #expect(file.names == ["odd", "s", "t"])
    for rows in [2..<4, -1..<1] {
      #expect(
        throws: SafetensorsError(
          file: url.path, problem: .rows(tensor: "t", requested: rows, available: 3))
      ) { try file.tensor("t", rows: rows) }
    }
    #expect(throws: SafetensorsError.self) { try file.tensor("s", rows: 0..<1) }
  }

  @Test func wrongExpectationsNameFileAndTensor() throws {
    let url = folder.file("x.safetensors")
    try sample.write(to: url)
    let file = try SafetensorsFile(url)
    #expect(
      throws: SafetensorsError(
        file: url.path, problem: .wrongType(tensor: "weight", expected: "U8", found: "F32"))
    ) { try file.tensor("weight").uint8s() }
    #expect(
      throws: SafetensorsError(
        file: url.path, problem: .wrongShape(tensor: "weight", expected: [3, 2], found: [2, 3]))
    ) { try file.tensor("weight").floats(shape: [3, 2]) }
    #expect(throws: SafetensorsError(file: url.path, problem: .missingTensor("nothing"))) {
      try file.tensor("nothing")
    }
    #expect(throws: SafetensorsError(file: url.path, problem: .missingMetadata("nothing"))) {
      try file.metadata("nothing")
    }
  }
}
