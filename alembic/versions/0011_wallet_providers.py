"""Wallet providers whose attestations are believed.

Revision: 0011
"""

from alembic import op
from corpid.storage.migration_parts import create, index, integer, text

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    create(
        "wallet_provider",
        *text("provider_id!", "title", "issuer?", "certificates", "jwks?", "attests"),
        *integer("added_at!", "removed_at?"),
    )
    index(
        "ux_wallet_provider_trusted",
        "wallet_provider",
        "provider_id",
        unique=True,
        where="removed_at IS NULL",
    )


def downgrade() -> None:
    op.drop_table("wallet_provider")
