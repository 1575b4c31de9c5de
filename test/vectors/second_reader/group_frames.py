"""Sender chains, frames and topics of groups (protocol.md section 15): group-frames.json."""

import aes_gcm
import chacha
import ed25519
from checking import expect, expect_refused, numbered, unhex
from contents import CONTENTS
from frames import kdf_ck
from kdf import H, hkdf, hmac, lv, u8, u32
from padding import pad, unpad
from payloads import read_payload
from wire import decode, encode

OVERHEAD = 294
WEEK = 7 * 24 * 3600
OVERLAP = 12 * 3600


class Chain:
    """What everybody who reads a chain knows of it."""

    def __init__(self, c: dict):
        self.gid, self.aid, self.did = unhex(c["gid"]), unhex(c["aid"]), unhex(c["did"])
        self.public_key, self.header_key = unhex(c["publicKey"]), unhex(c["headerKey"])
        self.id = H(self.gid + self.aid + self.did + self.public_key)[:16]
        self.author = H(self.gid + self.aid + self.did)[:16]

    def context(self, n: int) -> bytes:
        return lv(self.gid) + lv(self.aid) + lv(self.did) + self.id + u32(n)

    def seal(self, seed: bytes, n: int, mk: bytes, payload: bytes, seen: list, random16: bytes) -> bytes:
        padded = pad(OVERHEAD, payload)
        salt = hmac(mk, random16 + H(padded))[:16]
        keys = hkdf(salt, mk, b"sotto/1 gmsg" + self.context(n), 64)
        header = (u32(n) + u8(len(seen)) + b"".join(seen)).ljust(133, b"\0")
        head = u8(5) + self.id + salt + chacha.seal(self.header_key, salt[:12], self.id, header) + keys[32:]
        unsigned = head + aes_gcm.seal(keys[:32], bytes(12), head, padded)
        return unsigned + ed25519.sign(seed, "gmsg", self.context(n) + unsigned)

    def open(self, frame: bytes, mk_of) -> tuple:
        """n, the ids in the header, and the payload. `mk_of(n)` is the mk of a number."""
        if not OVERHEAD < len(frame) <= 16384 or frame[0] != 5 or frame[1:17] != self.id:
            raise ValueError("no frame of this chain")
        salt, commit, head = frame[17:33], frame[182:214], frame[:214]
        header = chacha.open_(self.header_key, salt[:12], self.id, frame[33:182])
        n, count = int.from_bytes(header[:4], "big"), header[4]
        seen = [header[5 + 16 * i : 21 + 16 * i] for i in range(count)]
        if count > 8 or any(header[5 + 16 * count :]) or n > 499:
            raise ValueError("a header that nobody writes")
        if not ed25519.verify(self.public_key, ed25519.typed("gmsg", self.context(n) + frame[:-64]), frame[-64:]):
            raise ValueError("the signature does not hold")
        keys = hkdf(salt, mk_of(n), b"sotto/1 gmsg" + self.context(n), 64)
        if keys[32:] != commit:
            raise ValueError("not committed to this key")
        return n, seen, unpad(aes_gcm.open_(keys[:32], bytes(12), head, frame[214:-64]))


def topic_of(key: bytes, week: int) -> str:
    return hmac(key, u32(week)).hex()


def topics_at(key: bytes, ms: int) -> list:
    """The topic that is written to, then that of a week whose turn is near."""
    weeks = [(ms + shift * 1000) // (WEEK * 1000) for shift in (0, -OVERLAP, OVERLAP)]
    return [topic_of(key, week) for week in dict.fromkeys(weeks)]


def check(vectors: dict) -> int:
    listed = vectors["chain"]
    chain, seed = Chain(listed), unhex(listed["seed"])
    expect("public key of the chain", ed25519.public_key(seed), chain.public_key)
    expect("id of the chain", chain.id, unhex(listed["id"]))
    expect("id of the author", chain.author, unhex(listed["author"]))
    keys = {0: unhex(listed["chainKey"])}
    secrets = {}
    for where, case in numbered(vectors["frames"], "frame"):
        n, payload, seen = case["n"], unhex(case["payload"]), [unhex(item) for item in case["seen"]]
        secrets[n], keys[n + 1] = kdf_ck(keys[n])
        expect(f"{where}, mk", secrets[n], unhex(case["messageSecret"]))
        frame = chain.seal(seed, n, secrets[n], payload, seen, unhex(case["random"]))
        expect(where, frame, unhex(case["frame"]))
        expect(f"{where}, id", H(frame)[:16], unhex(case["id"]))
        expect(f"{where}, opened", chain.open(frame, secrets.get), (n, seen, payload))
        read = read_payload(payload)
        expect(f"{where}, whose payload it is", read["conversation"], chain.gid)
        expect(f"{where}, id of the message", H(chain.author + read["id"])[:16], unhex(case["messageId"]))
        forged = frame[:300] + bytes([frame[300] ^ 1]) + frame[301:]
        expect_refused(f"{where} with another body", chain.open, forged, secrets.get)

    topic = vectors["topicKey"]
    for where, case in numbered(vectors["handedOut"], "handing out"):
        told = {"chainKey": keys[case["n"]].hex(), "n": case["n"], "after": case["n"], "headerKey": listed["headerKey"]}
        told.update({"publicKey": listed["publicKey"], "heads": listed["heads"], "topic": topic})
        _, write, read = CONTENTS[70]
        expect(where, encode(write({"announcement": told})), unhex(case["content"]))
        expect(f"{where}, as it is read", read(decode(unhex(case["content"]))), {"announcement": told})

    key = unhex(topic["key"])
    for where, case in numbered(vectors["topics"], "topic"):
        expect(where, topic_of(key, case["week"]), case["topic"])
    for where, case in numbered(vectors["listening"], "time"):
        expect(where, topics_at(key, case["now"]), case["topics"])
    return len(vectors["frames"]) + len(vectors["handedOut"]) + len(vectors["topics"]) + len(vectors["listening"])
