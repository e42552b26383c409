"""Where a server listens."""

from __future__ import annotations

import socket


def listening(host: str, port: int) -> tuple[socket.socket, str]:
    """Return a socket that listens, and its address, "http://HOST:PORT"; port 0 takes a free one.

    Raises OSError for an address in use, and UnicodeError for a name that cannot be one.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.create_server((host, port), family=family, backlog=2048)
    named = f"[{host}]" if ":" in host else host
    return opened, f"http://{named}:{opened.getsockname()[1]}"
