"""Failed tries are counted by browser, name and address instead of by person alone.

Revision: 0004
"""

from alembic import op
from corpid.storage.migration_parts import blob, create, index, integer

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    create("guess", *blob("slot!"), *integer("failures", "blocked_until", "expires_at"))
    index("ix_guess_expiry", "guess", "expires_at")
    for table in ("password", "totp"):
        op.drop_column(table, "failures")
        op.drop_column(table, "blocked_until")


def downgrade() -> None:
    op.drop_table("guess")
