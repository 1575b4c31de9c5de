"""Who is in a group (protocol.md section 15, the three passes). Operations are those that `group_operations.known` gives."""

CREATE, ADD, CARD, REMOVE, LEAVE, TRANSFER, INFO, SETTINGS = range(1, 9)
MEMBER, ADMIN = 1, 2


def age(record: dict) -> tuple:
    """The newest record has the lowest."""
    return -record["seq"], record["bytes"]


def before(a: dict, b: dict) -> bool:
    return a["id"] in b["past"]


def lists(record: dict, did: bytes) -> bool:
    return any(device["did"] == did for device in record["devices"])


def revokes(card: dict, o: dict) -> bool:
    newer = card["kind"] == CARD and card["account"] == o["account"] and card["record"]["seq"] > o["record"]["seq"]
    return newer and not lists(card["record"], o["did"]) and not before(o, card)


def counting(some: list) -> list:
    """Of cards those that no other one of them revokes which counts."""
    counted = []
    for card in sorted((o for o in some if o["kind"] == CARD), key=lambda o: -o["record"]["seq"]):
        if not any(revokes(other, card) for other in counted):
            counted.append(card)
    return counted


class Owners:
    """The first pass."""

    def __init__(self, ops: list):
        start = next(o for o in ops if o["kind"] == CREATE)
        self.owner, self.valid, self.transfers, self.contradiction = start["account"], [start], [], []
        while True:
            self.start = start
            tenure = [o for o in ops if o["account"] == self.owner and before(start, o)]
            transfers = [o for o in tenure if o["kind"] == TRANSFER]
            first = [o for o in transfers if not any(before(other, o) for other in transfers)]
            against = [o for o in tenure if any(revokes(o, transfer) for transfer in first)]
            if first and len(first) + len(against) > 1:
                self.contradiction = first + against
                return
            within = [o for o in tenure if before(o, first[0])] if first else tenure
            cards = counting(within)
            self.valid += [o for o in within if o["kind"] == LEAVE or not any(revokes(c, o) for c in cards)]
            if not first:
                return
            start = first[0]
            self.valid.append(start)
            self.transfers.append(start)
            self.owner = start["args"][0]


class Admins:
    """The second pass: what else is valid, and what removes which add."""

    def __init__(self, ops: list, line: Owners):
        self.line = line
        self.owned = {o["id"] for o in line.valid}
        self.leaves = [o for o in ops if o["kind"] == LEAVE and o["id"] not in self.owned]
        self.valid, self.removals = [], {}
        for o in line.valid:
            if o["kind"] == REMOVE:
                for add in o["args"][0]:
                    self.removals.setdefault(add, []).append(o)
        self.by_owners = {add: list(removes) for add, removes in self.removals.items()}
        roles = {o["id"]: o["args"][1] for o in ops if o["kind"] == ADD}
        for account in {o["account"] for o in ops}:
            self._pass([o for o in ops if o["account"] == account and o["id"] not in self.owned], roles)

    def _pass(self, written: list, roles: dict) -> None:
        cards = counting([o for o in written if self.in_office(o)])
        standing = [o for o in written if not any(revokes(card, o) for card in cards)]
        forked = self._forked(written, [o for o in standing if self.in_office(o)])
        for o in standing:
            adds = o["kind"] == ADD and o["args"][1] == MEMBER
            if (adds or o["kind"] == INFO) and self.in_office(o) and o["id"] not in forked:
                self.valid.append(o)
            if o["kind"] == REMOVE and self.may_remove(o):
                for add in o["args"][0]:
                    if roles.get(add) == MEMBER:
                        self.removals.setdefault(add, []).append(o)

    def _forked(self, written: list, office: list) -> set:
        forked = set()
        for o in office:
            if any(p is not o and (p["did"], p["previous"]) == (o["did"], o["previous"]) for p in office):
                forked.add(o["id"])
        size = -1
        while size != len(forked):
            size = len(forked)
            forked |= {o["id"] for o in written if o["previous"] in forked}
        return forked

    def _appointments(self, o: dict) -> list:
        """What made the author an admin before the operation and was not taken back before it, each with the leaves that count."""
        found = []
        for add in self.line.valid:
            appoints = add["kind"] == ADD and add["args"] == [o["account"], ADMIN]
            gave = add in self.line.transfers and add["account"] == o["account"]
            removes = self.by_owners.get(add["id"], [])
            if (appoints or gave) and before(add, o) and all(before(o, r) for r in removes):
                own = [l for l in self.leaves if l["account"] == o["account"] and before(add, l)]
                found.append([l for l in own if all(before(l, r) for r in removes)])
        return found

    def in_office(self, o: dict) -> bool:
        return any(all(l is o or before(o, l) for l in leaves) for leaves in self._appointments(o))

    def may_remove(self, o: dict) -> bool:
        return any(not any(before(l, o) for l in leaves) for leaves in self._appointments(o))


