"""The ML-KEM steps of the ratchet (protocol.md section 9): A offers, B answers, A's next chain mixes the secret in."""

import mlkem
from wire import decode, encode

OFFER, ANSWER = b"\x01", b"\x02"  # the first byte of such a payload in ratchet.json
FRAMES = 50


def following(k: int) -> int:
    return k % 255 + 1


class Offering:
    """A: resting, offered (sends the key once in each chain), agreed (the next chain mixes ss in)."""

    def __init__(self):
        self.state, self.k, self.frames, self.offered_in = "resting", 1, 0, None
        self.seed = self.secret = None

    def payload(self, confirmed: bool, chain: int, draw) -> list:
        """What a frame in this chain carries besides its content. `draw()` gives the seed of a new key."""
        if self.state == "resting" and confirmed and self.frames >= FRAMES:
            self.state, self.seed = "offered", draw()
        if self.state != "offered" or self.offered_in == chain:
            return []
        self.offered_in = chain
        return [OFFER + encode([self.k, mlkem.key_pair(self.seed)[0]])]

    def entering(self) -> tuple:
        """k and ss of the step that begins a chain."""
        if self.state != "agreed":
            return 0, b""
        entered = self.k, self.secret
        self.state, self.k, self.frames = "resting", following(self.k), 0
        return entered

    def read(self, payload: bytes) -> None:
        if payload[:1] != ANSWER:
            return
        k, ct = decode(payload[1:])
        if self.state == "offered" and k == self.k:
            self.state, self.secret = "agreed", mlkem.decapsulate(self.seed, ct)


class Answering:
    """B: expecting k, or answering it (sends the ciphertext once in each chain) until a chain with pq = k opens."""

    def __init__(self, offering: Offering):
        self.state, self.k, self.answered_in = "expecting", 1, None
        self.ct = None
        self.offering = offering  # the coin of B is not in the file: its secret is read with A's key

    def payload(self, chain: int, listed: list) -> list:
        if self.state != "answering" or self.answered_in == chain:
            return []
        self.answered_in = chain
        if self.ct is None:
            found = [decode(p[1:]) for p in listed if p[:1] == ANSWER]
            if len(found) != 1 or found[0][0] != self.k:
                raise ValueError(f"a frame that must answer PQ step {self.k} and does not")
            self.ct = found[0][1]
        return [ANSWER + encode([self.k, self.ct])]

    def secret_of(self, k: int) -> bytes:
        if self.ct is None or k != self.k:
            raise ValueError("a chain with a PQ step that this side does not hold")
        return mlkem.decapsulate(self.offering.seed, self.ct)

    def entered(self) -> None:
        """A chain with pq = k opened."""
        self.state, self.k, self.ct, self.answered_in = "expecting", following(self.k), None, None

    def read(self, payload: bytes, chain: int) -> None:
        if payload[:1] != OFFER or chain == 0:
            return
        k, key = decode(payload[1:])
        mlkem.check_key(key)
        if self.state == "expecting" and k == self.k:
            self.state = "answering"
