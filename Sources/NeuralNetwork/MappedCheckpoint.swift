import Autograd
import Foundation
import Safetensors

/// A checkpoint whose values are used where they lie: the file is mapped, pages are read when they are looked at, and all
/// processes that have mapped it share them.
public final class MappedCheckpoint: StoredValues {
  private let file: SafetensorsFile
  private let name: String

  /// - Throws: ``CheckpointError/unreadable(_:)``
  public init(_ url: URL) throws(CheckpointError) {
    do { file = try SafetensorsFile(url) } catch { throw .unreadable(error) }
    name = url.lastPathComponent
  }

  public func tensor(_ name: String, _ shape: Shape) -> Tensor? {
    guard file.contains(name), (try? file.type(of: name)) == .f32,
      (try? file.shape(of: name)) == shape.dimensions, let bytes = try? file.mutableBytes(of: name),
      let address = bytes.baseAddress, UInt(bitPattern: address) % UInt(MemoryLayout<Float>.alignment) == 0
    else { return nil }
    return Tensor(shape: shape, borrowing: address.assumingMemoryBound(to: Float.self), of: file)
  }

  /// Fills the tensors that are not made of this file's memory, and checks those that are.
  /// - Parameter optional: those that stay as they are where the file does not have them, because it is older.
  /// - Throws: ``CheckpointError``; nothing is changed then.
  public func read(into tensors: [String: Tensor], optional: Set<String> = []) throws(CheckpointError) {
    try Checkpoint.read(into: tensors, optional: optional, from: file, name: name)
  }
}
