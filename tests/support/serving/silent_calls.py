"""Calls that a stock client cannot make: headers without a message, over HTTP/2 frames written by hand."""

from __future__ import annotations

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0x0, 0x1, 0x3, 0x4, 0x6, 0x7
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
STREAMS_OF_CONNECTION = 100
"""A server allows 128 and more are an error of HTTP/2."""


def _frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(name, value):
    """Return a header as HPACK writes it without a table: literal, never indexed, no Huffman code."""
    return b"\x00" + b"".join(struct.pack(">B", len(text)) + text for text in (name.encode(), value.encode()))


class SilentConnection:
    """One connection that starts calls and says no more."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20.0)
        self._socket.sendall(PREFACE + _frame(SETTINGS, 0, 0))
        self._last = -1
        self._read = self._socket.makefile("rb")

    def start(self, path, timeout="60S", data=b""):
        """Send the headers of a call, and bytes that are no whole message."""
        self._last += 2
        headers = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost", "te": "trailers"}
        headers |= {"content-type": "application/grpc"} | ({"grpc-timeout": timeout} if timeout else {})
        block = b"".join(_literal(name, value) for name, value in headers.items())
        sent = _frame(HEADERS, END_HEADERS, self._last, block)
        self._socket.sendall(sent + (_frame(DATA, 0, self._last, data) if data else b""))
        return self._last

    def ping(self):
        """Ping and wait for the answer; false when the server closes the connection instead."""
        self._socket.sendall(_frame(PING, 0, 0, b"8 bytes."))
        return any(kind == PING and flags & ACK for kind, flags, _ in self._frames(stop=GOAWAY))

    def wait_until_known(self):
        """Wait until the server has read all that was sent: it answers pings in order."""
        assert self.ping()

    def ended(self, stream):
        """Wait for the end of a call."""
        return any(number == stream and (kind == RST_STREAM or flags & END_STREAM) for kind, flags, number in self._frames())

    def _frames(self, stop=None):
        while head := self._read.read(9):
            length, kind, flags, stream = int.from_bytes(head[:3], "big"), head[3], head[4], int.from_bytes(head[5:9], "big")
            self._read.read(length)
            if kind == SETTINGS and not flags & ACK:
                self._socket.sendall(_frame(SETTINGS, ACK, 0))
            if kind == stop:
                return
            yield kind, flags, stream & 0x7FFFFFFF

    def close(self):
        self._socket.close()


def silent_calls(port, path, count, **how):
    """Start calls without a message over as many connections as they need; return the connections."""
    connections = []
    for number in range(count):
        if number % STREAMS_OF_CONNECTION == 0:
            connections.append(SilentConnection(port))
        connections[-1].start(path, **how)
    for connection in connections:
        connection.wait_until_known()
    return connections
