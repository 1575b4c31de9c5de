"""The frozen vectors of Sotto, computed a second time from docs/protocol.md, with the standard library alone.

    python3 test/vectors/second_reader [directory of the vectors]

Prints a line for each file, and ends with 1 when something in one of them is not what this program computes.
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import check_handshake  # noqa: E402
import check_ratchet  # noqa: E402
import check_records  # noqa: E402
import group_frames  # noqa: E402
import group_operations  # noqa: E402
import mailboxes  # noqa: E402
import padding  # noqa: E402
import payloads  # noqa: E402
import people  # noqa: E402
import slots  # noqa: E402
from checking import Mismatch  # noqa: E402
from words import word_list  # noqa: E402

CHECKS = {
    "padding.json": padding.check,
    "record.json": check_records.check,
    "safety-number.json": people.check_safety_numbers,
    "invite.json": people.check_invites,
    "blinding.json": slots.check_blinding,
    "slot.json": slots.check_slots,
    "handshake.json": check_handshake.check,
    "ratchet.json": check_ratchet.check,
    "payload.json": payloads.check,
    "mailbox.json": mailboxes.check,
    "group-frames.json": group_frames.check,
    "group-operations.json": group_operations.check,
}


def check_file(path: Path) -> str:
    """What to say about a file. Raises Mismatch when it does not hold."""
    if path.name not in CHECKS:
        raise Mismatch("there is no check for this file")
    try:
        count = CHECKS[path.name](json.loads(path.read_text("utf-8")))
    except Mismatch:
        raise
    except Exception as error:  # a damaged file may fail in any way: every one of them is a failure of this file
        raise Mismatch(f"it cannot be read as protocol.md says: {type(error).__name__}: {error}") from error
    if count == 0:
        raise Mismatch("it has no case")
    return f"{count} cases"


def main(arguments: list) -> int:
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parents[1]
    present = {path.name for path in folder.glob("*.json")}
    failed = False
    for name in sorted(present | set(CHECKS)):
        try:
            said = check_file(folder / name) if name in present else None
            print(f"{name}: {said}" if said else f"{name}: FAILED: the file is not there")
            failed = failed or said is None
        except Mismatch as mismatch:
            print(f"{name}: FAILED: {mismatch}")
            failed = True
    if word_list() is None:
        print("note: no BIP-39 word list is installed, so of the recovery words only the order was compared")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
