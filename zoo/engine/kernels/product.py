"""The matrix product C += A B for small matrices, with B packed once and used in every step.

A library packs its right-hand matrix anew in every call; in a recurrence it is the same matrix in every step. Packed,
B is a row of panels, each `panel` columns wide and as deep as B:

    B (depth, columns)  ->  columns / panel times (depth, panel), zeros where the last panel is wider than B

A tile of C, some rows high and one panel wide, is held in registers while the loop runs through the depth: of A one
number is spread over a vector, of B two vectors are read. The tile is written in LLVM's own vectors, since a
compiler that is given plain loops vectorizes the wrong one.

Rules for callers: C has room for whole panels (`padded`); what lies right of C's columns gets zeros added.

Reference: Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), sections 4 and 5.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from zoo.engine.kernels.compiling import part


def _vector() -> tuple[int, int]:
    """Bytes in a vector register of the processor that is compiled for, and rows of a tile that leave registers free.

    That is this processor, unless NUMBA_CPU_NAME and NUMBA_CPU_FEATURES name another; both are part of the key under
    which compiled code is kept.
    """
    machine, _, listed = cpu_target.target_context.codegen().magic_tuple()
    features = listed.split(",")
    if "+avx512f" in features:
        return 64, 8  # 16 of 32 registers hold the tile
    if "+avx" in features:
        return 32, 6  # 12 of 16
    return 16, 6 if machine.startswith(("x86", "i686")) else 8


VECTOR, TILE = _vector()
WIDE = 2
"""Vectors in a panel."""
DEPTH = 256
"""Rows of B in one go where B is packed for a single use; a panel of them takes 32 kB, the first cache."""
PACKED = 64
"""Rows of a transposed B that are packed in one go."""


def _tile(rows: int, unroll: int) -> Any:
    """Code for a tile of C.

    Args:
        rows: Height of the tile.
        unroll: Sums kept side by side along the depth, for tiles too low to keep the multipliers busy.
    """

    @intrinsic
    def tile(typing: Any, a: Any, at_a: Any, row_a: Any, deep_a: Any, b: Any, at_b: Any, c: Any, at_c: Any, row_c: Any,
             depth: Any) -> Any:  # fmt: skip
        integer = types.intp
        signature = types.void(a, integer, integer, integer, b, integer, c, integer, integer, integer)

        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            size = signature.args[0].dtype.bitwidth // 8
            lanes = VECTOR // size
            element = context.get_data_type(signature.args[0].dtype)
            vector = ir.VectorType(element, lanes)
            undefined = ir.Constant(vector, ir.Undefined)
            index = args[-1].type
            a, b, c = (
                builder.gep(context.make_array(signature.args[i])(context, builder, args[i]).data, [args[i + 1]])
                for i in (0, 4, 6)
            )
            row_a, deep_a, row_c, depth = args[2], args[3], args[8], args[9]
            # "muladd" becomes one fused instruction where the processor has it.
            kind = ir.FunctionType(vector, [vector] * 3)
            muladd = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fmuladd.v{lanes}f{8 * size}")

            def place(row: int, v: int) -> Any:
                offset = builder.add(builder.mul(row_c, index(row)), index(v * lanes))
                return builder.bitcast(builder.gep(c, [offset]), vector.as_pointer())

            tile = [(u, r, v) for u in range(unroll) for r in range(rows) for v in range(WIDE)]
            sums = {key: cgutils.alloca_once(builder, vector) for key in tile}
            for u, r, v in tile:
                first = ir.Constant(vector, None) if u else builder.load(place(r, v), align=size)
                builder.store(first, sums[u, r, v])
            lines = [builder.gep(a, [builder.mul(row_a, index(r))]) for r in range(rows)]

            def step(k: Any, u: int) -> None:
                line = builder.gep(b, [builder.mul(k, index(WIDE * lanes))])
                right = [
                    builder.load(
                        builder.bitcast(builder.gep(line, [index(v * lanes)]), vector.as_pointer()), align=size
                    )
                    for v in range(WIDE)
                ]
                offset = builder.mul(k, deep_a)
                for r in range(rows):
                    number = builder.load(builder.gep(lines[r], [offset]))
                    left = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
                    everywhere = ir.Constant(ir.VectorType(ir.IntType(32), lanes), None)
                    left = builder.shuffle_vector(left, undefined, everywhere)
                    for v in range(WIDE):
                        total = builder.call(muladd, [left, right[v], builder.load(sums[u, r, v])])
                        builder.store(total, sums[u, r, v])

            whole = builder.sdiv(depth, index(unroll))
            with cgutils.for_range(builder, whole) as loop:
                for u in range(unroll):
                    step(builder.add(builder.mul(loop.index, index(unroll)), index(u)), u)
            with cgutils.for_range_slice(builder, builder.mul(whole, index(unroll)), depth, index(1)) as (k, _):
                step(k, 0)
            for r in range(rows):
                for v in range(WIDE):
                    total = builder.load(sums[0, r, v])
                    for u in range(1, unroll):
                        total = builder.fadd(total, builder.load(sums[u, r, v]))
                    builder.store(total, place(r, v), align=size)
            return context.get_dummy_value()

        return signature, generate

    return tile


_tall, _four, _two, _one = _tile(TILE, 1), _tile(4, 1), _tile(2, 2), _tile(1, 4)


@part
def panel(array):
    """Columns of a panel."""
    return WIDE * VECTOR // array.itemsize


@part
def padded(array, columns):
    """The columns rounded up to whole panels."""
    width = WIDE * VECTOR // array.itemsize
    return (columns + width - 1) // width * width


@part
def pack(b, at, row, column, depth, columns, out):
    """Packs the matrix that begins at number `at` of the flat array `b`; steps `row` and `column` in numbers."""
    width = WIDE * VECTOR // b.itemsize
    for first in range(0, columns, width):
        used = min(width, columns - first)
        target = out[first * depth : (first + width) * depth]
        if used < width:
            target[:] = 0
        if column == 1:
            for k in range(depth):
                start = at + k * row + first
                source, line = b[start : start + used], target[k * width : k * width + used]
                for j in range(source.size):
                    line[j] = source[j]
        else:
            for top in range(0, depth, PACKED):  # what is written in one go stays in the first cache
                for j in range(used):
                    start = at + (first + j) * column
                    for k in range(top, min(top + PACKED, depth)):
                        target[np.uintp(k * width + j)] = b[np.uintp(start + k * row)]


@part
def multiply(a, at_a, row_a, deep_a, rows, depth, packed, c, at_c, row_c, columns):
    """C += A B, where A (rows, depth) and C (rows, columns) begin at numbers of flat arrays and B is packed."""
    width = WIDE * VECTOR // a.itemsize
    for first in range(0, columns, width):
        b = first * depth
        i = 0
        while i + TILE <= rows:
            _tall(a, at_a + i * row_a, row_a, deep_a, packed, b, c, at_c + i * row_c + first, row_c, depth)
            i += TILE
        while i + 4 <= rows:
            _four(a, at_a + i * row_a, row_a, deep_a, packed, b, c, at_c + i * row_c + first, row_c, depth)
            i += 4
        while i + 2 <= rows:
            _two(a, at_a + i * row_a, row_a, deep_a, packed, b, c, at_c + i * row_c + first, row_c, depth)
            i += 2
        while i < rows:
            _one(a, at_a + i * row_a, row_a, deep_a, packed, b, c, at_c + i * row_c + first, row_c, depth)
            i += 1


@part
def multiply_transposed(a, c, b, at, columns, scratch):
    """C += A' B for a gradient of weights, B's columns from `at` on; B is packed for it in slices.

    Args:
        a: `(depth, rows)`.
        c: `(rows, at least at + padded columns)`.
        b: `(at least depth, at least at + columns)`.
        scratch: Room for `DEPTH` times the padded columns.
    """
    depth, wide, high = a.shape[0], b.shape[1], a.shape[1]
    flat, left, out = b.reshape(-1), a.reshape(-1), c.reshape(-1)
    for first in range(0, depth, DEPTH):
        deep = min(DEPTH, depth - first)
        pack(flat, first * wide + at, wide, 1, deep, columns, scratch)
        multiply(left, first * high, 1, high, high, deep, scratch, out, at, c.shape[1], columns)
