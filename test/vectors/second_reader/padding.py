"""Padding of frames (protocol.md section 4), and padding.json."""

from checking import expect, expect_refused, numbered, unhex

BUCKETS = (256, 512, 1024, 2048, 4096)
MAX_FRAME = 16384


def frame_size(overhead: int, length: int) -> int:
    least = overhead + length + 1
    if least > MAX_FRAME:
        raise ValueError("a frame of more than 16384 bytes")
    for bucket in BUCKETS:
        if bucket >= least:
            return bucket
    e = least.bit_length() - 1
    step = 1 << e - e.bit_length()
    return -(-least // step) * step


def pad(overhead: int, plaintext: bytes) -> bytes:
    size = frame_size(overhead, len(plaintext)) - overhead
    return (plaintext + b"\x80").ljust(size, b"\0")


def unpad(padded: bytes) -> bytes:
    stripped = padded.rstrip(b"\0")
    if not stripped.endswith(b"\x80"):
        raise ValueError("padding without 0x80")
    return stripped[:-1]


def check(vectors: dict) -> int:
    for where, (overhead, length, padded) in numbered(vectors["sizes"], "size"):
        expect(where, frame_size(overhead, length) - overhead, padded)
    for where, case in numbered(vectors["padded"], "padded text"):
        plaintext, padded = unhex(case["plaintext"]), unhex(case["padded"])
        expect(where, pad(case["overhead"], plaintext), padded)
        expect(f"{where} without its padding", unpad(padded), plaintext)
    for where, text in numbered(vectors["invalid"], "invalid padding"):
        expect_refused(where, unpad, unhex(text))
    return len(vectors["sizes"]) + len(vectors["padded"]) + len(vectors["invalid"])
