"""record.json: words, account keys and texts, account records, prekeys and device records."""

import curve
import ed25519
import mlkem
from checking import expect, numbered, unhex
from kdf import hkdf, u32
from records import account_body, account_id, device_body, prekey_bytes
from records import read_account_record, read_device_record, read_prekey
from words import account_text, read_account_text, words_fit


def check(vectors: dict) -> int:
    for where, case in numbered(vectors["accounts"], "account"):
        _check_account(where, case)
    for where, case in numbered(vectors["accountRecords"], "account record"):
        _check_account_record(where, case)
    for where, case in numbered(vectors["deviceRecords"], "device record"):
        _check_device_record(where, case)
    return sum(len(vectors[name]) for name in ("accounts", "accountRecords", "deviceRecords"))


def _check_account(where: str, case: dict) -> None:
    seed = unhex(case["seed"])
    expect(f"{where}, whether the words are those of the seed", words_fit(seed, case["words"].split()), True)
    for key in case["keys"]:
        private = hkdf(b"", seed, b"sotto/1 account" + u32(key["epoch"]), 32)
        expect(f"{where}, private key of epoch {key['epoch']}", private, unhex(key["privateKey"]))
        expect(f"{where}, public key of epoch {key['epoch']}", ed25519.public_key(private), unhex(key["publicKey"]))
    account = unhex(case["keys"][0]["publicKey"])
    expect(f"{where}, whether AK_0 is an account key", ed25519.is_account_key(account), True)
    expect(f"{where}, aid", account_id(account), unhex(case["aid"]))
    expect(f"{where}, text", account_text(account), case["text"])
    expect(f"{where}, the key in the text", read_account_text(case["text"]), account)


def _check_account_record(where: str, case: dict) -> None:
    record = {**case, **{name: unhex(case[name]) for name in ("account", "key", "next")}}
    record["devices"] = [{**d, **{name: unhex(d[name]) for name in ("did", "dsk", "ik")}} for d in case["devices"]]
    seed = unhex(case["keyPrivate"])
    expect(f"{where}, AK_e of its private", ed25519.public_key(seed), record["key"])
    body = account_body(record)
    expect(f"{where}, bytes", body + ed25519.sign(seed, "account", body), unhex(case["bytes"]))
    read = read_account_record(unhex(case["bytes"]))
    expect(f"{where}, as it is read", read, {name: record[name] for name in read})


def _check_device_record(where: str, case: dict) -> None:
    prekey = _check_prekey(f"{where}, prekey", case["prekey"])
    record = {**case, "prekey": prekey}
    record.update({name: unhex(case[name]) for name in ("aid", "did", "knockRoute")})
    if case["place"] is not None:
        addresses = [unhex(a) for a in case["place"]["addresses"]]
        record["place"] = {"peer": unhex(case["place"]["peer"]), "addresses": addresses}
    body = device_body(record)
    expect(f"{where}, bytes", body + ed25519.sign(unhex(case["dskPrivate"]), "device", body), unhex(case["bytes"]))
    read = read_device_record(unhex(case["bytes"]), read_account_record(unhex(case["accountRecord"])))
    expect(f"{where}, as it is read", read, {**{name: record[name] for name in read}, "prekey": read_prekey(prekey)})


def _check_prekey(where: str, case: dict) -> bytes:
    dh, kem = curve.x25519_public(unhex(case["dhPrivate"])), mlkem.key_pair(unhex(case["kemSeed"]))[0]
    expect(f"{where}, X25519 public key", dh, unhex(case["dhPublic"]))
    expect(f"{where}, encapsulation key", kem, unhex(case["kemPublic"]))
    made = prekey_bytes({**case, "id": unhex(case["id"]), "dh": dh, "kem": kem})
    expect(f"{where}, bytes", made, unhex(case["bytes"]))
    return made
