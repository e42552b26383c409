"""Accounts: who may come in from other machines, and what they may do."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from commands.terminal import say
from index import settings
from index.errors import InputError
from index.settings import ROLES

if TYPE_CHECKING:
    from web.users import Users

users = typer.Typer(
    help="Accounts of those who come in from other machines.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Name = Annotated[str, typer.Argument(metavar="NAME")]
_ROLES = f"{', '.join(ROLES[:-1])} or {ROLES[-1]}"


@users.command()
def add(
    context: typer.Context,
    name: Name,
    role: Annotated[
        str, typer.Option(metavar="ROLE", help=f"{_ROLES}, each may do what those before may.")
    ] = "reader",
) -> None:
    """Make an account. A reader asks; an editor also judges answers and adds articles; an operator
    does everything.

    The password is asked for on a terminal, else read from the first line of standard input.
    """
    made = _users(context)
    say(f"{made.add(name, _password(), role)} is {role}.")


@users.command("list")
def listed(context: typer.Context) -> None:
    """List the accounts: role, when made, when last seen, browsers logged in, tokens."""
    found = _users(context).listed()
    if not found:
        typer.echo("No accounts: tanya user add NAME makes one.")
    for each in found:
        seen = f"seen {_day(each.seen)}" if each.seen else "never seen"
        say(
            f"{each.name}  {each.role}  made {_day(each.made)}, {seen}, sessions: {each.sessions}, "
            f"tokens: {each.tokens}"
        )


@users.command()
def remove(context: typer.Context, name: Name) -> None:
    """Remove an account; its sessions and tokens end at once.

    Its conversations stay in chats.db, where nobody reads them any more.
    """
    _users(context).remove(name)
    say(f"{name} is removed.")


@users.command()
def password(context: typer.Context, name: Name) -> None:
    """Change a password; the account's sessions end at once, its tokens stay."""
    made = _users(context)
    made.known(name)
    made.set_password(name, _password())
    say(f"The password of {name} is changed.")


@users.command()
def role(
    context: typer.Context,
    name: Name,
    role: Annotated[str, typer.Argument(metavar="ROLE", help=f"{_ROLES}.")],
) -> None:
    """Change a role; the account's sessions end at once."""
    _users(context).set_role(name, role)
    say(f"{name} is {role}.")


@users.command()
def token(
    context: typer.Context,
    name: Name,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Revoke the account's tokens in its place.")
    ] = False,
) -> None:
    """Make a token by which a program comes in as an account; it is shown this once."""
    made = _users(context)
    if revoke:
        say(f"Tokens of {name} that are revoked: {made.revoke_tokens(name)}.")
        return
    typer.echo(made.add_token(name))


def _users(context: typer.Context) -> Users:
    from web.users import Users

    return Users(context.obj, settings.load(context.obj).serve)


def _password() -> str:
    """Return a password that a person types twice, or the first line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    typed = sys.stdin.readline().rstrip("\r\n")
    if not typed:
        raise InputError("There is no password on standard input: write it as the first line.")
    return typed


def _day(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds).date().isoformat()
