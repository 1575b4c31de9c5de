"""Recovery words (BIP-39) and account texts in bech32m (BIP-350), protocol.md section 5."""

import re
from functools import lru_cache
from pathlib import Path

from ed25519 import is_account_key
from kdf import H

LIST = Path("node_modules", "@scure", "bip39", "wordlists", "english.js")
CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32M = 0x2BC830A3
GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


@lru_cache(maxsize=None)
def word_list():
    """The English list of 2048 words, from a package installed above; None when it is not there. Python has none."""
    found = next((folder / LIST for folder in Path(__file__).resolve().parents if (folder / LIST).is_file()), None)
    if found is None:
        return None
    words = re.search(r"`([a-z\s]+)`", found.read_text("utf-8"))
    words = words.group(1).split() if words else []
    return words if len(words) == 2048 and words == sorted(words) else None


def word_indices(seed: bytes) -> list:
    """The indices of the 24 words of 32 bytes of entropy: 11 bits each, the last 8 bits from the checksum."""
    bits = int.from_bytes(seed + H(seed)[:1], "big")
    return [bits >> 11 * i & 2047 for i in range(23, -1, -1)]


def words_fit(seed: bytes, words: list) -> bool:
    """Whether these are the words of the seed. Without a list: whether they stand in the order of their indices, as the
    list is in alphabetical order."""
    indices = word_indices(seed)
    known = word_list()
    if known:
        return [known[i] for i in indices] == words
    pairs = sorted(zip(indices, words))
    return len(words) == 24 and all((a[0] < b[0]) == (a[1] < b[1]) for a, b in zip(pairs, pairs[1:]))


def _polymod(values: list) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate(GENERATORS):
            checksum ^= generator if top >> i & 1 else 0
    return checksum


def _expanded(prefix: str) -> list:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def account_text(account: bytes) -> str:
    bits = int.from_bytes(account, "big") << 4  # 256 bits become 52 groups of five
    data = [bits >> 5 * i & 31 for i in range(51, -1, -1)]
    checksum = _polymod(_expanded("sotto") + data + [0] * 6) ^ BECH32M
    data += [checksum >> 5 * i & 31 for i in range(5, -1, -1)]
    return "sotto1" + "".join(CHARSET[x] for x in data)


def read_account_text(text: str) -> bytes:
    if text != text.lower() and text != text.upper():
        raise ValueError("an account text in two cases")
    text = text.lower()
    if len(text) != 64 or not text.startswith("sotto1") or any(c not in CHARSET for c in text[6:]):
        raise ValueError("no account text")
    data = [CHARSET.index(c) for c in text[6:]]
    if _polymod(_expanded("sotto") + data) != BECH32M:
        raise ValueError("the checksum of an account text does not fit")
    bits = 0
    for value in data[:-6]:
        bits = bits << 5 | value
    if bits & 15:
        raise ValueError("bits are left over in an account text")
    account = (bits >> 4).to_bytes(32, "big")
    if not is_account_key(account):
        raise ValueError("the key of an account text is no account key")
    return account
