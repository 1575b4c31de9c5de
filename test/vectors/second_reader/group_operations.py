"""Operations of groups (protocol.md section 15): group-operations.json."""

import ed25519
import group_members
from checking import expect, numbered, unhex
from kdf import H
from records import read_account_record, read_prekey
from wire import bytes_of, decode, encode, fields, list_of, number_of

FIELDS = ("gid", "parents", "previous", "account", "did", "lamport", "kind", "args", "sent_at")
COUNTS = {1: 3, 2: 2, 3: 3, 4: 1, 5: 0, 6: 1, 7: 1, 8: 1}


def read(data: bytes) -> dict:
    """The fields of an operation; its signature is not looked at."""
    if not 64 < len(data) <= 4096:
        raise ValueError("an operation has at most 4096 bytes")
    o = dict(zip(FIELDS, fields(decode(data[:-64]), "op", 11)))
    o["body"], o["signature"], o["id"] = data[:-64], data[-64:], H(data)
    for name in ("gid", "previous"):
        if o[name] != b"":
            bytes_of(o[name], 32)
    _ids(o["parents"], 16)
    bytes_of(o["account"], 32)
    bytes_of(o["did"], 16)
    number_of(o["lamport"], 0, 2**32 - 1)
    number_of(o["sent_at"], 0, 253402300799999)
    if number_of(o["kind"], 1, 255) not in COUNTS or len(list_of(o["args"], 3)) != COUNTS[o["kind"]]:
        raise ValueError("no operation of this version")
    _check_args(o["kind"], o["args"])
    first = o["kind"] == 1
    parents = o["parents"] + ([o["previous"]] if o["previous"] else [])
    if first != (o["gid"] == b"") or first != (parents == []) or first != (o["lamport"] == 0):
        raise ValueError("only the create operation begins a group")
    if len(set(parents)) != len(parents):
        raise ValueError("the own previous operation among the parents")
    o["follows"] = parents
    return o


def _ids(value, most: int) -> None:
    ids = [bytes_of(item, 32) for item in list_of(value, most)]
    if ids != sorted(set(ids)):
        raise ValueError("ids that do not ascend")


def _name(value) -> None:
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= 64:
        raise ValueError("a name has 1 to 64 bytes")


def _check_args(kind: int, args: list) -> None:
    if kind in (1, 7):
        _name(args[0])
    if kind == 1:
        read_account_record(args[1])
        bytes_of(args[2], 16)
    if kind in (2, 6):
        bytes_of(args[0], 32)
    if kind == 2:
        number_of(args[1], 1, 2)
    if kind == 3:
        read_account_record(args[0])
        read_prekey(args[1])
        if args[2] is not None:
            bytes_of(args[2], 0, 512)
    if kind == 4:
        _ids(args[0], 64)
        if args[0] == []:
            raise ValueError("a removal of nothing")
    if kind == 8:
        number_of(args[0], 0, 2**32 - 1)


def record_in(o: dict):
    """The account record that an operation brings, or None."""
    return {1: lambda: o["args"][1], 3: lambda: o["args"][0]}.get(o["kind"], lambda: None)()


def known(gid: bytes, offered: list) -> dict:
    """Those operations that become part of the graph, by id, each with its past."""
    graph, left = {}, list(offered)
    while True:
        ready = [o for o in left if all(parent in graph for parent in o["follows"])]
        if not ready:
            return graph
        left = [o for o in left if o not in ready]
        for o in ready:
            if _join(gid, o, graph):
                graph[o["id"]] = o


def _join(gid: bytes, o: dict, graph: dict) -> bool:
    """The rules for being part of the graph; completes the operation."""
    parents = [graph[parent] for parent in o["follows"]]
    o["past"] = set(o["follows"]).union(*(parent["past"] for parent in parents))
    past = [graph[each] for each in o["past"]]

    def named(account: bytes) -> bool:
        return any(p["kind"] == 1 and p["account"] == account or p["kind"] == 2 and p["args"][0] == account for p in past)

    if (o["id"] if o["kind"] == 1 else o["gid"]) != gid:
        return False
    if o["lamport"] != max((parent["lamport"] + 1 for parent in parents), default=0):
        return False
    previous = graph[o["previous"]] if o["previous"] else None
    if previous and (previous["account"], previous["did"]) != (o["account"], o["did"]):
        return False
    if not previous and o["kind"] != 1 and not (o["kind"] == 3 and named(o["account"])):
        return False

    records = [p["own"] for p in past if p["account"] == o["account"] and p["own"]]
    newest = min(records, key=group_members.age, default=None)
    data = record_in(o)
    o["own"] = data and {**read_account_record(data), "bytes": data}
    if o["own"]:
        if o["own"]["account"] != o["account"] or o["own"]["epoch"] != 0:
            return False
        if newest and o["own"]["bytes"] != newest["bytes"] and o["own"]["seq"] <= newest["seq"]:
            return False
    o["record"] = o["own"] or newest
    device = o["record"] and next((d for d in o["record"]["devices"] if d["did"] == o["did"]), None)
    if not device:
        return False
    o["keys"] = (device["dsk"], device["ik"])
    if previous and previous["keys"] != o["keys"]:
        return False

    if o["kind"] == 4 and not all(a in o["past"] and graph[a]["kind"] in (2, 6) for a in o["args"][0]):
        return False
    if o["kind"] == 6 and (o["args"][0] == o["account"] or not named(o["args"][0])):
        return False
    return ed25519.verify(device["dsk"], ed25519.typed("op", o["body"]), o["signature"])


def check(vectors: dict) -> int:
    seeds = {}
    for where, person in numbered(vectors["people"], "person"):
        account = ed25519.public_key(unhex(person["seed"]))
        expect(f"{where}, account", account, unhex(person["account"]))
        for device in person["devices"]:
            expect(f"{where}, DSK", ed25519.public_key(unhex(device["seed"])), unhex(device["key"]))
            seeds[unhex(device["did"])] = (unhex(device["seed"]), account)

    offered = []
    for where, case in numbered(vectors["operations"], "operation"):
        data = unhex(case["bytes"])
        o = read(data)
        expect(f"{where}, id", o["id"], unhex(case["id"]))
        body = encode([1, "op", *(o[name] for name in FIELDS)])
        seed, account = seeds[o["did"]]
        expect(f"{where}, author", o["account"], account)
        expect(where, body + ed25519.sign(seed, "op", body), data)
        offered.append(o)
    expect("a device that wrote nothing", set(seeds), {o["did"] for o in offered})

    for where, case in numbered(vectors["views"], "view"):
        some = offered[: case["first"]]
        graph = known(offered[0]["id"], some)
        refused = [o["id"].hex() for o in some if o["id"] not in graph]
        expect(f"{where}, what is refused", refused, case["refused"])
        expected = {key: value for key, value in case.items() if key not in ("shows", "first", "refused")}
        expect(where, sort(group_members.view(list(graph.values()))), sort(expected))
    return len(offered) + len(vectors["views"])


def sort(view: dict) -> dict:
    """The view with its lists in one order."""
    by = {"members": "account", "exits": "add", "revocations": "did"}
    return {key: sorted(value, key=lambda each: each[by[key]]) if key in by else value for key, value in view.items()}
