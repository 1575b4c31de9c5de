"""Mailboxes (protocol.md section 14): mailbox.json."""

import chacha
import ed25519
from checking import expect, numbered, unhex
from kdf import H, hkdf, lv, u8, u32
from wire import encode

BLOB_SIZES = (1088, 4160, 16448, 65600)


def derive_queue(seed: bytes, account: bytes, kind: str, name) -> tuple:
    """Name, write token and key of the queue for a subject."""
    subject = {"contact": b"", "invite": b"invite:", "knock": b"knock"}[kind] + (name or b"")
    made = hkdf(seed, subject, b"sotto/1 queue", 80)
    if kind == "contact":
        return made[:32], made[32:48], made[48:]
    return made[:32], None, knock_secret(account, made[:32])


def knock_secret(account: bytes, queue: bytes) -> bytes:
    return hkdf(b"", account + queue, b"sotto/1 knock", 32)


def seal_blob(secret: bytes, queue: bytes, nonce: bytes, frames: list) -> bytes:
    packed = u8(len(frames)) + b"".join(lv(frame) for frame in frames)
    size = next(size for size in BLOB_SIZES if size >= 24 + len(packed) + 16)
    return nonce + chacha.xseal(secret, nonce, queue, packed.ljust(size - 40, b"\0"))


def open_blob(secret: bytes, queue: bytes, blob: bytes) -> list:
    if len(blob) not in BLOB_SIZES:
        raise ValueError("no size of a blob")
    text = chacha.xopen(secret, blob[:24], queue, blob[24:])
    frames, rest = [], text[1:]
    for _ in range(text[0]):
        length = int.from_bytes(rest[:4], "big")
        if length == 0 or len(rest) < 4 + length:
            raise ValueError("a frame ends after the blob")
        frames.append(rest[4 : 4 + length])
        rest = rest[4 + length :]
    if any(rest):
        raise ValueError("something follows the frames of a blob")
    return frames


def leading_zeros(digest: bytes) -> int:
    return 8 * len(digest) - int.from_bytes(digest, "big").bit_length()


def check(vectors: dict) -> int:
    seed, account = unhex(vectors["owner"]["seed"]), unhex(vectors["owner"]["account"])
    box_seed, peer = unhex(vectors["mailbox"]["seed"]), unhex(vectors["mailbox"]["peer"])
    key = ed25519.public_key(box_seed)
    expect("key of the owner", ed25519.public_key(seed), unhex(vectors["owner"]["key"]))
    expect("key of the mailbox", key, unhex(vectors["mailbox"]["key"]))

    for where, case in numbered(vectors["queues"], "queue"):
        made = derive_queue(seed, account, case["subject"], unhex(case["name"]))
        expect(where, made, (unhex(case["queue"]), unhex(case["token"]), unhex(case["secret"])))
    queue, token, secret = derive_queue(seed, account, "contact", unhex(vectors["queues"][0]["name"]))

    for where, case in numbered(vectors["blobs"], "blob"):
        frames = [unhex(frame) for frame in case["frames"]]
        blob = seal_blob(secret, queue, unhex(case["nonce"]), frames)
        expect(where, blob, unhex(case["blob"]))
        expect(f"{where}, opened", open_blob(secret, queue, blob), frames)

    for where, case in numbered(vectors["routes"], "route"):
        addresses = [unhex(address) for address in case["addresses"]]
        made = encode([1, "route", peer, addresses, key, queue, token, secret])
        expect(where, made, unhex(case["bytes"]))
    places = []
    for where, case in numbered(vectors["knockRoutes"]["places"], "knock route"):
        addresses = [unhex(address) for address in case["addresses"]]
        places.append([unhex(case["peer"]), addresses, unhex(case["key"]), unhex(case["queue"])])
        expect(f"{where}, key of the queue", knock_secret(account, unhex(case["queue"])), unhex(case["secret"]))
    expect("knock routes", encode(places), unhex(vectors["knockRoutes"]["bytes"]))

    for where, case in numbered(vectors["receipts"], "receipt"):
        kept = [[unhex(blob["queue"]), unhex(blob["hash"]), blob["until"]] for blob in case["blobs"]]
        body = encode([1, "receipt", case["now"], kept])
        made = body + ed25519.sign(box_seed, "receipt", body)
        expect(where, made, unhex(case["bytes"]))
        expect(f"{where}, as an answer", encode([1, "receipt", 0, case["numbers"], made]), unhex(case["answer"]))

    login = encode([1, "login", peer, key, unhex(vectors["login"]["nonce"])])
    expect("login", ed25519.sign(seed, "mailbox", login), unhex(vectors["login"]["signature"]))

    stamp = vectors["stamp"]
    work = b"sotto/1 stamp" + lv(peer) + queue + u32(stamp["hour"]) + unhex(stamp["hash"]) + unhex(stamp["nonce"])
    expect("leading zero bits of the stamp", leading_zeros(H(work)), stamp["bits"])
    for where, case in numbered(vectors["puts"], "put"):
        stamp = case["stamp"] and [case["stamp"]["hour"], unhex(case["stamp"]["nonce"])]
        made = [1, "put", case["n"], queue, unhex(case["token"]), stamp, unhex(case["blob"])]
        if case["replaced"]:
            made.append([unhex(name) for name in case["replaced"]])
        expect(where, encode(made), unhex(case["bytes"]))
    return len(vectors["puts"]) + len(vectors["queues"]) + len(vectors["blobs"]) + len(vectors["routes"]) + len(places) + len(vectors["receipts"]) + 2
