"""One side of a session (protocol.md section 9): its chains, and what opening and sealing do to them.

Only what the vectors show is here: time limits and the alarms' consequences are not. A frame that a side would not open
raises ValueError with the word of the text for it.
"""

from dataclasses import dataclass, field

import mlkem
from curve import x25519, x25519_public
from frames import header_plaintext, kdf_ck, kdf_rk, open_body, open_header, seal_frame, split_frame
from kdf import lv


@dataclass
class Sending:
    index: int
    key: bytes
    header_key: bytes
    private: bytes
    pn: int = 0
    pq: int = 0
    ct: bytes = b""
    n: int = 0


@dataclass
class Receiving:
    index: int
    key: bytes
    header_key: bytes
    r: bytes
    pn: int
    pq: int
    n: int = 0
    closed: bool = False
    skipped: dict = field(default_factory=dict)

    def take(self) -> bytes:
        """mk of the next frame."""
        mk, self.key = kdf_ck(self.key)
        self.n += 1
        return mk

    def skip_to(self, n: int) -> None:
        while self.n < n:
            number = self.n
            self.skipped[number] = self.take()


class Side:
    """The state of A or B. The ML-KEM steps after chain 1 are in pq_steps.py."""

    def __init__(self, start: dict, initiator: bool):
        self.initiator = initiator
        self.session_id, self.root, self.next_header_key = start["sessionId"], start["rootKey"], start["headerKey1"]
        self.sending, self.chains, self.confirmed = None, [], False
        ephemeral = start["ephemeral"]
        self.peer_key = None if initiator else x25519_public(ephemeral)
        if initiator:
            self.sending = Sending(0, start["chainKey0"], start["headerKey0"], ephemeral)
        else:
            self.chains = [Receiving(0, start["chainKey0"], start["headerKey0"], self.peer_key, 0, 0)]
        # What chain 1 needs: of A its privates, of B what it knows of A.
        identity, seed = start["initiatorIdentityKey"], start["initiatorKemSeed"]
        self.identity = identity if initiator else x25519_public(identity)
        self.kem = seed if initiator else mlkem.key_pair(seed)[0]

    @property
    def newest(self):
        """The peer's newest chain, or None."""
        return self.chains[-1] if self.chains else None

    def must_step(self) -> bool:
        return (self.newest.index if self.newest else -1) > (self.sending.index if self.sending else -1)

    def next_chain(self) -> int:
        """The index of the chain that a frame sealed now is in."""
        return self.newest.index + 1 if self.must_step() else self.sending.index

    def step(self, private: bytes, coin, pq_step: tuple) -> bytes:
        """Begin the next sending chain. `pq_step` is (k, ss), (0, b"") without one. Returns the ikm."""
        index, (pq, ss), auth, ct = self.next_chain(), pq_step, b"", b""
        if index == 1:
            ct, ss = mlkem.encapsulate(self.kem, coin)
            auth = x25519(private, self.identity)
        ikm = lv(x25519(private, self.peer_key)) + lv(ss) + lv(auth)
        pn = self.sending.n if self.sending else 0
        header_key = self.next_header_key
        self.root, key, self.next_header_key = kdf_rk(self.session_id, self.root, ikm)
        self.sending = Sending(index, key, header_key, private, pn, pq, ct)
        return ikm

    def seal(self, payloads: list, random16: bytes) -> tuple:
        """The frame and its mk."""
        s = self.sending
        mk, s.key = kdf_ck(s.key)
        header = header_plaintext(x25519_public(s.private), s.pn, s.n, s.pq, s.ct)
        s.n += 1
        return seal_frame(self.session_id, s.index, (s.header_key, mk), header, payloads, random16), mk

    def open(self, frame: bytes, secret_of_pq) -> tuple:
        """The payloads, mk, and the chain. `secret_of_pq(k)` is the ss of a PQ step of the peer."""
        kind, salt, sealed, head, body = split_frame(frame)
        for chain in reversed(self.chains):
            found = self._read_header(kind, chain.index, chain.header_key, salt, sealed)
            if found:
                return (*self._open_known(chain, found, salt, head, body), chain)
            if chain is self.newest and not self.must_step():
                found = self._read_header(kind, self._coming(), self.next_header_key, salt, sealed)
                if found:
                    return self._open_new(found, secret_of_pq, salt, head, body)
        if not self.chains:
            found = self._read_header(kind, 1, self.next_header_key, salt, sealed)
            if found:
                return self._open_new(found, secret_of_pq, salt, head, body)
        raise ValueError("unreadable")

    def _coming(self) -> int:
        return self.newest.index + 2 if self.newest else 1

    def _read_header(self, kind: int, index: int, key: bytes, salt: bytes, sealed: bytes):
        return open_header(self.session_id, key, salt, sealed) if (kind == 3) == (index == 1) else None

    def _open_known(self, chain: Receiving, header: tuple, salt: bytes, head: bytes, body: bytes) -> tuple:
        r, pn, n, _, _ = header
        if (r, pn) != (chain.r, chain.pn):
            raise ValueError("clone")
        if n < chain.n:
            if n not in chain.skipped:
                raise ValueError("duplicate, clone or nothing known")
            mk = chain.skipped.pop(n)
        elif chain.closed:
            raise ValueError("clone")
        else:
            chain.skip_to(n)
            mk = chain.take()
        return open_body(self.session_id, mk, salt, head, body), mk

    def _open_new(self, header: tuple, secret_of_pq, salt: bytes, head: bytes, body: bytes) -> tuple:
        r, pn, n, pq, ct = header
        last, index, auth, ss = self.newest, self._coming(), b"", secret_of_pq(pq) if pq else b""
        if index == 1:
            ss, auth = mlkem.decapsulate(self.kem, ct), x25519(self.identity, r)
        if pn < (last.n if last else pn) or (index == 1 and pn):
            raise ValueError("clone")
        if last:
            last.skip_to(pn)
            last.closed = True
        ikm = lv(x25519(self.sending.private, r)) + lv(ss) + lv(auth)
        header_key = self.next_header_key
        self.root, key, self.next_header_key = kdf_rk(self.session_id, self.root, ikm)
        chain = Receiving(index, key, header_key, r, pn, pq)
        self.chains.append(chain)
        self.peer_key, self.confirmed = r, True
        chain.skip_to(n)
        mk = chain.take()
        return open_body(self.session_id, mk, salt, head, body), mk, chain
