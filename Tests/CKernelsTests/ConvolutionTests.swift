import CKernels
import Testing

@Suite struct ConvolutionTests {
  struct Size: Sendable {
    var height: Int
    var width: Int
    var channels: Int
    var kernel: Int
    var stride: Int
    var padding: Int
    var columns: Int {
      let rows = (height + 2 * padding - kernel) / stride + 1
      return rows * ((width + 2 * padding - kernel) / stride + 1) * kernel * kernel * channels
    }
  }

  static let sizes = [
    Size(height: 1, width: 1, channels: 1, kernel: 1, stride: 1, padding: 0),
    Size(height: 1, width: 1, channels: 3, kernel: 3, stride: 1, padding: 1),
    Size(height: 7, width: 5, channels: 3, kernel: 3, stride: 2, padding: 1),
    Size(height: 8, width: 8, channels: 4, kernel: 4, stride: 4, padding: 0),
    Size(height: 9, width: 6, channels: 2, kernel: 5, stride: 3, padding: 4),
    Size(height: 2, width: 3, channels: 1, kernel: 4, stride: 1, padding: 3),
  ]

  @Test(arguments: sizes) func agreesWithReference(size: Size) {
    var samples = Samples(seed: 1)
    let image = samples.floats(size.height * size.width * size.channels)
    var columns = [Float](repeating: .nan, count: size.columns)
    var expected = columns
    ck_im2col(
      image, &columns, size.height, size.width, size.channels, size.kernel, size.stride, size.padding)
    ck_reference_im2col(
      image, &expected, size.height, size.width, size.channels, size.kernel, size.stride, size.padding)
    #expect(columns == expected)

    let gradient = samples.floats(size.columns)
    var back = [image, image]
    ck_col2im(
      gradient, &back[0], size.height, size.width, size.channels, size.kernel, size.stride, size.padding)
    ck_reference_col2im(
      gradient, &back[1], size.height, size.width, size.channels, size.kernel, size.stride, size.padding)
    expectClose(back[0], back[1])

    // <im2col(x), y> = <x, col2im(y)>
    var adjoint = [Float](repeating: 0, count: image.count)
    ck_col2im(
      gradient, &adjoint, size.height, size.width, size.channels, size.kernel, size.stride, size.padding)
    let left = zip(columns, gradient).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    let right = zip(image, adjoint).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    #expect(abs(left - right) < 1e-4 * (1 + abs(left)))
  }
}
