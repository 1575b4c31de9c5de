"""ChaCha20-Poly1305 (RFC 8439) and XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03)."""

import struct

CONSTANTS = struct.unpack("<4I", b"expand 32-byte k")
COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
MASK = 0xFFFFFFFF


def _rounds(state: list) -> list:
    """RFC 8439 section 2.3: twenty rounds, without the last addition."""
    s = list(state)
    for _ in range(10):
        for w, x, y, z in COLUMNS + DIAGONALS:
            a, b, c, d = s[w], s[x], s[y], s[z]
            a = a + b & MASK
            d ^= a
            d = (d << 16 | d >> 16) & MASK
            c = c + d & MASK
            b ^= c
            b = (b << 12 | b >> 20) & MASK
            a = a + b & MASK
            d ^= a
            d = (d << 8 | d >> 24) & MASK
            c = c + d & MASK
            b ^= c
            b = (b << 7 | b >> 25) & MASK
            s[w], s[x], s[y], s[z] = a, b, c, d
    return s


def _block(key: tuple, counter: int, nonce: tuple) -> bytes:
    state = [*CONSTANTS, *key, counter, *nonce]
    return struct.pack("<16I", *(a + b & MASK for a, b in zip(state, _rounds(state))))


def _xor(key: tuple, nonce: tuple, text: bytes) -> bytes:
    stream = b"".join(_block(key, 1 + i, nonce) for i in range(-(-len(text) // 64)))
    return bytes(a ^ b for a, b in zip(text, stream))


def _tag(key: tuple, nonce: tuple, ad: bytes, ciphertext: bytes) -> bytes:
    """RFC 8439 sections 2.5, 2.6 and 2.8."""
    one_time = _block(key, 0, nonce)[:32]
    r = int.from_bytes(one_time[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    s = int.from_bytes(one_time[16:], "little")
    data = ad + bytes(-len(ad) % 16) + ciphertext + bytes(-len(ciphertext) % 16)
    data += struct.pack("<QQ", len(ad), len(ciphertext))
    total = 0
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i : i + 16] + b"\1", "little")) * r % (2**130 - 5)
    return (total + s & (1 << 128) - 1).to_bytes(16, "little")


def _words(key: bytes, nonce: bytes) -> tuple:
    if len(key) != 32 or len(nonce) != 12:
        raise ValueError("ChaCha20 takes a key of 32 bytes and a nonce of 12")
    return struct.unpack("<8I", key), struct.unpack("<3I", nonce)


def seal(key: bytes, nonce: bytes, ad: bytes, plaintext: bytes) -> bytes:
    """Ciphertext and tag."""
    k, n = _words(key, nonce)
    ciphertext = _xor(k, n, plaintext)
    return ciphertext + _tag(k, n, ad, ciphertext)


def open_(key: bytes, nonce: bytes, ad: bytes, sealed: bytes) -> bytes:
    """The plaintext. Raises ValueError when the tag does not fit."""
    k, n = _words(key, nonce)
    if len(sealed) < 16 or _tag(k, n, ad, sealed[:-16]) != sealed[-16:]:
        raise ValueError("ChaCha20-Poly1305: the tag does not fit")
    return _xor(k, n, sealed[:-16])


def _hchacha(key: bytes, nonce16: bytes) -> bytes:
    """Section 2.2 of the draft: the sub-key."""
    state = _rounds([*CONSTANTS, *struct.unpack("<8I", key), *struct.unpack("<4I", nonce16)])
    return struct.pack("<8I", *state[:4], *state[12:])


def xseal(key: bytes, nonce: bytes, ad: bytes, plaintext: bytes) -> bytes:
    """XChaCha20-Poly1305 with a nonce of 24 bytes."""
    return seal(_hchacha(key, nonce[:16]), bytes(4) + nonce[16:], ad, plaintext)


def xopen(key: bytes, nonce: bytes, ad: bytes, sealed: bytes) -> bytes:
    return open_(_hchacha(key, nonce[:16]), bytes(4) + nonce[16:], ad, sealed)
