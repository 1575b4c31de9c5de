"""The notation of protocol.md section 1: integers, lv, H, HMAC (RFC 2104) and HKDF (RFC 5869)."""

import hashlib
import hmac as standard_hmac


def u8(n: int) -> bytes:
    return n.to_bytes(1, "big")


def u32(n: int) -> bytes:
    return n.to_bytes(4, "big")


def u64(n: int) -> bytes:
    return n.to_bytes(8, "big")


def lv(x: bytes) -> bytes:
    return u32(len(x)) + x


def H(x: bytes) -> bytes:
    return hashlib.sha256(x).digest()


def hmac(key: bytes, message: bytes) -> bytes:
    return standard_hmac.new(key, message, hashlib.sha256).digest()


def hkdf(salt: bytes, ikm: bytes, info: bytes, size: int) -> bytes:
    """Extract and expand. An empty salt counts as 32 zero bytes (RFC 5869 section 2.2), which HMAC makes the same."""
    prk = hmac(salt, ikm)
    out, block, i = b"", b"", 1
    while len(out) < size:
        block = hmac(prk, block + info + u8(i))
        out, i = out + block, i + 1
    return out[:size]
