"""The functions around MD5's steps that a processor runs, as the text of an LLVM module.

`kernel` is the search itself: for every message row and every entry of a table, which takes the place of the row's
varying word, it tests the digest. It knows nothing of decimal numbers. Its C type:

    int64_t kernel(const uint8_t *rows, int64_t row_count, int64_t row_stride,
                   const uint32_t *states, int64_t state_stride,        // strides in bytes; 0: one state for all rows
                   const uint32_t *table, int64_t from, int64_t until,  // entries; readable up to a group past `until`
                   uint32_t low_mask, uint32_t mask, uint64_t *hits, int64_t room)

A row holds the last block of a message, or the last two, padding included. A hit is a digest whose word A has none of
`mask`'s bits; `low_mask` is those of them below the first gap, which are tested first. Each hit is written as
row << 32 | entry while there is room; the count of all is returned.

`absorb` compresses whole blocks, one candidate at a time, for the parts of messages that vary slowly:

    void absorb(const uint8_t *rows, int64_t row_count, int64_t row_stride, int64_t blocks,
                const uint32_t *state, uint32_t *states)                // states: 16 bytes a row
"""

from __future__ import annotations

from dataclasses import dataclass

from pyerlcoin.search.simd.steps import Forms, Uniform, Value, Varying, Writer, compress, compress_to_a

__all__ = ["Shape", "absorb", "kernel"]


@dataclass(frozen=True, slots=True)
class Shape:
    """How many candidates a kernel has in work at once, and how it writes MD5's functions."""

    width: int
    """Lanes of a vector."""
    streams: int
    """Vectors in turn, so that the next instruction need not wait for the last one's result."""
    forms: Forms

    @property
    def group(self) -> int:
        """Table entries that one turn of the loop takes."""
        return self.width * self.streams

    def __str__(self) -> str:
        return f"{self.width}x{self.streams} {self.forms}"


def kernel(shape: Shape, word: int, blocks: int) -> str:
    """The module of the kernel whose varying word is `word` (0 to 15), of the first of `blocks` (1 or 2) blocks."""
    w = Writer(shape.width, shape.forms)
    words = _load_words(w, "%row", 16 * blocks)
    state = _load_words(w, "%state", 4)
    last_a: Value = state[0]
    results: list[Value] = []
    streams: list[list[str]] = []
    for stream in range(shape.streams):
        w.body = []
        varied = [*words]
        varied[word] = Varying(f"%entry{stream}")
        if blocks == 1:
            results.append(compress_to_a(w, state, varied))
        else:
            middle = compress(w, state, varied[:16])
            results.append(w.add(middle[0], compress_to_a(w, middle, varied[16:])))
            last_a = 0
        streams.append(w.body)
    return "\n".join(_search_loop(shape, w, streams, results, last_a))


def absorb() -> str:
    """The module of `absorb`."""
    w = Writer(1, Forms(ternary=False))
    before: list[Value] = [Uniform(f"%before{i}") for i in range(4)]
    after = compress(w, before, _load_words(w, "%block", 16))
    lines = [
        "define void @absorb(ptr %rows, i64 %row_count, i64 %row_stride, i64 %blocks, ptr %state, ptr %states) {",
        "start:",
        *_load_each("%first", "%state", 4),
        "br label %each_row",
        "each_row:",
        "%r = phi i64 [0, %start], [%next_r, %row_done]",
        "%row_offset = mul i64 %r, %row_stride",
        "%row = getelementptr i8, ptr %rows, i64 %row_offset",
        "br label %each_block",
        "each_block:",
        "%n = phi i64 [0, %each_row], [%next_n, %each_block]",
        *(
            f"%before{i} = phi i32 [%first{i}, %each_row], [{w.operand(after[i], False)}, %each_block]"
            for i in range(4)
        ),
        "%block_offset = shl i64 %n, 6",
        "%block = getelementptr i8, ptr %row, i64 %block_offset",
        *w.preamble,
        "%next_n = add i64 %n, 1",
        "%more_blocks = icmp slt i64 %next_n, %blocks",
        "br i1 %more_blocks, label %each_block, label %row_done",
        "row_done:",
        "%to_offset = shl i64 %r, 4",
        "%to = getelementptr i8, ptr %states, i64 %to_offset",
    ]
    for i in range(4):
        lines += [
            f"%to{i} = getelementptr i32, ptr %to, i64 {i}",
            f"store i32 {w.operand(after[i], False)}, ptr %to{i}, align 4",
        ]
    lines += [
        "%next_r = add i64 %r, 1",
        "%more_rows = icmp slt i64 %next_r, %row_count",
        "br i1 %more_rows, label %each_row, label %done",
        "done:",
        "ret void",
        "}",
    ]
    return "\n".join(lines)


def _load_words(w: Writer, base: str, count: int) -> list[Value]:
    prefix = f"{w.name()}w"
    w.preamble += _load_each(prefix, base, count)
    return [Uniform(f"{prefix}{i}") for i in range(count)]


def _load_each(prefix: str, base: str, count: int) -> list[str]:
    lines = []
    for i in range(count):
        lines.append(f"{prefix}at{i} = getelementptr i32, ptr {base}, i64 {i}")
        lines.append(f"{prefix}{i} = load i32, ptr {prefix}at{i}, align 1")
    return lines


