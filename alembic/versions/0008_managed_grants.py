"""Grants that their clients know by a handle (Grant Management for OAuth 2.0).

Revision: 0008
"""

from alembic import op
from corpid.storage.migration_parts import create, index, integer, text

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    create(
        "managed_grant",
        *text("handle!", "grant_id"),
        *integer("expires_at", "ended_at?"),
    )
    index("ix_managed_grant_expiry", "managed_grant", "expires_at")


def downgrade() -> None:
    op.drop_table("managed_grant")
