"""AES-256-GCM with nonces of 12 bytes and tags of 16 (FIPS 197, NIST SP 800-38D)."""


def _double(a: int) -> int:
    return (a << 1 ^ 0x11B) & 0xFF if a & 0x80 else a << 1


def _make_sbox() -> bytes:
    """FIPS 197 section 5.1.1: the inverse in GF(2^8), then the affine map. 3 generates the field's units."""
    power, log, a = [0] * 255, {}, 1
    for i in range(255):
        power[i], log[a] = a, i
        a ^= _double(a)
    box = []
    for x in range(256):
        inverse = power[-log[x] % 255] if x else 0
        spread = inverse * 0x101  # two copies, so that a shift rotates
        box.append((spread ^ spread >> 4 ^ spread >> 5 ^ spread >> 6 ^ spread >> 7 ^ 0x63) & 0xFF)
    return bytes(box)


SBOX = _make_sbox()


def _make_table() -> list:
    """SubBytes and MixColumns of one byte of the first row, as a column of four bytes."""
    return [(_double(s) << 24) | (s << 16) | (s << 8) | (_double(s) ^ s) for s in SBOX]


T0 = _make_table()
T1, T2, T3 = ([(t >> r | t << 32 - r) & 0xFFFFFFFF for t in T0] for r in (8, 16, 24))


def expand_key(key: bytes) -> list:
    """FIPS 197 section 5.2: the 60 words of a key of 256 bits."""
    if len(key) != 32:
        raise ValueError("an AES-256 key has 32 bytes")
    words = [int.from_bytes(key[i : i + 4], "big") for i in range(0, 32, 4)]
    rcon = 1
    for i in range(8, 60):
        word = words[-1]
        if i % 8 == 0:
            word = _sub_word((word << 8 | word >> 24) & 0xFFFFFFFF) ^ rcon << 24
            rcon = _double(rcon)
        elif i % 8 == 4:
            word = _sub_word(word)
        words.append(words[i - 8] ^ word)
    return words


def _sub_word(word: int) -> int:
    return int.from_bytes(bytes(SBOX[b] for b in word.to_bytes(4, "big")), "big")


def encrypt_block(words: list, block: bytes) -> bytes:
    """FIPS 197 section 5.1 for 14 rounds."""
    a, b, c, d = (int.from_bytes(block[4 * i : 4 * i + 4], "big") ^ words[i] for i in range(4))
    for i in range(4, 56, 4):
        a, b, c, d = (
            T0[a >> 24] ^ T1[b >> 16 & 255] ^ T2[c >> 8 & 255] ^ T3[d & 255] ^ words[i],
            T0[b >> 24] ^ T1[c >> 16 & 255] ^ T2[d >> 8 & 255] ^ T3[a & 255] ^ words[i + 1],
            T0[c >> 24] ^ T1[d >> 16 & 255] ^ T2[a >> 8 & 255] ^ T3[b & 255] ^ words[i + 2],
            T0[d >> 24] ^ T1[a >> 16 & 255] ^ T2[b >> 8 & 255] ^ T3[c & 255] ^ words[i + 3],
        )
    out = b""
    for i, (p, q, r, s) in enumerate(((a, b, c, d), (b, c, d, a), (c, d, a, b), (d, a, b, c))):
        mixed = SBOX[p >> 24] << 24 | SBOX[q >> 16 & 255] << 16 | SBOX[r >> 8 & 255] << 8 | SBOX[s & 255]
        out += (mixed ^ words[56 + i]).to_bytes(4, "big")
    return out


def _ghash(h: int, ad: bytes, text: bytes) -> int:
    """SP 800-38D section 6.4: the first bit of a block is the coefficient of x^0."""
    powers = []  # h times x^i
    for _ in range(128):
        powers.append(h)
        h = h >> 1 ^ (0xE1 << 120 if h & 1 else 0)
    data = ad + bytes(-len(ad) % 16) + text + bytes(-len(text) % 16)
    data += (8 * len(ad)).to_bytes(8, "big") + (8 * len(text)).to_bytes(8, "big")
    y = 0
    for i in range(0, len(data), 16):
        x, y = y ^ int.from_bytes(data[i : i + 16], "big"), 0
        while x:
            top = x.bit_length()
            y ^= powers[128 - top]
            x ^= 1 << top - 1
    return y


def _crypt(key: bytes, nonce: bytes, text: bytes) -> tuple:
    """The text in counter mode, the hash key and the mask of the tag."""
    words = expand_key(key)
    stream = b"".join(encrypt_block(words, nonce + i.to_bytes(4, "big")) for i in range(2, 2 + -(-len(text) // 16)))
    out = bytes(a ^ b for a, b in zip(text, stream))
    return out, int.from_bytes(encrypt_block(words, bytes(16)), "big"), encrypt_block(words, nonce + b"\0\0\0\1")


def _tag(h: int, mask: bytes, ad: bytes, ciphertext: bytes) -> bytes:
    return (_ghash(h, ad, ciphertext) ^ int.from_bytes(mask, "big")).to_bytes(16, "big")


def seal(key: bytes, nonce: bytes, ad: bytes, plaintext: bytes) -> bytes:
    """Ciphertext and tag."""
    ciphertext, h, mask = _crypt(key, nonce, plaintext)
    return ciphertext + _tag(h, mask, ad, ciphertext)


def open_(key: bytes, nonce: bytes, ad: bytes, sealed: bytes) -> bytes:
    """The plaintext. Raises ValueError when the tag does not fit."""
    if len(sealed) < 16:
        raise ValueError("a sealed text has 16 bytes or more")
    plaintext, h, mask = _crypt(key, nonce, sealed[:-16])
    if _tag(h, mask, ad, sealed[:-16]) != sealed[-16:]:
        raise ValueError("AES-256-GCM: the tag does not fit")
    return plaintext
