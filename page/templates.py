"""The page's Jinja2 templates: whatever a value holds is escaped."""

from __future__ import annotations

import functools
import html
from pathlib import Path
from typing import TYPE_CHECKING

from index.text import seen
from page import texts

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent


def escape(text: str) -> str:
    """Return a text as HTML, without what is not seen or turns the page's own text round."""
    return verbatim(seen(text))


def verbatim(text: str) -> str:
    """Return a text as HTML, every character of it: what is quoted, in its own element."""
    return html.escape(text)


def _seen(value: object) -> object:
    """Leave out of what a template prints what `escape` does; what is HTML already is kept."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return seen(value)
    return value


def render(name: str, **values: object) -> str:
    """Return a template of this folder with values; `texts` has the page's wording in it."""
    return _environment().get_template(name).render(values)


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["texts"] = texts
    made.filters["verbatim"] = lambda text: Markup(verbatim(text))
    return made
