"""A frame: its sealed header and its body (protocol.md section 9)."""

import aes_gcm
import chacha
from kdf import H, hkdf, hmac, lv, u8, u32
from padding import pad, unpad
from wire import decode, encode, list_of


def kdf_rk(session_id: bytes, root: bytes, ikm: bytes) -> tuple:
    """RK, CK and HK."""
    out = hkdf(root, ikm, b"sotto/1 rk" + session_id, 96)
    return out[:32], out[32:64], out[64:]


def kdf_ck(chain_key: bytes) -> tuple:
    """mk and the next chain key."""
    return hmac(chain_key, b"\x01"), hmac(chain_key, b"\x02")


def header_plaintext(r: bytes, pn: int, n: int, pq: int, ct: bytes) -> bytes:
    return r + u32(pn) + u32(n) + u8(pq) + ct


def overhead(chain: int) -> int:
    return 1178 if chain == 1 else 90


def seal_frame(session_id: bytes, chain: int, keys: tuple, header: bytes, payloads: list, random16: bytes) -> bytes:
    """`keys` are the header key and mk."""
    header_key, mk = keys
    padded = pad(overhead(chain), encode(payloads))
    salt = hmac(mk, random16 + H(padded))[:16]
    sealed_header = chacha.seal(header_key, salt[:12], session_id, header)
    head = u8(3 if chain == 1 else 2) + salt + sealed_header
    return head + aes_gcm.seal(message_key(mk, salt), bytes(12), lv(session_id) + lv(head), padded)


def message_key(mk: bytes, salt: bytes) -> bytes:
    return hmac(mk, b"sotto/1 msg" + salt)


def split_frame(frame: bytes) -> tuple:
    """Type, salt, sealed header, head and body."""
    if not frame or frame[0] not in (2, 3):
        raise ValueError("no frame")
    size = 1162 if frame[0] == 3 else 74
    if not size + 16 < len(frame) <= 16384:
        raise ValueError("a frame of a length that does not exist")
    return frame[0], frame[1:17], frame[17:size], frame[:size], frame[size:]


def open_header(session_id: bytes, header_key: bytes, salt: bytes, sealed: bytes):
    """r, pn, n, pq and the ciphertext of chain 1, or None when the key is another."""
    try:
        header = chacha.open_(header_key, salt[:12], session_id, sealed)
    except ValueError:
        return None
    pn, n = int.from_bytes(header[32:36], "big"), int.from_bytes(header[36:40], "big")
    return header[:32], pn, n, header[40], header[41:]


def open_body(session_id: bytes, mk: bytes, salt: bytes, head: bytes, body: bytes) -> list:
    """The payloads."""
    padded = aes_gcm.open_(message_key(mk, salt), bytes(12), lv(session_id) + lv(head), body)
    payloads = list_of(decode(unpad(padded)), 32)
    if any(not isinstance(payload, bytes) for payload in payloads):
        raise ValueError("a payload that is no byte string")
    return payloads
