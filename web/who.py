"""Who sends a request: decided once, before any route or limit looks at it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from starlette.requests import HTTPConnection

from index.settings import ROLES
from web.addresses import near

Role = Literal["reader", "editor", "operator"]
"""What somebody may do; each may do what those before may. Readers ask; editors also say what they
think of answers and add articles; operators also build and choose what is live."""


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody: `name` is that of an account, "" for one without; `address` is the browser's own.

    The address is that of the person also where a proxy that is trusted passes requests on.
    `owner` is what their conversations are kept under, "" for those of a browser's cookie; a
    `session` is one that they can log out of.
    """

    name: str
    role: Role
    address: str
    owner: str = ""
    session: bool = False

    @property
    def waits_as(self) -> str:
        """Return the name by which their questions take turns with those of others."""
        return self.name or f"address {near(self.address)}"

    def may(self, role: Role) -> bool:
        """Tell whether they may do what a role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


_KEY, _STILL = "who", "still_who"

asking: ContextVar[Who] = ContextVar("asking", default=Who("", "reader", ""))  # noqa: B039
"""Whose request is under way, for what is given no request."""


def remember(
    connection: HTTPConnection, found: Who, still: Callable[[], bool] = lambda: True
) -> None:
    """Keep with a request whose it is, and what tells later whether they are still let in."""
    setattr(connection.state, _KEY, found)
    setattr(connection.state, _STILL, still)
    asking.set(found)


def who(connection: HTTPConnection) -> Who:
    """Return whose request it is; where nobody looked, a reader without a name."""
    address = connection.client.host if connection.client else ""
    found: Who = getattr(connection.state, _KEY, Who("", "reader", address))
    return found


def still(connection: HTTPConnection) -> bool:
    """Tell whether whose request it is has not been logged out since."""
    return bool(getattr(connection.state, _STILL, lambda: True)())
