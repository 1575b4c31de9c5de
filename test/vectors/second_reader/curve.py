"""X25519 (RFC 7748) and the arithmetic of edwards25519 (RFC 8032 section 5.1), on Python integers."""

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)


def clamp(scalar: bytes) -> bytes:
    """The clamping of RFC 7748 section 5: a multiple of 8 with bit 254 set."""
    return bytes([scalar[0] & 248]) + scalar[1:31] + bytes([scalar[31] & 127 | 64])


def little(data: bytes) -> int:
    return int.from_bytes(data, "little")


def x25519(private: bytes, public: bytes) -> bytes:
    """RFC 7748 section 5, with the Montgomery ladder. The all-zero result is refused (protocol, section 1)."""
    if len(private) != 32 or len(public) != 32:
        raise ValueError("an X25519 key has 32 bytes")
    k = little(clamp(private))
    u = little(public) % 2**255 % P
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap ^ bit:
            x2, z2, x3, z3 = x3, z3, x2, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb, aa, bb = d * a % P, c * b % P, a * a % P, b * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    shared = (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")
    if shared == bytes(32):
        raise ValueError("X25519 gave 32 zero bytes")
    return shared


def x25519_public(private: bytes) -> bytes:
    return x25519(private, (9).to_bytes(32, "little"))


# Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z: the extended coordinates of RFC 8032 section 5.1.4.
Point = tuple
IDENTITY: Point = (0, 1, 1, 0)


def add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def double(p: Point) -> Point:
    a, b, c = p[0] * p[0] % P, p[1] * p[1] % P, 2 * p[2] * p[2] % P
    h = a + b
    e, g = h - (p[0] + p[1]) ** 2, a - b
    f = c + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def negate(p: Point) -> Point:
    return -p[0] % P, p[1], p[2], -p[3] % P


def multiply(k: int, p: Point) -> Point:
    result = IDENTITY
    for bit in bin(k)[2:]:
        result = double(result)
        if bit == "1":
            result = add(result, p)
    return result


def encode(p: Point) -> bytes:
    """RFC 8032 section 5.1.2: y, and the lowest bit of x as the highest bit."""
    inverse = pow(p[2], P - 2, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point:
    """RFC 8032 section 5.1.3."""
    if len(data) != 32:
        raise ValueError("a point has 32 bytes")
    sign, y = little(data) >> 255, little(data) % 2**255
    if y >= P:
        raise ValueError("a y coordinate is not below 2^255 - 19")
    u, v = y * y - 1, D * y * y + 1
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if (v * x * x - u) % P != 0:
        x = x * SQRT_MINUS_ONE % P
    if (v * x * x - u) % P != 0:
        raise ValueError("no point of the curve has this y coordinate")
    if x == 0 and sign:
        raise ValueError("x is 0, but its sign is set")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
