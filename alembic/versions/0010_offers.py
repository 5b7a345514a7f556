"""Offers that are redeemed by signing in; transaction codes that are asked for in their own words.

Revision: 0010
"""

from alembic import op
from corpid.storage.migration_parts import integer, text

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    for column in (*text("grant_types?", "tx_code?"), *integer("next_try_at?")):
        op.add_column("credential_offer", column)


def downgrade() -> None:
    for name in ("next_try_at", "tx_code", "grant_types"):
        op.drop_column("credential_offer", name)