def _search_loop(shape: Shape, w: Writer, streams: list[list[str]], results: list[Value], last_a: Value) -> list[str]:
    kind, width, group = w.type, shape.width, shape.group
    # Word A of the digest is result + last_a; its lowest bits are 0 exactly where the result's are those of -last_a.
    negative = w.sub(0, last_a)
    target = w.operand(w.and_(negative, Uniform("%low_mask")), True)
    low_mask = w.operand(Uniform("%low_mask"), True)
    entries = []
    tests = []
    for i, result in enumerate(results):
        entries += [
            f"%entry_n{i} = add i64 %n, {i * width}",
            f"%entry_at{i} = getelementptr i32, ptr %table, i64 %entry_n{i}",
            f"%entry{i} = load {kind}, ptr %entry_at{i}, align 4",
        ]
        tests += [
            f"%low{i} = and {kind} {w.operand(result, True)}, {low_mask}",
            f"%like{i} = icmp eq {kind} %low{i}, {target}",
        ]
    found = "%like0"
    for i in range(1, len(results)):
        tests.append(f"%any{i} = or <{width} x i1> {found}, %like{i}")
        found = f"%any{i}"
    stores = []
    for i, result in enumerate(results):
        stores += [
            f"%keep_at{i} = getelementptr {kind}, ptr %kept, i64 {i}",
            f"store {kind} {w.operand(result, True)}, ptr %keep_at{i}, align 4",
        ]
    return [
        "define i64 @kernel(ptr %rows, i64 %row_count, i64 %row_stride, ptr %states, i64 %state_stride,",
        "ptr %table, i64 %from, i64 %until, i32 %low_mask, i32 %mask, ptr %hits, i64 %room) {",
        "start:",
        f"%kept = alloca {kind}, i64 {len(results)}, align 64",
        "br label %each_row",
        "each_row:",
        "%r = phi i64 [0, %start], [%next_r, %row_done]",
        "%count_r = phi i64 [0, %start], [%count_after, %row_done]",
        "%row_offset = mul i64 %r, %row_stride",
        "%row = getelementptr i8, ptr %rows, i64 %row_offset",
        "%state_offset = mul i64 %r, %state_stride",
        "%state = getelementptr i8, ptr %states, i64 %state_offset",
        "%row_bits = shl i64 %r, 32",
        *w.preamble,
        "br label %each_group",
        "each_group:",
        "%n = phi i64 [%from, %each_row], [%next_n, %group_done]",
        "%count = phi i64 [%count_r, %each_row], [%count_after, %group_done]",
        *entries,
        # Step by step through the streams: each instruction's neighbours do not wait for it.
        *(line for lines in zip(*streams, strict=True) for line in lines),
        *tests,
        f"%found_bits = bitcast <{width} x i1> {found} to i{width}",
        f"%found = icmp ne i{width} %found_bits, 0",
        "br i1 %found, label %look, label %group_done, !prof !0",
        # Seldom: look at each candidate of the group.
        "look:",
        *stores,
        "br label %each_lane",
        "each_lane:",
        "%lane = phi i64 [0, %look], [%next_lane, %lane_done]",
        "%count_l = phi i64 [%count, %look], [%count_lane, %lane_done]",
        "%lane_at = getelementptr i32, ptr %kept, i64 %lane",
        "%lane_result = load i32, ptr %lane_at, align 4",
        f"%lane_a = add i32 %lane_result, {w.operand(last_a, False)}",
        "%lane_bits = and i32 %lane_a, %mask",
        "%lane_zero = icmp eq i32 %lane_bits, 0",
        "%lane_n = add i64 %n, %lane",
        "%lane_inside = icmp slt i64 %lane_n, %until",
        "%lane_hit = and i1 %lane_zero, %lane_inside",
        "br i1 %lane_hit, label %hit, label %lane_done",
        "hit:",
        "%count_hit = add i64 %count_l, 1",
        "%fits = icmp slt i64 %count_l, %room",
        "br i1 %fits, label %write, label %lane_done",
        "write:",
        "%hit_at = getelementptr i64, ptr %hits, i64 %count_l",
        "%hit_value = or i64 %row_bits, %lane_n",
        "store i64 %hit_value, ptr %hit_at, align 8",
        "br label %lane_done",
        "lane_done:",
        "%count_lane = phi i64 [%count_l, %each_lane], [%count_hit, %hit], [%count_hit, %write]",
        "%next_lane = add i64 %lane, 1",
        f"%more_lanes = icmp slt i64 %next_lane, {group}",
        "br i1 %more_lanes, label %each_lane, label %group_done",
        "group_done:",
        "%count_after = phi i64 [%count, %each_group], [%count_lane, %lane_done]",
        f"%next_n = add i64 %n, {group}",
        "%more_groups = icmp slt i64 %next_n, %until",
        "br i1 %more_groups, label %each_group, label %row_done",
        "row_done:",
        "%next_r = add i64 %r, 1",
        "%more_rows = icmp slt i64 %next_r, %row_count",
        "br i1 %more_rows, label %each_row, label %done",
        "done:",
        "ret i64 %count_after",
        "}",
        *([f"declare {kind} @llvm.fshl.v{width}i32({kind}, {kind}, {kind})"] if shape.forms.ternary else []),
        '!0 = !{!"branch_weights", i32 1, i32 100000}',
    ]
