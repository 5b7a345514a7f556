"""Writes docs/settings.md from corpid/settings.py, so that the page cannot fall behind.

python -m tools.settings_page
"""

from __future__ import annotations

import sys
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from corpid.settings import Settings
from tools.source_tree import ROOT

PAGE = ROOT / "docs" / "settings.md"
_HEAD = """\
# Settings

Made from `corpid/settings.py` by `python -m tools.settings_page`; a test compares the two.

Every setting is read from the environment variable that is named here, or from a file of such
lines that a command is given by `--env-file`; the environment goes first. `corpid config show`
prints each setting with its value and where it comes from, `corpid config check` tries them out.
A value that is not understood stops the start with a message that names the variable.

"""


def page() -> str:
    """The whole page."""
    rows = ["| variable | values | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        cells = (f"`CORPID_{name.upper()}`", _values(field), _default(field), _meaning(field))
        rows.append("| " + " | ".join(cells) + " |")
    return _HEAD + "\n".join(rows) + "\n"


def _meaning(field: FieldInfo) -> str:
    text = (field.description or "").replace("|", "\\|").rstrip()
    return text if text.endswith(".") else text + "."


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None or value in ((), {}):
        return "none"
    return f"`{value}`"


def _values(field: FieldInfo) -> str:
    kind = field.annotation
    if get_origin(kind) is Literal:
        return " or ".join(f"`{one}`" for one in get_args(kind))
    bounds = [text for constraint in field.metadata if (text := _bound(constraint))]
    return " ".join([_kind(kind), *bounds])


def _kind(kind: Any) -> str:
    text = str(kind)
    if kind is int:
        return "number"
    if "Path" in text:
        return "file"
    return "JSON object" if "dict" in text else "list" if "tuple" in text else "text"


def _bound(constraint: Any) -> str:
    least, most = getattr(constraint, "ge", None), getattr(constraint, "le", None)
    return f"from {least}" if least is not None else f"to {most}" if most is not None else ""


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
