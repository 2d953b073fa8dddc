import Foundation

/// The system's OpenBLAS on one thread, to compare with where there is one. Nothing here depends on it.
struct OpenBLAS {
  private typealias Product =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32, UnsafePointer<Float>,
      Int32,
      Float, UnsafeMutablePointer<Float>, Int32
    ) -> Void

  private let product: Product

  /// - Returns: nil where the library is not installed.
  init?() {
    let names = ["libopenblas.so.0", "libopenblas.so", "libopenblas.dylib"]
    guard let library = names.lazy.compactMap({ dlopen($0, RTLD_NOW) }).first,
      let product = dlsym(library, "cblas_sgemm"),
      let setThreads = dlsym(library, "openblas_set_num_threads")
    else { return nil }
    unsafeBitCast(setThreads, to: (@convention(c) (Int32) -> Void).self)(1)
    self.product = unsafeBitCast(product, to: Product.self)
  }

  /// c [m, n] = a [m, k] b [k, n], row-major; transposed, `a` is stored [k, m] and `b` [n, k].
  func multiply(
    _ a: UnsafePointer<Float>, transposedA: Bool, _ b: UnsafePointer<Float>, transposedB: Bool,
    into c: UnsafeMutablePointer<Float>, m: Int, n: Int, k: Int
  ) {
    let (rowMajor, plain, transposed): (Int32, Int32, Int32) = (101, 111, 112)
    product(
      rowMajor, transposedA ? transposed : plain, transposedB ? transposed : plain, Int32(m), Int32(n),
      Int32(k), 1,
      a, Int32(transposedA ? m : k), b, Int32(transposedB ? k : n), 0, c, Int32(n))
  }
}
