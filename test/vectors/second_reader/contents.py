"""The content of each kind of payload (protocol.md section 10), to and from the fields of payload.json.

`write` makes the CBOR value of a content, `read` checks one and gives the content. Byte strings are hexadecimal there.
"""

from checking import unhex
from wire import bytes_of, list_of, number_of

MAX_COUNTER = 2**40
CONTROLS = {
    1: ("gen-too-low", "gen"),
    2: ("rolled-back", "counter"),
    3: ("moved", "session"),
    4: ("pq-offer", "bytes"),
    5: ("pq-answer", "bytes"),
    6: ("heartbeat", "counter"),
}


def _tuple(value, count: int) -> list:
    if len(list_of(value, count)) != count:
        raise ValueError(f"a content without {count} fields")
    return value


def _hex(value, least: int, most: int = -1) -> str:
    return bytes_of(value, least, most).hex()


def _optional(value, read, *arguments):
    return None if value is None else read(value, *arguments)


def _text(value, most: int) -> str:
    if not isinstance(value, str) or len(value.encode()) > most:
        raise ValueError(f"no text of at most {most} bytes")
    return value


def _conversation(value) -> str:
    return "" if value == b"" else _hex(value, 32)


def _ranges(value) -> list:
    last = -1
    for item in list_of(value, 256):
        start, end = _tuple(item, 2)
        if not last + 1 < number_of(start, 1, MAX_COUNTER) <= number_of(end, 1, MAX_COUNTER):
            raise ValueError("ranges that do not ascend, overlap or touch")
        last = end
    return value


def _read_text(value) -> dict:
    text, reply = _tuple(value, 2)
    return {"text": _text(text, 8192), "replyTo": _optional(reply, _hex, 16)}


def _write_receipt(c: dict) -> list:
    return [[unhex(e["author"]), unhex(e["conversation"]), e["delivered"], e["read"]] for e in c["entries"]]


def _read_receipt(value) -> dict:
    entries = []
    for entry in list_of(value, 32):
        author, conversation, delivered, read = _tuple(entry, 4)
        entry = {"author": _hex(author, 16), "conversation": _conversation(conversation)}
        entries.append({**entry, "delivered": _ranges(delivered), "read": _ranges(read)})
    if sum(len(e["delivered"]) + len(e["read"]) for e in entries) > 256:
        raise ValueError("more than 256 ranges in a receipt")
    return {"entries": entries}


def _read_typing(value) -> dict:
    if not isinstance(_tuple(value, 1)[0], bool):
        raise ValueError("typing is true or false")
    return {"on": value[0]}


def _write_control(c: dict) -> list:
    control = c["control"]
    code, name = next((code, name) for code, (kind, name) in CONTROLS.items() if kind == control["code"])
    argument = control[name]
    return [code, unhex(argument) if isinstance(argument, str) else argument]


def _read_control(value) -> dict:
    code, argument = _tuple(value, 2)
    kind, name = CONTROLS[number_of(code, 1, 6)]
    if name == "session":
        argument = _hex(argument, 32)
    elif name == "bytes":
        argument = _hex(argument, 0, 1280)
    else:
        number_of(argument)
    return {"control": {"code": kind, name: argument}}


def _write_record_seq(c: dict) -> list:
    return [c["accountSeq"], unhex(c["accountHash"]), c["deviceSeq"], unhex(c["deviceHash"])]


def _read_record_seq(value) -> dict:
    account, account_hash, device, device_hash = _tuple(value, 4)
    first = {"accountSeq": number_of(account), "accountHash": _hex(account_hash, 32)}
    return {**first, "deviceSeq": number_of(device), "deviceHash": _hex(device_hash, 32)}


def _write_gaps(c: dict) -> list:
    return [[unhex(g["author"]), unhex(g["conversation"]), g["from"], g["to"]] for g in c["gaps"]]


def _read_gaps(value) -> dict:
    gaps = []
    for gap in list_of(value, 32):
        author, conversation, start, end = _tuple(gap, 4)
        number_of(start, 1, number_of(end, 1, MAX_COUNTER))
        gaps.append({"author": _hex(author, 16), "conversation": _conversation(conversation), "from": start, "to": end})
    if sum(g["to"] - g["from"] + 1 for g in gaps) > 1024:
        raise ValueError("more than 1024 counters in a gap-request")
    return {"gaps": gaps}


def _read_request(value) -> dict:
    name, invite = _tuple(value, 2)
    return {"claimedName": _optional(name, _text, 64), "invite": _optional(invite, _hex, 16)}


def _read_edit(value) -> dict:
    target, text = _tuple(value, 2)
    return {"target": _hex(target, 16), "text": _text(text, 8192)}


