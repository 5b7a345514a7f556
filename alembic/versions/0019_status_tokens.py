"""Signed status lists in a table of their own, and what a status was before it changed.

A list's row is written for every block of entries that is reserved and for every change; with the
token in it that was a third of a megabyte each time.

Revision: 0019
"""

from alembic import op
from corpid.storage.migration_parts import blob, create, index, integer, one_of, text, to

revision = "0019"
down_revision = "0018"

_MOVED = ("published_version", "published_token", "published_at", "published_until")


def upgrade() -> None:
    create(
        "status_token",
        *text("list_id!"),
        *integer("version", "published_at", "published_until"),
        *text("jwt"),
        *blob("cwt"),
        *to(list_id="status_list.list_id"),
    )
    # The tokens are not moved: the service signs the lists when it starts, and then in both forms.
    for column in _MOVED:
        op.execute(f"ALTER TABLE status_list DROP COLUMN {column}")
    create(
        "status_history",
        *text("list_id!"),
        *integer("list_index!", "version!"),
        *text("status"),
        *integer("since", "until"),
        one_of("status", "valid", "invalid", "suspended"),
        *to(list_id="status_list.list_id"),
    )
    index("ix_status_history_end", "status_history", "until")


def downgrade() -> None:
    op.drop_table("status_history")
    for column in _MOVED:
        kind = "TEXT" if column == "published_token" else "BIGINT"
        default = " NOT NULL DEFAULT -1" if column == "published_version" else ""
        op.execute(f"ALTER TABLE status_list ADD COLUMN {column} {kind}{default}")
    op.drop_table("status_token")
