"""What every check uses: reading fields of a vector file and comparing them with what was computed."""


class Mismatch(Exception):
    """Something computed differs from the file. The message says what, and both values."""


def shown(value) -> str:
    text = value.hex() if isinstance(value, bytes) else repr(value)
    return text if len(text) <= 200 else f"{text[:160]}… ({len(text)} characters)"


def expect(what: str, computed, listed) -> None:
    if computed != listed:
        where = ""
        if isinstance(computed, bytes) and isinstance(listed, bytes):
            differing = (i for i, (a, b) in enumerate(zip(computed, listed)) if a != b)
            where = f" (they differ from byte {next(differing, min(len(computed), len(listed)))} on)"
        raise Mismatch(f"{what}: computed {shown(computed)}, the file has {shown(listed)}{where}")


def expect_refused(what: str, read, *arguments) -> None:
    try:
        read(*arguments)
    except ValueError:
        return
    raise Mismatch(f"{what} was read, though it must be refused")


def unhex(text):
    """Bytes of lower-case hexadecimal; None stays None."""
    if text is None:
        return None
    data = bytes.fromhex(text)
    if data.hex() != text:
        raise ValueError("hexadecimal that is not in lower case and without spaces")
    return data


def numbered(items: list, name: str):
    """Each item with a name for messages."""
    return ((f"{name} {i}", item) for i, item in enumerate(items))