def _read_reaction(value) -> dict:
    target, emoji = _tuple(value, 2)
    if emoji == "":
        raise ValueError("an empty reaction")
    return {"target": _hex(target, 16), "emoji": _optional(emoji, _text, 64)}


def _read_operations(value) -> dict:
    operations = [_hex(operation, 1, 13312) for operation in list_of(value, 64)]
    if not operations or sum(len(operation) // 2 for operation in operations) > 13312:
        raise ValueError("no operations, or too many bytes of them")
    return {"operations": operations}


def _write_operations(c: dict) -> list:
    return [unhex(operation) for operation in c["operations"]]


def _ids(value, most: int) -> list:
    return [_hex(item, 32) for item in list_of(value, most)]


def _read_keys(value) -> dict:
    chain_key, n, after, header_key, public_key, heads, topic = _tuple(value, 7)
    keys = {"chainKey": _hex(chain_key, 32), "n": number_of(n, 0, 2**32 - 1), "after": number_of(after, 0, 2**40)}
    keys["headerKey"] = _hex(header_key, 32)
    told = None
    if topic is not None:
        operation, key = _tuple(topic, 2)
        told = {"operation": _hex(operation, 32), "key": _hex(key, 32)}
    return {"announcement": {**keys, "publicKey": _hex(public_key, 32), "heads": _ids(heads, 16), "topic": told}}


def _write_keys(c: dict) -> list:
    a = c["announcement"]
    keys = [unhex(a["chainKey"]), a["n"], a["after"], unhex(a["headerKey"]), unhex(a["publicKey"])]
    topic = a["topic"] and [unhex(a["topic"]["operation"]), unhex(a["topic"]["key"])]
    return [*keys, [unhex(head) for head in a["heads"]], topic]


def _read_have(value) -> dict:
    heads, chains = _tuple(value, 2)
    pairs = [_tuple(chain, 2) for chain in list_of(chains, 256)]
    read = [{"chain": _hex(chain, 16), "next": number_of(n, 0, 2**32 - 1)} for chain, n in pairs]
    return {"heads": _ids(heads, 224), "chains": read}


def _write_have(c: dict) -> list:
    return [[unhex(head) for head in c["heads"]], [[unhex(p["chain"]), p["next"]] for p in c["chains"]]]


def _read_want(value) -> dict:
    operations, frames = _tuple(value, 2)
    runs = []
    for item in list_of(frames, 64):
        chain, start, end = _tuple(item, 3)
        number_of(start, 0, number_of(end, 0, 2**32 - 1))
        runs.append({"chain": _hex(chain, 16), "from": start, "to": end})
    if sum(run["to"] - run["from"] + 1 for run in runs) > 1024:
        raise ValueError("more than 1024 frames wanted")
    return {"operations": _ids(operations, 128), "frames": runs}


def _write_want(c: dict) -> list:
    return [_write_operations(c), [[unhex(run["chain"]), run["from"], run["to"]] for run in c["frames"]]]


CONTENTS = {
    1: ("text", lambda c: [c["text"], unhex(c["replyTo"])], _read_text),
    2: ("edit", lambda c: [unhex(c["target"]), c["text"]], _read_edit),
    3: ("delete", lambda c: [unhex(c["target"])], lambda value: {"target": _hex(_tuple(value, 1)[0], 16)}),
    4: ("reaction", lambda c: [unhex(c["target"]), c["emoji"]], _read_reaction),
    8: ("group-op", _write_operations, _read_operations),
    9: ("void", lambda c: [], lambda value: dict(_tuple(value, 0))),
    64: ("receipt", _write_receipt, _read_receipt),
    65: ("typing", lambda c: [c["on"]], _read_typing),
    66: ("control", _write_control, _read_control),
    67: ("secret", lambda c: [unhex(c["secret"])], lambda value: {"secret": _hex(_tuple(value, 1)[0], 32)}),
    68: (
        "routes",
        lambda c: [unhex(route) for route in c["routes"]],
        lambda value: {"routes": [_hex(route, 0, 512) for route in list_of(value, 3)]},
    ),
    69: ("record-seq", _write_record_seq, _read_record_seq),
    70: ("group-keys", _write_keys, _read_keys),
    71: ("gap-request", _write_gaps, _read_gaps),
    72: ("request", lambda c: [c["claimedName"], unhex(c["invite"])], _read_request),
    73: (
        "accept",
        lambda c: [c["claimedName"]],
        lambda value: {"claimedName": _optional(_tuple(value, 1)[0], _text, 64)},
    ),
    74: ("group-have", _write_have, _read_have),
    75: ("group-want", _write_want, _read_want),
    76: ("group-ops", _write_operations, _read_operations),
}
