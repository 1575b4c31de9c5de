"""handshake.json: each handshake as the initiator makes it and as the responder reads it, and the proofs of a link."""

import handshake
import mlkem
from checking import expect, numbered, unhex
from curve import x25519, x25519_public
from kdf import H, lv
from records import read_prekey
from wire import bytes_of, decode, encode, number_of

SECRETS = ("DH(e_A, IK_B)", "DH(e_A, SPK_B)", "ss", "DH(IK_A, SPK_B)")


def check(vectors: dict) -> int:
    for where, case in numbered(vectors["cases"], "case"):
        a = {name: value if name == "gen" else unhex(value) for name, value in case["initiator"].items()}
        b = {name: unhex(value) for name, value in case["responder"].items()}
        _check_keys(where, a, b)
        _compare(f"{where}, initiator", case, *_initiate(case, a, b))
        _compare(f"{where}, responder", case, *_respond(unhex(case["prefix"]), a, b))
        _check_proofs(where, case)
    return len(vectors["cases"])


def _check_keys(where: str, a: dict, b: dict) -> None:
    prekey = read_prekey(b["prekey"])
    expect(f"{where}, IK_A", x25519_public(a["identityKey"]), a["identityPublicKey"])
    expect(f"{where}, IK_B", x25519_public(b["identityKey"]), b["identityPublicKey"])
    expect(f"{where}, SPK_B in the prekey", x25519_public(b["prekeyDh"]), prekey["dh"])
    expect(f"{where}, encapsulation key in the prekey", mlkem.key_pair(b["prekeyKemSeed"])[0], prekey["kem"])


def _responder_part(b: dict) -> bytes:
    return b["aid"] + b["did"] + b["identityPublicKey"] + H(b["prekey"])


def _initiate(case: dict, a: dict, b: dict) -> tuple:
    """Steps 1 to 10 with the privates of A."""
    prekey, t = read_prekey(b["prekey"]), handshake.Transcript()
    ct, ss = mlkem.encapsulate(prekey["kem"], a["encapsulation"])
    secrets = (
        x25519(a["ephemeral"], b["identityPublicKey"]),
        x25519(a["ephemeral"], prekey["dh"]),
        ss,
        x25519(a["identityKey"], prekey["dh"]),
    )
    head = handshake.make_head(prekey["id"], x25519_public(a["ephemeral"]), ct)
    handshake.begin(t, _responder_part(b), head)
    for name, secret in zip(SECRETS[:3], secrets):
        handshake.mix_key(t, name, secret)
    identity = encode([a["accountRecord"], a["did"], a["gen"], mlkem.key_pair(a["kemSeed"])[0]])
    prefix = head + lv(t.enc(identity))
    t.note("Enc(identity)")
    handshake.mix_key(t, SECRETS[3], secrets[3])
    return t, secrets, identity, prefix


def _respond(prefix: bytes, a: dict, b: dict) -> tuple:
    """Steps 1 to 10 with the privates of B, from the prefix; of A only IK_A, which is in its account record."""
    t = handshake.Transcript()
    prekey_id, ephemeral, ct, head, sid = handshake.cut(prefix)
    expect("the prekey id in the prefix", prekey_id, read_prekey(b["prekey"])["id"])
    secrets = (
        x25519(b["identityKey"], ephemeral),
        x25519(b["prekeyDh"], ephemeral),
        mlkem.decapsulate(b["prekeyKemSeed"], ct),
        x25519(b["prekeyDh"], a["identityPublicKey"]),
    )
    handshake.begin(t, _responder_part(b), head)
    for name, secret in zip(SECRETS[:3], secrets):
        handshake.mix_key(t, name, secret)
    identity = t.dec(sid)
    t.note("Enc(identity)")
    record, did, gen, key = decode(identity)
    bytes_of(record, 0, 768), bytes_of(did, 16), number_of(gen), mlkem.check_key(bytes_of(key, 1184))
    handshake.mix_key(t, SECRETS[3], secrets[3])
    return t, secrets, identity, head + lv(sid)


def _compare(where: str, case: dict, t: handshake.Transcript, secrets: tuple, identity: bytes, prefix: bytes) -> None:
    expect(f"{where}, names of the shared secrets", sorted(SECRETS), sorted(case["shared"]))
    for name, secret in zip(SECRETS, secrets):
        expect(f"{where}, {name}", secret, unhex(case["shared"][name]))
    expect(f"{where}, identity", identity, unhex(case["identity"]))
    expect(f"{where}, number of steps", len(t.steps), len(case["transcript"]))
    for (step, h, ck, k), listed in zip(t.steps, case["transcript"]):
        expect(f"{where}, name of a step", step, listed["step"])
        for name, value in (("h", h), ("ck", ck), ("k", k)):
            expect(f"{where}, {name} after {step}", value, unhex(listed[name]))
    expect(f"{where}, prefix", prefix, unhex(case["prefix"]))
    expect(f"{where}, prefixHash", H(prefix), unhex(case["prefixHash"]))
    expect(f"{where}, session", handshake.split(t), {name: unhex(v) for name, v in case["session"].items()})


def _check_proofs(where: str, case: dict) -> None:
    link = case["link"]
    expect(f"{where}, number of proofs", 2, len(link["proofs"]))
    nonces = unhex(link["dialerNonce"]), unhex(link["listenerNonce"])
    for side, listed in enumerate(link["proofs"]):
        key = unhex(case["session"]["linkKey"])
        proof = handshake.link_proof(key, side, unhex(link["dialer"]), unhex(link["listener"]), nonces)
        expect(f"{where}, proof of side {side}", proof, unhex(listed))
