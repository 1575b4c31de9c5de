"""Account records, prekeys and device records (protocol.md section 5): made from fields, and read strictly."""

import ed25519
import mlkem
from kdf import H
from wire import bytes_of, decode, encode, fields, list_of, number_of

DAY = 86400
ACCOUNT_FIELDS = ("account", "key", "epoch", "seq", "next", "devices", "issued", "expires")


def account_id(account: bytes) -> bytes:
    return H(b"sotto/1 aid" + account)


def account_body(r: dict) -> bytes:
    devices = [[d["did"], d["dsk"], d["ik"], d["added"]] for d in r["devices"]]
    head = [1, "account", r["account"], r["key"], r["epoch"], r["seq"], r["next"]]
    return encode(head + [devices, r["issued"], r["expires"]])


def _split(record: bytes, most: int) -> tuple:
    if not 64 < len(record) <= most:
        raise ValueError(f"a record has at most {most} bytes")
    return record[:-64], record[-64:]


def read_account_record(record: bytes) -> dict:
    body, signature = _split(record, 640)
    r = dict(zip(ACCOUNT_FIELDS, fields(decode(body), "account", 10)))
    for name in ("account", "key", "next"):
        bytes_of(r[name], 32)
    for name in ("seq", "issued", "expires"):
        number_of(r[name])
    number_of(r["epoch"], 0, 2**32 - 1)
    devices = []
    for device in list_of(r["devices"], 4):
        if len(list_of(device, 4)) != 4:
            raise ValueError("a device has four fields")
        did, dsk, ik = (bytes_of(item, size) for item, size in zip(device, (16, 32, 32)))
        devices.append({"did": did, "dsk": dsk, "ik": ik, "added": number_of(device[3])})
    r["devices"] = devices
    if r["epoch"] == 0 and r["account"] != r["key"]:
        raise ValueError("in epoch 0 AK_e is AK_0")
    keys = [*{r["account"], r["key"]}, r["next"], *(d[name] for d in devices for name in ("dsk", "ik"))]
    if len(set(keys)) != len(keys) or len({d["did"] for d in devices}) != len(devices):
        raise ValueError("a key or a did occurs twice")
    if not r["issued"] < r["expires"] <= r["issued"] + 90 * DAY:
        raise ValueError("a record that expires at the wrong time")
    if not ed25519.verify(r["key"], ed25519.typed("account", body), signature):
        raise ValueError("the signature of an account record does not hold")
    return r


def prekey_bytes(p: dict) -> bytes:
    return encode([p["id"], p["dh"], p["kem"], p["issued"], p["expires"]])


def read_prekey(data: bytes) -> dict:
    if len(data) > 1280:
        raise ValueError("a prekey has at most 1280 bytes")
    value = list_of(decode(data), 5)
    if len(value) != 5:
        raise ValueError("a prekey has five fields")
    p = {"id": bytes_of(value[0], 8), "dh": bytes_of(value[1], 32), "kem": bytes_of(value[2], 1184)}
    p["issued"], p["expires"] = number_of(value[3]), number_of(value[4])
    mlkem.check_key(p["kem"])
    if not p["issued"] < p["expires"] <= p["issued"] + 9 * DAY:
        raise ValueError("a prekey that expires at the wrong time")
    return p


def device_body(r: dict) -> bytes:
    place = None if r["place"] is None else [r["place"]["peer"], r["place"]["addresses"]]
    head = [1, "device", r["aid"], r["did"], r["seq"], r["minAccountSeq"], r["prekey"]]
    return encode(head + [r["knockRoute"], place, r["capabilities"], r["issued"]])


def read_device_record(record: bytes, account: dict) -> dict:
    """A device record beside a verified account record."""
    body, signature = _split(record, 3072)
    aid, did, seq, least, prekey, route, place, capabilities, issued = fields(decode(body), "device", 11)
    r = {"aid": bytes_of(aid, 32), "did": bytes_of(did, 16), "seq": number_of(seq), "minAccountSeq": number_of(least)}
    r["prekey"] = read_prekey(bytes_of(prekey, 0, 1280))
    r["knockRoute"] = None if route is None else bytes_of(route, 0, 768)
    r["place"] = None if place is None else _read_place(place)
    r["capabilities"] = [number_of(c, 0, 65535) for c in list_of(capabilities, 16)]
    r["issued"] = number_of(issued)
    if r["capabilities"] != sorted(set(r["capabilities"])):
        raise ValueError("capabilities that do not ascend")
    device = next((d for d in account["devices"] if d["did"] == did), None)
    if device is None or aid != account_id(account["account"]):
        raise ValueError("a device that its account record does not list")
    if least > account["seq"]:
        raise ValueError("a device record beside an account record that is too old")
    if not ed25519.verify(device["dsk"], ed25519.typed("device", body), signature):
        raise ValueError("the signature of a device record does not hold")
    return r


def _read_place(place) -> dict:
    if len(list_of(place, 2)) != 2:
        raise ValueError("a place has two fields")
    return {"peer": bytes_of(place[0], 1, 64), "addresses": [bytes_of(a, 1, 64) for a in list_of(place[1], 8)]}
