"""Access tokens with fewer authorization details than their grant (RFC 9396 6.1).

Revision: 0002
"""

from alembic import op
from corpid.storage.migration_parts import blob, create, index, integer, text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    create(
        "narrowed_token",
        *blob("token_hash!"),
        *text("details"),
        *integer("expires_at"),
    )
    index("ix_narrowed_token_expiry", "narrowed_token", "expires_at")


def downgrade() -> None:
    op.drop_table("narrowed_token")
