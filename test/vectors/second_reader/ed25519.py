"""Ed25519 signatures (RFC 8032), the one predicate of protocol.md section 3, and blinded keys (section 6)."""

from hashlib import sha512

from curve import BASE, IDENTITY, L, P, add, clamp, decode, encode, little, multiply, negate
from kdf import H, u32

# The y coordinates of the eight points of small order, from protocol.md section 3.
SMALL_ORDER = {
    little(bytes.fromhex(y))
    for y in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
}


def expand(seed: bytes) -> tuple:
    """The scalar a and the nonce prefix of a private seed (RFC 8032 section 5.1.5)."""
    if len(seed) != 32:
        raise ValueError("an Ed25519 seed has 32 bytes")
    digest = sha512(seed).digest()
    return little(clamp(digest[:32])), digest[32:]


def public_key(seed: bytes) -> bytes:
    return encode(multiply(expand(seed)[0], BASE))


def sign_with(a: int, prefix: bytes, public: bytes, message: bytes) -> bytes:
    """RFC 8032 section 5.1.6 for a scalar, a nonce prefix and the public key of the scalar."""
    r = little(sha512(prefix + message).digest()) % L
    R = encode(multiply(r, BASE))
    k = little(sha512(R + public + message).digest()) % L
    return R + ((r + k * a) % L).to_bytes(32, "little")


def ordinary(y32: bytes) -> bool:
    """Step 2 of the predicate: y is below the prime and not that of a point of small order."""
    y = little(y32) % 2**255
    return y < P and y not in SMALL_ORDER


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """The one predicate: whether the signature holds. Cofactorless."""
    if len(public) != 32 or len(signature) != 64:
        return False
    R, S = signature[:32], little(signature[32:])
    if not (ordinary(public) and ordinary(R) and S < L):
        return False
    try:
        A = decode(public)
    except ValueError:
        return False
    k = little(sha512(R + public + message).digest()) % L
    return encode(add(multiply(S, BASE), multiply(k, negate(A)))) == R


def is_account_key(public: bytes) -> bool:
    """Whether a key is ordinary, on the curve and in the subgroup of prime order."""
    if len(public) != 32 or not ordinary(public):
        return False
    try:
        A = decode(public)
    except ValueError:
        return False
    return encode(multiply(L, A)) == encode(IDENTITY)


def typed(kind: str, message: bytes) -> bytes:
    """The bytes that Sign(key, kind, message) signs (section 3)."""
    return b"sotto/1 sig " + kind.encode() + b"\x00" + message


def sign(seed: bytes, kind: str, message: bytes) -> bytes:
    a, prefix = expand(seed)
    return sign_with(a, prefix, encode(multiply(a, BASE)), typed(kind, message))


def blinding_factor(account: bytes, secret: bytes, day: int) -> bytes:
    """h of section 6, clamped."""
    return clamp(H(b"sotto/1 blind" + account + secret + u32(day)))


def blind_public(account: bytes, h: bytes) -> bytes:
    if not is_account_key(account):
        raise ValueError("only an account key is blinded")
    return encode(multiply(little(h) % L, decode(account)))


def sign_blinded(seed: bytes, h: bytes, kind: str, message: bytes) -> bytes:
    """A signature under AK' by who holds the seed of AK (section 6)."""
    a, prefix = expand(seed)
    blinded = little(h) * a % L
    public = encode(multiply(blinded, BASE))
    nonce_prefix = sha512(b"sotto/1 blind prefix" + prefix + public).digest()[:32]
    return sign_with(blinded, nonce_prefix, public, typed(kind, message))
