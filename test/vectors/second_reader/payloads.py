"""Payloads (protocol.md section 10): payload.json, encoded from its fields and read again."""

from checking import expect, numbered, unhex
from contents import CONTENTS
from wire import bytes_of, decode, encode, number_of

NAMES = ("kind", "id", "conversation", "counter", "previousHash", "lamport", "sentAt", "expiresAfter", "content")
BYTES = ("id", "conversation", "previousHash", "content")


def write_payload(p: dict) -> bytes:
    return encode([1, *(p[name] for name in NAMES)])


def read_payload(data: bytes) -> dict:
    if len(data) > 14336:
        raise ValueError("a payload has at most 14336 bytes")
    value = decode(data)
    if not isinstance(value, list) or len(value) != 10 or value[0] != 1:
        raise ValueError("no payload of version 1")
    p = dict(zip(NAMES, value[1:]))
    number_of(p["kind"], 1, 255), number_of(p["lamport"], 0, 2**48), number_of(p["expiresAfter"], 0, 2**32 - 1)
    number_of(p["sentAt"], 0, 253402300799999), bytes_of(p["id"], 16), bytes_of(p["content"], 0, 14336)
    for name in ("conversation", "previousHash"):
        if p[name] != b"":
            bytes_of(p[name], 32)
    number_of(p["counter"], 1 if p["kind"] < 64 else 0, 2**40 if p["kind"] < 64 else 0)
    if p["previousHash"] and p["counter"] <= 1:
        raise ValueError("a payload that can have none before it names its hash")
    if p["kind"] >= 64 and p["lamport"] != 0:
        raise ValueError("an ephemeral payload with a Lamport time")
    return p


def check(vectors: list) -> int:
    for where, case in numbered(vectors, "payload"):
        listed = {name: unhex(case["payload"][name]) if name in BYTES else case["payload"][name] for name in NAMES}
        expect(f"{where}, names of the fields", sorted(case["payload"]), sorted(NAMES))
        expect(f"{where}, bytes", write_payload(listed), unhex(case["bytes"]))
        expect(f"{where}, as it is read", read_payload(unhex(case["bytes"])), listed)
        defined = CONTENTS.get(listed["kind"])
        if defined is None:
            expect(f"{where}, content of a kind that version 1 does not define", None, case["content"])
            continue
        name, write, read = defined
        expect(f"{where}, name of the kind", name, case["content"]["kind"])
        says = {key: value for key, value in case["content"].items() if key != "kind"}
        expect(f"{where}, content as bytes", encode(write(says)), listed["content"])
        expect(f"{where}, content as it is read", read(decode(listed["content"])), says)
    return len(vectors)
