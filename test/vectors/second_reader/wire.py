"""The subset of deterministic CBOR (RFC 8949 section 4.2.1) of protocol.md section 2."""

MAX_NESTING = 8
LIMIT = 2**53


def _head(major: int, n: int) -> bytes:
    if n < 24:
        return bytes([major << 5 | n])
    for extra, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if n < 1 << 8 * size:
            return bytes([major << 5 | extra]) + n.to_bytes(size, "big")
    raise ValueError("a number beyond 64 bits")


def encode(value) -> bytes:
    """None, booleans, unsigned integers, bytes, texts and lists."""
    if value is None or isinstance(value, bool):
        return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
    if isinstance(value, int) and 0 <= value < LIMIT:
        return _head(0, value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        data = value.encode()
        return _head(3, len(data)) + data
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(encode(item) for item in value)
    raise ValueError(f"no value of the wire: {value!r}")


def decode(data: bytes):
    """The one value in the bytes. Raises ValueError for whatever section 2 excludes."""
    value, end = decode_first(data)
    if end != len(data):
        raise ValueError("bytes follow the value")
    return value


def decode_first(data: bytes, at: int = 0, level: int = 1) -> tuple:
    """The value that begins at an offset, and the offset behind it."""
    major, n, at = _read_head(data, at)
    if major == 0:
        if n >= LIMIT:
            raise ValueError("an integer above 2^53 - 1")
        return n, at
    if major == 7:
        if n not in (20, 21, 22):
            raise ValueError("a simple value that does not exist here")
        return {20: False, 21: True, 22: None}[n], at
    if n > len(data) - at:
        raise ValueError("a length claims more than remains")
    if major == 2:
        return data[at : at + n], at + n
    if major == 3:
        return data[at : at + n].decode("utf-8"), at + n
    if major != 4:
        raise ValueError(f"major type {major} does not exist here")
    if level > MAX_NESTING:
        raise ValueError("arrays are nested too deep")
    items = []
    for _ in range(n):
        item, at = decode_first(data, at, level + 1)
        items.append(item)
    return items, at


def _read_head(data: bytes, at: int) -> tuple:
    if at >= len(data):
        raise ValueError("the bytes end too early")
    major, n = data[at] >> 5, data[at] & 31
    if n < 24:
        return major, n, at + 1
    if n > 27 or major == 7:
        raise ValueError("an indefinite length, a float or another simple value")
    size = 1 << n - 24
    if at + 1 + size > len(data):
        raise ValueError("the bytes end too early")
    value = int.from_bytes(data[at + 1 : at + 1 + size], "big")
    if value < (24 if size == 1 else 1 << 4 * size):
        raise ValueError("an integer that is not in its shortest form")
    return major, value, at + 1 + size


def fields(value, kind: str, count: int) -> list:
    """The fields of a [version, type, ...] of version 1, without these two."""
    if not isinstance(value, list) or len(value) < 2 or value[1] != kind or value[0] != 1 or len(value) != count:
        raise ValueError(f"no {kind} of version 1 with {count} fields")
    return value[2:]


def bytes_of(value, least: int, most: int = -1) -> bytes:
    """A byte string of a length in these bounds, or of exactly one length."""
    if not isinstance(value, bytes) or not least <= len(value) <= (least if most < 0 else most):
        raise ValueError(f"no byte string of {least} to {most if most >= 0 else least} bytes")
    return value


def number_of(value, least: int = 0, most: int = LIMIT - 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"no integer from {least} to {most}")
    return value


def list_of(value, most: int) -> list:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError(f"no array of at most {most} items")
    return value
