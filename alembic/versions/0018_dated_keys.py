"""Keys of pushed requests, codes and access tokens that begin with the instant of their end.

What is there has other keys, and would neither be found in that order nor be purged. It lives for
minutes: clients push, authorize or refresh again.

Revision: 0018
"""

from alembic import op
from corpid.storage.migration_parts import index, without_index

revision = "0018"
down_revision = "0017"

_INDEXES = {
    "ix_pushed_request_expiry": "pushed_request",
    "ix_code_expiry": "authorization_code",
    "ix_access_token_expiry": "access_token",
    "ix_narrowed_token_expiry": "narrowed_token",
}


def upgrade() -> None:
    without_index(*_INDEXES)
    for table in _INDEXES.values():
        op.execute(f"DELETE FROM {table}")  # noqa: S608 - constants of this file


def downgrade() -> None:
    for name, table in _INDEXES.items():
        index(name, table, "expires_at")
