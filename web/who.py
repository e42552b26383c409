"""Who sends a request: decided once, before any route or limit looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from starlette.requests import HTTPConnection

Role = Literal["reader", "editor", "operator"]
"""What somebody may do; each may do what those before may. Readers ask; editors also say what they
think of answers and add articles; operators also build and choose what is live."""


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody: `name` is that of an account, "" for one without; `address` is the browser's own.

    The address is that of the person also where a proxy that is trusted passes requests on.
    """

    name: str
    role: Role
    address: str


_KEY = "who"


def remember(connection: HTTPConnection, found: Who) -> None:
    """Keep with a request whose it is."""
    setattr(connection.state, _KEY, found)


def who(connection: HTTPConnection) -> Who:
    """Return whose request it is; where nobody looked, a reader without a name."""
    address = connection.client.host if connection.client else ""
    found: Who = getattr(connection.state, _KEY, Who("", "reader", address))
    return found
