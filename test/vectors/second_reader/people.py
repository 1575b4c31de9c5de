"""Safety numbers and invites (protocol.md section 5): safety-number.json and invite.json."""

import base64
from hashlib import sha512

from checking import expect, expect_refused, numbered, unhex
from ed25519 import is_account_key
from wire import bytes_of, decode, encode, fields, list_of, number_of
from words import account_text, read_account_text


def half_number(account: bytes) -> str:
    digest = sha512(b"sotto/1 safety" + account).digest()
    return "".join(f"{int.from_bytes(digest[5 * j : 5 * j + 5], 'big') % 100000:05}" for j in range(6))


def safety_number(a: bytes, b: bytes) -> str:
    return "".join(sorted((half_number(a), half_number(b))))


def check_safety_numbers(vectors: dict) -> int:
    for where, pair in numbered(vectors["pairs"], "pair"):
        a, b = unhex(pair["a"]), unhex(pair["b"])
        digits = safety_number(a, b)
        expect(f"{where}, digits", digits, pair["digits"])
        expect(f"{where}, digits in the other order", safety_number(b, a), pair["digits"])
        expect(f"{where}, as shown", " ".join(digits[i : i + 5] for i in range(0, 60, 5)), pair["shown"])
    return len(vectors["pairs"])


def write_invite(account: bytes, secret, expires, addresses: list) -> str:
    data = encode([1, "invite", account, secret, expires, addresses])
    return "sotto:" + base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read_invite(link: str) -> tuple:
    """Account, secret, expiry and addresses of a link or an account text."""
    link = link.strip()
    if len(link) > 512:
        raise ValueError("a link has at most 512 characters")
    if link[:6].lower() != "sotto:":
        return read_account_text(link), None, None, []
    text = link[6:]
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if base64.urlsafe_b64encode(data).rstrip(b"=").decode() != text:
        raise ValueError("base64url that is written in another way")
    account, secret, expires, addresses = fields(decode(data), "invite", 6)
    if not is_account_key(bytes_of(account, 32)):
        raise ValueError("the key of an invite is no account key")
    secret = None if secret is None else bytes_of(secret, 32)
    expires = None if expires is None else number_of(expires)
    return account, secret, expires, [bytes_of(a, 0, 128) for a in list_of(addresses, 4)]


def check_invites(vectors: dict) -> int:
    for where, case in numbered(vectors["valid"], "valid link"):
        says = unhex(case["account"]), unhex(case["secret"]), case["expires"], [unhex(a) for a in case["addresses"]]
        expect(f"{where}, as it is read", read_invite(case["link"]), says)
        if case["link"].startswith("sotto:"):
            expect(f"{where}, written again", write_invite(*says), case["link"])
        else:
            expect(f"{where}, written again", account_text(says[0]), case["link"].lower())
    for where, case in numbered(vectors["refused"], "refused link"):
        expect_refused(f"{where} ({case['why']})", read_invite, case["link"])
    return len(vectors["valid"]) + len(vectors["refused"])
