"""Blinded keys and slot values (protocol.md section 6): blinding.json and slot.json."""

import chacha
import ed25519
from checking import expect, numbered, unhex
from curve import L, little
from kdf import hkdf, lv, u32
from records import read_account_record, read_device_record
from wire import bytes_of, decode, encode, number_of

CT_SIZES = (4096, 8192)


def check_blinding(vectors: dict) -> int:
    message = unhex(vectors["message"])
    for where, case in numbered(vectors["cases"], "case"):
        seed, account = unhex(case["seed"]), unhex(case["publicKey"])
        expect(f"{where}, public key", ed25519.public_key(seed), account)
        h = ed25519.blinding_factor(account, unhex(case["secret"]), case["day"])
        expect(f"{where}, h", h, unhex(case["h"]))
        blinded = ed25519.blind_public(account, h)
        expect(f"{where}, blinded public key", blinded, unhex(case["blindedPublicKey"]))
        signature = ed25519.sign_blinded(seed, h, "dht", message)
        expect(f"{where}, signature", signature, unhex(case["signature"]))
        holds = ed25519.verify(blinded, ed25519.typed("dht", message), signature)
        expect(f"{where}, whether the signature holds", holds, True)
        larger = signature[:32] + (little(signature[32:]) + L).to_bytes(32, "little")
        holds = ed25519.verify(blinded, ed25519.typed("dht", message), larger)
        expect(f"{where}, whether it holds with L added to S", holds, False)
    return len(vectors["cases"])


def next_rev(account: bytes, secret: bytes, day: int, now: int, last) -> bytes:
    start = int.from_bytes(hkdf(secret, account, b"sotto/1 rev" + u32(day), 5), "big")
    least = 0 if last is None else int.from_bytes(last, "big") + 1
    return max(now + start, least).to_bytes(8, "big")


def record_key(account: bytes, secret: bytes, day: int) -> bytes:
    return hkdf(secret, account, b"sotto/1 record" + u32(day), 32)


def write_value(seed: bytes, secret: bytes, day: int, rev: bytes, nonce: bytes, records: tuple) -> tuple:
    """The DHT key and the whole signed value."""
    account = ed25519.public_key(seed)
    h = ed25519.blinding_factor(account, secret, day)
    blinded = ed25519.blind_public(account, h)
    plaintext = b"".join(lv(record) for record in records)
    size = next(size for size in CT_SIZES if size >= len(plaintext) + 16)
    ad = blinded + u32(day) + rev
    ct = chacha.xseal(record_key(account, secret, day), nonce, ad, plaintext.ljust(size - 16, b"\0"))
    body = encode([1, blinded, day, rev, nonce, ct])
    return "/sotto/" + blinded.hex(), body + ed25519.sign_blinded(seed, h, "dht", body)


def read_value(account: bytes, secret: bytes, day: int, value: bytes) -> tuple:
    """The two records in a value, after every check of a reader that needs no other values."""
    if len(value) - 77 - 64 not in CT_SIZES:
        raise ValueError("a slot value has 4237 or 8333 bytes")
    body = decode(value[:-64])
    if not isinstance(body, list) or len(body) != 6 or body[0] != 1:
        raise ValueError("no slot value of version 1")
    _, blinded, its_day, rev, nonce, ct = body
    for field, size in ((blinded, 32), (rev, 8), (nonce, 24), (ct, len(value) - 77 - 64)):
        bytes_of(field, size)
    number_of(its_day, 256, 65535)
    expected = ed25519.blind_public(account, ed25519.blinding_factor(account, secret, day))
    if its_day != day or blinded != expected:
        raise ValueError("a slot value of another day or key")
    if not ed25519.verify(blinded, ed25519.typed("dht", value[:-64]), value[-64:]):
        raise ValueError("the signature of a slot value does not hold")
    text = chacha.xopen(record_key(account, secret, day), nonce, blinded + u32(day) + rev, ct)
    records = []
    for _ in range(2):
        length = int.from_bytes(text[:4], "big")
        if len(text) < 4 + length:
            raise ValueError("a length in a slot claims more than remains")
        records.append(text[4 : 4 + length])
        text = text[4 + length :]
    if any(text):
        raise ValueError("something follows the records in a slot")
    return tuple(records)


def check_slots(vectors: dict) -> int:
    seed, account = unhex(vectors["accountPrivate"]), unhex(vectors["account"])
    records = unhex(vectors["accountRecord"]), unhex(vectors["deviceRecord"])
    expect("account", ed25519.public_key(seed), account)
    pinned = read_account_record(records[0])
    expect("AK_0 in the account record", pinned["account"], account)
    read_device_record(records[1], pinned)
    for where, case in numbered(vectors["cases"], "case"):
        secret, day = unhex(case["secret"]), case["day"]
        rev = next_rev(account, secret, day, vectors["now"], unhex(case["lastRev"]))
        expect(f"{where}, rev", rev, unhex(case["rev"]))
        key, value = write_value(seed, secret, day, rev, unhex(case["nonce"]), records)
        expect(f"{where}, key", key, case["key"])
        expect(f"{where}, value", value, unhex(case["value"]))
        expect(f"{where}, the records in it", read_value(account, secret, day, value), records)
    return len(vectors["cases"])
