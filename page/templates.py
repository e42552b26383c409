"""The page's Jinja2 templates: whatever a value holds is escaped."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from page import texts

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent


def render(name: str, **values: object) -> str:
    """Return a template of this folder with values; `texts` has the page's wording in it."""
    return _environment().get_template(name).render(values)


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["texts"] = texts
    return made
