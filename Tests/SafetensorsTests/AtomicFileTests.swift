import Foundation
import TestSupport
import Testing

@testable import Safetensors

struct AtomicFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func replacesAnOldFile() throws {
    let url = folder.file("x")
    try AtomicFile.write([1, 2, 3], to: url)
    try AtomicFile.write(Array([9, 4, 5][1...]), to: url)
    #expect([UInt8](try Data(contentsOf: url)) == [4, 5])
    #expect(try folder.names == ["x"])
  }

  @Test func failureLeavesTheOldFileAndNothingElse() throws {
    let url = folder.file("x")
    try AtomicFile.write([1], to: url)
    #expect(throws: AtomicFileError.diskFull(path: "x")) {
      try AtomicFile.write(to: url) { output throws(AtomicFileError) in
        try output.write([7, 7])
        throw .diskFull(path: "x")
      }
    }
    #expect([UInt8](try Data(contentsOf: url)) == [1])
    #expect(try folder.names == ["x"])
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func fullDiskIsItsOwnError() {
    let descriptor = open("/dev/full", O_WRONLY)
    defer { close(descriptor) }
    #expect(throws: AtomicFileError.diskFull(path: "target")) {
      try AtomicFile.Output(descriptor: descriptor, path: "target").write([1])
    }
  }

  @Test func missingFolderIsItsOwnError() {
    let url = folder.file("none/x")
    #expect(throws: AtomicFileError.noFolder(path: url.path)) { try AtomicFile.write([1], to: url) }
  }

  @Test func targetThatIsAFolderLeavesNothing() throws {
    try FileManager.default.createDirectory(at: folder.file("x"), withIntermediateDirectories: true)
    #expect(throws: AtomicFileError.self) { try AtomicFile.write([1], to: folder.file("x")) }
    #expect(try folder.names == ["x"])
  }
}
