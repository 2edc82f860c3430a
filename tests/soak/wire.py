"""The wire, bare: connections that can be held, cut and reset, and one answer read from them."""

import re
import socket
import struct
import zlib


class Wire:
    """A connection. As a context it ends with the block."""

    def __init__(self, address, timeout=60.0):
        self.socket = socket.create_connection(address, timeout=timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def reset(self):
        """Ends the connection with RST in place of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def answer(self):
        """Status and body of the next answer; status 0 when the server has closed without one."""
        data = b""
        try:
            while b"\r\n\r\n" not in data:
                more = self.socket.recv(65536)
                if not more:
                    return 0, b""
                data += more
            head, body = data.split(b"\r\n\r\n", 1)
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            while len(body) < int(length[1] if length else 0):
                more = self.socket.recv(65536)
                if not more:
                    break
                body += more
        except ConnectionError:
            return 0, b""
        return int(head.split(b" ", 2)[1]), body


def request(method, path, body=b"", kind="application/json", **headers):
    """A request as bytes."""
    path = path if isinstance(path, bytes) else path.encode()
    lines = [method.encode() + b" " + path + b" HTTP/1.1", b"host: localhost"]
    if body:
        lines += [f"content-type: {kind}".encode(), f"content-length: {len(body)}".encode()]
    lines += [f"{name.replace('_', '-')}: {value}".encode() for name, value in headers.items()]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def png(width, height, shade=0):
    """A grey picture whose rows differ."""
    rows = b"".join(b"\0" + bytes([(y * 7 + shade) % 256]) * width for y in range(height))
    return png_of(width, height, zlib.compress(rows, 1))


def chunk(kind, content):
    """A part of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width, height, data):
    """A PNG with this header and these compressed rows, whether they fit together or not."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
