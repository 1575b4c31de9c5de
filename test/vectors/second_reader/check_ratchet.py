"""ratchet.json: the conversation, event by event, with both sides' states."""

from checking import expect, unhex
from pq_steps import Answering, Offering
from ratchet import Side


def check(vectors: dict) -> int:
    start = {name: unhex(value) for name, value in vectors["start"].items()}
    conversation = Conversation(start)
    for event in vectors["events"]:
        if "seal" in event:
            conversation.seal(event)
        else:
            conversation.open(event)
    return len(vectors["events"])


class Conversation:
    """Both sides, and the frames under way with their mk."""

    def __init__(self, start: dict):
        self.sides = {"initiator": Side(start, True), "responder": Side(start, False)}
        self.offering = Offering()
        self.answering = Answering(self.offering)
        self.frames = {}

    def seal(self, event: dict) -> None:
        where, side = f"seal {event['seal']}", self.sides[event["by"]]
        random, listed = [unhex(x) for x in event["random"]], [unhex(p) for p in event["payloads"]]
        chain, content = side.next_chain(), [p for p in listed if p[:1] == b"\0"]
        pq_step = self.offering.entering() if side.initiator and side.must_step() else (0, b"")
        if side.initiator:
            content += self.offering.payload(side.confirmed, chain, lambda: random.pop(0))
            self.offering.frames += 1
        else:
            content += self.answering.payload(chain, listed)
        expect(f"{where}, payloads", content, listed)
        expect(f"{where}, whether it begins a chain", side.must_step(), "step" in event)
        if side.must_step():
            private, coin = random.pop(0), random.pop(0) if chain == 1 else None
            _check_step(where, side, side.step(private, coin, pq_step), event["step"])
        expect(f"{where}, chain and n", [chain, side.sending.n], [event["chain"], event["n"]])
        frame, mk = side.seal(content, random.pop(0))
        expect(f"{where}, whether all of random is used", random, [])
        expect(f"{where}, messageSecret", mk, unhex(event["messageSecret"]))
        expect(f"{where}, frame", frame, unhex(event["frame"]))
        self.frames[event["seal"]] = frame, mk

    def open(self, event: dict) -> None:
        where, side = f"open {event['open']}", self.sides[event["by"]]
        frame, sealed_with = self.frames[event["open"]]
        known = side.newest
        payloads, mk, chain = side.open(frame, self._secret_of_pq(side))
        expect(f"{where}, result", "opened", event["result"])
        expect(f"{where}, mk on both sides", mk, sealed_with)
        if side.initiator:
            self.offering.frames += 1
        elif chain.pq and chain is not known and chain is side.newest:
            self.answering.entered()
        for payload in payloads:
            self.offering.read(payload) if side.initiator else self.answering.read(payload, chain.index)
        texts = [payload[1:].decode() for payload in payloads if payload[:1] == b"\0"]
        expect(f"{where}, text", texts[0] if texts else None, event["text"])
        expect(f"{where}, state", self._state(side), _listed_state(event["state"]))

    def _secret_of_pq(self, side: Side):
        def refuse(k: int) -> bytes:
            raise ValueError(f"a chain of the responder with PQ step {k}")

        return refuse if side.initiator else self.answering.secret_of

    def _state(self, side: Side) -> dict:
        pq = self.offering if side.initiator else self.answering
        return {
            "confirmed": side.confirmed,
            "rootKey": side.root,
            "sends": [side.sending.index, side.sending.n] if side.sending else None,
            "receives": [side.newest.index, side.newest.n] if side.newest else None,
            "skipped": sorted([chain.index, n] for chain in side.chains for n in chain.skipped),
            "pq": [pq.state, pq.k],
        }


def _listed_state(state: dict) -> dict:
    skipped = sorted([chain, n] for chain, start, end in state["skipped"] for n in range(start, end))
    return {**state, "rootKey": unhex(state["rootKey"]), "skipped": skipped}


def _check_step(where: str, side: Side, ikm: bytes, listed: dict) -> None:
    s = side.sending
    computed = {"ikm": ikm, "rootKey": side.root, "chainKey": s.key, "headerKey": s.header_key}
    computed.update({"nextHeaderKey": side.next_header_key, "pn": s.pn, "pq": s.pq})
    expect(f"{where}, names in its step", sorted(computed), sorted(listed))
    for name, value in computed.items():
        expect(f"{where}, {name} of its step", value, unhex(listed[name]) if isinstance(value, bytes) else listed[name])
