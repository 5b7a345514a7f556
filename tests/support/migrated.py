"""A migrated database with nothing in it: made once per process and engine, copied ever after.

For those who make databases without the fixtures of `tests.support.databases`.
"""

import tempfile
from pathlib import Path

from corpid.storage import migrations
from tests.support import postgres

_templates: dict[tuple[str, bool], bytes | str] = {}


async def sqlite_database(path: Path) -> str:
    """Make the file; its URL."""
    file = _templates.get(("sqlite", False))
    if file is None:
        with tempfile.TemporaryDirectory() as directory:
            made = Path(directory) / "template.db"
            await migrations.migrate(f"sqlite:///{made}")
            file = _templates["sqlite", False] = made.read_bytes()
    assert isinstance(file, bytes)
    _write(path, file)
    return f"sqlite:///{path}"


async def postgresql_database(*, fsync: bool) -> str:
    """Make a database on the server with that `fsync`; its URL."""
    template = _templates.get(("postgresql", fsync))
    if template is None:
        template = _templates["postgresql", fsync] = await postgres.new_database(fsync=fsync)
        await migrations.migrate(template)
    assert isinstance(template, str)
    return await postgres.new_database(template=template, fsync=fsync)


def _write(path: Path, file: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(file)
