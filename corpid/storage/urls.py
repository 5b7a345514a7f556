"""Database URLs: which engine, and where. No message holds the URL, which may hold a password."""

from urllib.parse import unquote, urlsplit

from corpid.storage.errors import StorageError


def sqlite_path(url: str) -> str | None:
    """The file of a SQLite URL; None for a PostgreSQL URL.

    Raises:
        StorageError: it is neither, or names no file.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise StorageError("the database URL is malformed") from None
    if parts.scheme in {"postgresql", "postgres"}:
        return None
    if parts.scheme != "sqlite":
        raise StorageError(
            f"unknown database scheme {parts.scheme!r}: use sqlite:///path or postgresql://..."
        )
    if parts.netloc or parts.query or parts.fragment or len(parts.path) < 2:
        raise StorageError(
            "a SQLite URL names a file: sqlite:///relative.db or sqlite:////absolute/path.db"
        )
    return unquote(parts.path[1:])
