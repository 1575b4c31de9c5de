"""c-toxcore by ctypes: strangers of its DHT, somebody who takes every friend, or somebody who looks for a friend.

    tox.py mesh COUNT                      prints {"port", "dht"} of the first
    tox.py host PORT DHT                   prints {"address"}
    tox.py guest PORT DHT ADDRESS MESSAGES prints {"joined", "found", "delivered", "piped"} in ms, then ends,
                                           or {"late"} when something took more than a minute

PORT and DHT tell where to begin. Everything is on loopback. Ends with its standard input.
"""

import ctypes
import ctypes.util
import json
import os
import select
import sys
import time

lib = ctypes.CDLL(ctypes.util.find_library("toxcore") or "libtoxcore.so.2")
u8p, u32, size, void = ctypes.c_char_p, ctypes.c_uint32, ctypes.c_size_t, ctypes.c_void_p
lib.tox_options_new.restype = lib.tox_new.restype = void
lib.tox_self_get_udp_port.restype = ctypes.c_uint16
lib.tox_friend_add.restype = lib.tox_friend_add_norequest.restype = lib.tox_friend_send_message.restype = u32
lib.tox_iteration_interval.restype = u32

REQUEST = ctypes.CFUNCTYPE(None, void, ctypes.POINTER(ctypes.c_uint8), void, size, void)
FRIEND_STATUS = ctypes.CFUNCTYPE(None, void, u32, ctypes.c_int, void)
SELF_STATUS = ctypes.CFUNCTYPE(None, void, ctypes.c_int, void)
RECEIPT = ctypes.CFUNCTYPE(None, void, u32, u32, void)

KEY_BYTES, ADDRESS_BYTES, MAX_U32 = 32, 38, 2**32 - 1
TEXT = b"x" * 256
PATIENCE_S = 60


def check(error, what):
    if error.value != 0:
        raise SystemExit(f"{what} failed with {error.value}")


def node():
    options = void(lib.tox_options_new(None))
    lib.tox_options_set_ipv6_enabled(options, ctypes.c_bool(False))
    lib.tox_options_set_local_discovery_enabled(options, ctypes.c_bool(False))
    error = ctypes.c_int(0)
    tox = void(lib.tox_new(options, ctypes.byref(error)))
    check(error, "tox_new")
    return tox


def port_of(tox):
    return lib.tox_self_get_udp_port(tox, None)


def bytes_of(getter, tox, length):
    buffer = ctypes.create_string_buffer(length)
    getter(tox, buffer)
    return buffer.raw


def bootstrap(tox, port, dht):
    error = ctypes.c_int(0)
    lib.tox_bootstrap(tox, b"127.0.0.1", ctypes.c_uint16(port), bytes.fromhex(dht), ctypes.byref(error))
    check(error, "tox_bootstrap")


def iterate(*nodes):
    """Lets them work; sleeps as long as the library asks for, and ends when the parent has gone."""
    for tox in nodes:
        lib.tox_iterate(tox, None)
    wait = min(lib.tox_iteration_interval(tox) for tox in nodes) / 1000
    if select.select([sys.stdin], [], [], wait)[0] and os.read(0, 1) == b"":
        raise SystemExit(0)


def say(**what):
    print(json.dumps(what), flush=True)


def mesh(count):
    nodes = [node() for _ in range(count)]
    first = {"port": port_of(nodes[0]), "dht": bytes_of(lib.tox_self_get_dht_id, nodes[0], KEY_BYTES).hex()}
    for tox in nodes[1:]:
        bootstrap(tox, **first)
    say(**first)
    while True:
        iterate(*nodes)


def host(port, dht):
    tox = node()
    state = {"joined": False}

    @REQUEST
    def requested(_tox, key, _text, _length, _data):
        lib.tox_friend_add_norequest(tox, bytes(key[:KEY_BYTES]), None)

    @SELF_STATUS
    def changed(_tox, status, _data):
        state["joined"] = status != 0

    lib.tox_callback_friend_request(tox, requested)
    lib.tox_callback_self_connection_status(tox, changed)
    bootstrap(tox, port, dht)
    while not state["joined"]:
        iterate(tox)
    say(address=bytes_of(lib.tox_self_get_address, tox, ADDRESS_BYTES).hex())
    while True:
        iterate(tox)


def guest(port, dht, address, messages):
    tox = node()
    state = {"joined": False, "found": False, "receipts": 0}

    @SELF_STATUS
    def changed(_tox, status, _data):
        state["joined"] = status != 0

    @FRIEND_STATUS
    def friend(_tox, _number, status, _data):
        state["found"] = status != 0

    @RECEIPT
    def receipt(_tox, _number, _message, _data):
        state["receipts"] += 1

    lib.tox_callback_self_connection_status(tox, changed)
    lib.tox_callback_friend_connection_status(tox, friend)
    lib.tox_callback_friend_read_receipt(tox, receipt)

    def until(condition):
        start = time.perf_counter()
        while not condition():
            iterate(tox)
            if time.perf_counter() - start > PATIENCE_S:
                say(late=True)
                raise SystemExit(0)
        return (time.perf_counter() - start) * 1000

    bootstrap(tox, port, dht)
    joined = until(lambda: state["joined"])
    error = ctypes.c_int(0)
    number = lib.tox_friend_add(tox, bytes.fromhex(address), b"hello", size(5), ctypes.byref(error))
    check(error, "tox_friend_add")
    found = until(lambda: state["found"])

    def send():
        lib.tox_friend_send_message(tox, u32(number), 0, TEXT, size(len(TEXT)), ctypes.byref(error))
        return error.value == 0

    send()
    delivered = until(lambda: state["receipts"] == 1)
    start = time.perf_counter()
    sent = 0
    while state["receipts"] < messages + 1:
        # A full queue empties while the library works.
        while sent < messages and send():
            sent += 1
        iterate(tox)
    piped = (time.perf_counter() - start) * 1000
    say(joined=joined, found=found, delivered=found + delivered, piped=piped)


if __name__ == "__main__":
    mode, *rest = sys.argv[1:]
    if mode == "mesh":
        mesh(int(rest[0]))
    elif mode == "host":
        host(int(rest[0]), rest[1])
    elif mode == "guest":
        guest(int(rest[0]), rest[1], rest[2], int(rest[3]))
