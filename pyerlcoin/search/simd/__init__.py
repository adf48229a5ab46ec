"""The `simd` engine: MD5 in explicit vectors, written as LLVM IR by Python and compiled for this processor.

`steps` writes MD5's steps for any back end, `generator` the kernel around them for a processor, `layout` turns a
range of integers into message rows and tables, `compiler` compiles and caches, `driver` calls the kernels.
"""
