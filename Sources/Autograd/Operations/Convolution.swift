import CKernels

extension Tape {
  /// activation(convolution of each picture with a bank of filters + b), zero padding.
  /// - Parameters:
  ///   - x: `[batch, height, width, channels]`.
  ///   - weight: `[kernel * kernel * channels, filters]`, rows in order of (row, column, channel).
  ///   - bias: `[filters]`.
  /// - Returns: `[batch, out height, out width, filters]`, out = (in + 2 padding - kernel) / stride + 1.
  public func convolution(
    _ x: Variable, weight: Variable, bias: Variable, kernel: Int, stride: Int, padding: Int = 0,
    activation: Activation = .none
  ) -> Variable {
    let (batch, height, width, channels) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let (inputs, filters) = (kernel * kernel * channels, weight.shape[1])
    precondition(
      weight.shape[0] == inputs, "convolution \(kernel) x \(kernel) of \(x.shape) by \(weight.shape)")
    let outHeight = (height + 2 * padding - kernel) / stride + 1
    let outWidth = (width + 2 * padding - kernel) / stride + 1
    let places = outHeight * outWidth
    let y = arena.tensor([batch, outHeight, outWidth, filters])
    let sums = activation == .gelu && isRecording ? arena.tensor(y.shape) : y
    let columns = arena.tensor([places, inputs])
    func unfold(_ picture: Int) {
      ck_im2col(
        x.value.pointer + picture * height * width * channels, columns.pointer, height, width, channels,
        kernel,
        stride, padding)
    }
    for picture in 0..<batch {
      unfold(picture)
      let from = picture * places * filters
      MatrixProduct.multiply(
        columns.pointer, weight.value.pointer, into: y.pointer + from, m: places, n: filters, k: inputs,
        precision: precision,
        epilogue: ck_epilogue(
          residual: nil, bias: bias.value.pointer,
          sums: activation == .gelu && isRecording ? sums.pointer + from : nil,
          gelu: activation == .gelu ? 1 : 0))
    }
    if activation != .gelu { activate(y, into: y, activation) }
    return record(
      y, from: [x, weight, bias], flops: 2 * Double(batch * places * filters * inputs)
    ) { tape, dy in
      tape.differentiate(activation, sums: sums, output: y, gradient: dy)
      if let dbias = tape.gradient(of: bias) {
        ck_sum_rows(dy.pointer, dbias.pointer, batch * places, filters)
      }
      let (dx, dweight) = (tape.gradient(of: x), tape.gradient(of: weight))
      for picture in 0..<batch {
        let g = dy.pointer + picture * places * filters
        if let dweight {
          unfold(picture)
          MatrixProduct.multiply(
            columns.pointer, transposedA: true, g, into: dweight.pointer, m: inputs, n: filters, k: places,
            beta: 1, precision: tape.precision)
        }
        if let dx {
          MatrixProduct.multiply(
            g, weight.value.pointer, transposedB: true, into: columns.pointer, m: places, n: inputs,
            k: filters, precision: tape.precision)
          ck_col2im(
            columns.pointer, dx.pointer + picture * height * width * channels, height, width, channels,
            kernel, stride,
            padding)
        }
      }
    }
  }
}
