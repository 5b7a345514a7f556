"""Places the source tree's three packages and the migrations under the one name `corpid`.

The tree has `keys/`, `oidc/`, `corpid/` and `alembic/` side by side. Installed like that, the
first, second and fourth would collide with modules of the application that uses the wheel, so the
wheel holds them as `corpid/keys`, `corpid/oidc` and `corpid/alembic`, and the import statements
that name them are rewritten on the way (docs/adr/0001).
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Only whole statements of the form `from keys… import …`; tests/architecture refuses any other.
IMPORT_STATEMENT = re.compile(r"^([ \t]*from )(keys|oidc)(?=[.\s])", re.MULTILINE)
PLACES = {
    "corpid": "corpid",
    "keys": "corpid/keys",
    "oidc": "corpid/oidc",
    "alembic": "corpid/alembic",
}
LEFT_OUT = {"__pycache__", ".DS_Store"}


def rewritten(source: str) -> str:
    """The same source with `keys` and `oidc` imported from under `corpid`."""
    return IMPORT_STATEMENT.sub(r"\1corpid.\2", source)


def shipped(folder: Path) -> list[Path]:
    """Every file of a source folder that belongs into the wheel, in a fixed order."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix != ".pyc"
        and not any(
            part in LEFT_OUT or part.startswith(".") for part in path.relative_to(folder).parts
        )
    )


class OneNameBuildHook(BuildHookInterface[Any]):
    """Stages the rewritten tree in a temporary directory and hands it to the wheel builder."""

    staged: Path | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fill the wheel; an editable install (`version` says so) is only a path entry."""
        if version == "editable":
            return
        root = Path(self.root)
        for name in PLACES:
            if name != "corpid" and (root / "corpid" / name).exists():
                msg = f"corpid/{name} exists in the tree; the wheel puts {name}/ there"
                raise RuntimeError(msg)
        self.staged = Path(tempfile.mkdtemp(prefix="corpid-wheel-"))
        for name, place in PLACES.items():
            for path in shipped(root / name):
                target = self.staged / place / path.relative_to(root / name)
                target.parent.mkdir(parents=True, exist_ok=True)
                if path.suffix == ".py":
                    text = rewritten(path.read_bytes().decode())
                    target.write_bytes(text.encode())
                else:
                    shutil.copyfile(path, target)
                build_data["force_include"][str(target)] = str(target.relative_to(self.staged))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the staged copy."""
        if self.staged is not None:
            shutil.rmtree(self.staged)