def view(ops: list) -> dict:
    contradiction = Owners(ops).contradiction
    if not contradiction:
        return {**resolve(ops), "frozen": None}
    within = [o for o in ops if all(before(o, each) for each in contradiction)]
    successors = {o["args"][0].hex() for o in contradiction if o["kind"] == TRANSFER}
    return {**resolve(within), "frozen": sorted(successors)}


def resolve(ops: list) -> dict:
    line = Owners(ops)
    admins = Admins(ops, line)
    valid = {o["id"] for o in line.valid + admins.valid}
    adds = [o for o in ops if o["kind"] == ADD and o["id"] in valid] + line.transfers
    ended = {o["id"]: _ends(o, admins) for o in adds}
    live = [o for o in adds if not ended[o["id"]]]

    exits = []
    for o in adds:
        ends = ended[o["id"]]
        others = [other for other in live if _whom(other) == _whom(o)] + ([line.start] if _whom(o) == line.owner else [])
        stayed = any(not any(before(end, other) for end in ends) for other in others)
        if ends and not stayed:
            exits.append({"account": _whom(o).hex(), "add": o["id"].hex(), "by": sorted(e["id"].hex() for e in ends)})

    members, revocations = [], []
    for account in {line.owner, *(_whom(o) for o in live)}:
        own = [o for o in live if _whom(o) == account]
        written = [o for o in ops if o["account"] == account]
        newest = min((o["record"] for o in written), key=age, default=None)
        left = [o for o in admins.leaves if o["account"] == account]
        members.append({
            "account": account.hex(),
            "role": "owner" if account == line.owner else "admin" if any(_role(o) == ADMIN for o in own) else "member",
            "adds": sorted(o["id"].hex() for o in own),
            "card": _card(written, newest, left),
        })
        revocations += _revocations(account, written, newest)

    named = [o for o in ops if o["kind"] == CREATE or o["kind"] == INFO and o["id"] in valid]
    timers = [o for o in line.valid if o["kind"] == SETTINGS]
    return {
        "name": _latest(named)["args"][0],
        "timer": _latest(timers)["args"][0] if timers else 0,
        "owner": line.owner.hex(),
        "members": members,
        "exits": exits,
        "revocations": revocations,
    }


def _whom(add: dict) -> bytes:
    return add["args"][0] if add["kind"] == ADD else add["account"]


def _role(add: dict) -> int:
    return add["args"][1] if add["kind"] == ADD else ADMIN


def _ends(add: dict, admins: Admins) -> list:
    leaves = [l for l in admins.leaves if l["account"] == _whom(add) and before(add, l)]
    ends = admins.removals.get(add["id"], []) + leaves
    return [end for end in ends if not any(before(other, end) for other in ends)]


def _latest(some: list) -> dict:
    return min(some, key=lambda o: (-o["lamport"], o["id"]))


def _card(written: list, newest, left: list):
    cards = [o for o in written if o["kind"] == CARD and lists(newest, o["did"])]
    consenting = [o for o in cards if all(before(leave, o) for leave in left)]
    best = min(consenting, key=lambda o: (*age(o["record"]), -o["lamport"], o["id"]), default=None)
    return best and best["id"].hex()


def _revocations(account: bytes, written: list, newest) -> list:
    found = []
    for did in {o["did"] for o in written if not lists(newest, o["did"])}:
        since = min(o["record"]["seq"] for o in written if o["did"] == did)
        cards = [o for o in written if o["kind"] == CARD and o["record"]["seq"] > since and not lists(o["record"], did)]
        first = [o["id"].hex() for o in cards if not any(before(other, o) for other in cards)]
        found.append({"account": account.hex(), "did": did.hex(), "by": sorted(first)})
    return found
