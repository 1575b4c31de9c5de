"""ML-KEM-768 (FIPS 203). Algorithm numbers are those of the standard. Not constant in time: for vectors only."""

from functools import lru_cache
from hashlib import sha3_256, sha3_512, shake_128, shake_256

Q, N, K, ETA, DU, DV = 3329, 256, 3, 2, 10, 4


def _reverse7(i: int) -> int:
    return int(f"{i:07b}"[::-1], 2)


ZETAS = [pow(17, _reverse7(i), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * _reverse7(i) + 1, Q) for i in range(128)]


def _ntt(f: list) -> list:
    """Algorithm 9."""
    f, i, size = list(f), 1, 128
    while size >= 2:
        for start in range(0, N, 2 * size):
            zeta, i = ZETAS[i], i + 1
            for j in range(start, start + size):
                t = zeta * f[j + size] % Q
                f[j + size], f[j] = (f[j] - t) % Q, (f[j] + t) % Q
        size //= 2
    return f


def _inverse_ntt(f: list) -> list:
    """Algorithm 10."""
    f, i, size = list(f), 127, 2
    while size <= 128:
        for start in range(0, N, 2 * size):
            zeta, i = ZETAS[i], i - 1
            for j in range(start, start + size):
                t = f[j]
                f[j], f[j + size] = (t + f[j + size]) % Q, zeta * (f[j + size] - t) % Q
        size *= 2
    return [x * 3303 % Q for x in f]


def _product(f: list, g: list) -> list:
    """Algorithms 11 and 12."""
    h = []
    for i, gamma in enumerate(GAMMAS):
        a0, a1, b0, b1 = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        h += [(a0 * b0 + a1 * b1 * gamma) % Q, (a0 * b1 + a1 * b0) % Q]
    return h


def _sum(*polynomials: list) -> list:
    return [sum(coefficients) % Q for coefficients in zip(*polynomials)]


def _inner(v: list, w: list) -> list:
    return _sum(*(_product(f, g) for f, g in zip(v, w)))


def _encode(f: list, d: int) -> bytes:
    """Algorithm 5."""
    return sum(x << d * i for i, x in enumerate(f)).to_bytes(32 * d, "little")


def _decode(data: bytes, d: int) -> list:
    """Algorithm 6, without a reduction."""
    n = int.from_bytes(data, "little")
    return [n >> d * i & (1 << d) - 1 for i in range(N)]


def _compress(f: list, d: int) -> list:
    return [((x << d + 1) + Q) // (2 * Q) & (1 << d) - 1 for x in f]


def _decompress(f: list, d: int) -> list:
    return [(2 * x * Q + (1 << d)) >> d + 1 for x in f]


def _sample_ntt(seed: bytes) -> list:
    """Algorithm 7. 1344 bytes hold 896 candidates, of which about one in five is too large."""
    out, stream = [], shake_128(seed).digest(1344)
    for i in range(0, 1344, 3):
        c = int.from_bytes(stream[i : i + 3], "little")
        out += [x for x in (c & 0xFFF, c >> 12) if x < Q]
    if len(out) < N:
        raise ValueError("a matrix that needs a longer stream")
    return out[:N]


def _sample_cbd(seed: bytes, n: int) -> list:
    """Algorithm 8 with eta 2, on PRF (section 4.1)."""
    b = int.from_bytes(shake_256(seed + bytes([n])).digest(64 * ETA), "little")
    ones = (0, 1, 1, 2)  # in two bits
    return [(ones[b >> 4 * i & 3] - ones[b >> 4 * i + 2 & 3]) % Q for i in range(N)]


@lru_cache(maxsize=None)
def _matrix(rho: bytes) -> list:
    """A[i][j] of algorithm 13, step 5."""
    return [[_sample_ntt(rho + bytes([j, i])) for j in range(K)] for i in range(K)]


@lru_cache(maxsize=None)
def key_pair(seed: bytes) -> tuple:
    """Algorithms 13 and 16 on the seed d || z: the encapsulation key and what decapsulation needs."""
    if len(seed) != 64:
        raise ValueError("an ML-KEM seed has 64 bytes")
    d, z = seed[:32], seed[32:]
    expanded = sha3_512(d + bytes([K])).digest()
    rho, sigma = expanded[:32], expanded[32:]
    s = [_ntt(_sample_cbd(sigma, i)) for i in range(K)]
    e = [_ntt(_sample_cbd(sigma, K + i)) for i in range(K)]
    t = [_sum(_inner(row, s), e[i]) for i, row in enumerate(_matrix(rho))]
    return b"".join(_encode(f, 12) for f in t) + rho, (s, z)


def check_key(ek: bytes) -> None:
    """The length and modulus check of section 7.2."""
    if len(ek) != 1184 or any(x >= Q for i in range(K) for x in _decode(ek[384 * i : 384 * i + 384], 12)):
        raise ValueError("an ML-KEM-768 encapsulation key is not canonical")


def _encrypt(ek: bytes, m: bytes, r: bytes) -> bytes:
    """Algorithm 14."""
    t = [_decode(ek[384 * i : 384 * i + 384], 12) for i in range(K)]
    a = _matrix(ek[384 * K :])
    y = [_ntt(_sample_cbd(r, i)) for i in range(K)]
    u = [_sum(_inverse_ntt(_inner([a[j][i] for j in range(K)], y)), _sample_cbd(r, K + i)) for i in range(K)]
    v = _sum(_inverse_ntt(_inner(t, y)), _sample_cbd(r, 2 * K), _decompress(_decode(m, 1), 1))
    return b"".join(_encode(_compress(f, DU), DU) for f in u) + _encode(_compress(v, DV), DV)


def encapsulate(ek: bytes, coin: bytes) -> tuple:
    """Algorithm 17 with the coin m: ciphertext and shared secret."""
    check_key(ek)
    expanded = sha3_512(coin + sha3_256(ek).digest()).digest()
    return _encrypt(ek, coin, expanded[32:]), expanded[:32]


@lru_cache(maxsize=None)
def decapsulate(seed: bytes, ct: bytes) -> bytes:
    """Algorithms 15 and 18: the shared secret, a pseudo-random one for a ciphertext that does not encrypt again."""
    if len(ct) != 1088:
        raise ValueError("an ML-KEM-768 ciphertext has 1088 bytes")
    ek, (s, z) = key_pair(seed)
    u = [_ntt(_decompress(_decode(ct[320 * i : 320 * i + 320], DU), DU)) for i in range(K)]
    v = _decompress(_decode(ct[960:], DV), DV)
    m = _encode(_compress([(a - b) % Q for a, b in zip(v, _inverse_ntt(_inner(s, u)))], 1), 1)
    expanded = sha3_512(m + sha3_256(ek).digest()).digest()
    return expanded[:32] if _encrypt(ek, m, expanded[32:]) == ct else shake_256(z + ct).digest(32)
