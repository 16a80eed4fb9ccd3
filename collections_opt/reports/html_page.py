"""A template of this package as one HTML page that loads nothing: its style and figures are inside."""

from __future__ import annotations

from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from collections_opt.core.shown_text import visible


def render(template: str, **content: Any) -> str:
    """Return a page; equal content gives equal bytes, and texts are escaped."""
    folder = resources.files("collections_opt.reports").joinpath("templates")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: folder.joinpath(name).read_text("utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    style = folder.joinpath("page.css").read_text("utf-8")
    return environment.get_template(template).render(style=style, **content)


def _shown(value: object) -> object:
    """Return a text of people with nothing hidden in it; markup of this package as it is."""
    return visible(value, lines=True) if isinstance(value, str) and not isinstance(value, Markup) else value
