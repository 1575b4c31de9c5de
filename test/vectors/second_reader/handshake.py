"""The handshake and the proof of a link (protocol.md sections 7 and 8), from both sides."""

import aes_gcm
from kdf import H, hkdf, hmac, lv, u8

NAME = b"sotto/1 hs X25519+MLKEM768_AESGCM_SHA256"
HEAD_BYTES = 1131


class Transcript:
    """The SymmetricState of section 8. Every change is kept as (step, h, ck, k)."""

    def __init__(self):
        self.h = self.ck = H(NAME)
        self.k = None
        self.steps = []
        self.note("start")

    def note(self, step: str) -> None:
        self.steps.append((step, self.h, self.ck, self.k))

    def mix_hash(self, x: bytes) -> None:
        self.h = H(self.h + lv(x))

    def mix_key(self, x: bytes) -> None:
        both = hkdf(self.ck, x, b"sotto/1 mix", 64)
        self.ck, self.k = both[:32], both[32:]

    def enc(self, plaintext: bytes) -> bytes:
        ct = aes_gcm.seal(self.k, bytes(12), self.h, plaintext)
        self._end(ct)
        return ct

    def dec(self, ct: bytes) -> bytes:
        plaintext = aes_gcm.open_(self.k, bytes(12), self.h, ct)
        self._end(ct)
        return plaintext

    def _end(self, ct: bytes) -> None:
        self.k = None
        self.mix_hash(ct)


def begin(t: Transcript, responder: bytes, head: bytes) -> None:
    """Steps 2 to 4. `responder` is AID_B, did_B, IK_B and H(P_B)."""
    t.mix_hash(b"\x01\x00")
    t.mix_hash(responder)
    t.note("MixHash(suite || flags), MixHash(AID_B || did_B || IK_B || H(P_B))")
    t.mix_hash(head)
    t.note("MixHash(prefix through ct)")


def mix_key(t: Transcript, name: str, secret: bytes) -> None:
    t.mix_key(secret)
    t.note(f"MixKey({name})")


def make_head(prekey_id: bytes, ephemeral_public: bytes, ct: bytes) -> bytes:
    return b"\x01\x01\x00" + prekey_id + ephemeral_public + ct


def cut(prefix: bytes) -> tuple:
    """Prekey id, E_A, ct, head and sid of a prefix that ends with its sid."""
    if len(prefix) < HEAD_BYTES + 4 or prefix[:3] != b"\x01\x01\x00":
        raise ValueError("no prefix")
    length = int.from_bytes(prefix[HEAD_BYTES : HEAD_BYTES + 4], "big")
    sid = prefix[HEAD_BYTES + 4 :]
    if length > 2048 or length != len(sid):
        raise ValueError("the length of sid in a prefix")
    return prefix[3:11], prefix[11:43], prefix[43:HEAD_BYTES], prefix[:HEAD_BYTES], sid


def split(t: Transcript) -> dict:
    """Step 10."""
    keys = hkdf(t.ck, b"", b"sotto/1 split", 128)
    names = ("rootKey", "chainKey", "headerKey0", "headerKey1")
    session = {name: keys[32 * i : 32 * i + 32] for i, name in enumerate(names)}
    return {**session, "linkKey": hkdf(t.ck, b"", b"sotto/1 link", 32), "sessionId": t.h}


def link_proof(link_key: bytes, side: int, dialler: bytes, listener: bytes, nonces: tuple) -> bytes:
    text = b"sotto/1 link" + u8(side) + lv(dialler) + lv(listener) + nonces[0] + nonces[1]
    return hmac(link_key, text)[:16]
