src=${1:-/work/main/Sources/CKernels}
/opt/swift/usr/bin/clang -O3 -I$src/include -I$src $src/*.c bench.c -o bench-$2 -lm 2>&1 | grep -E "error" ; ./bench-$2
