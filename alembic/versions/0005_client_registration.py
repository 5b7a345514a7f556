"""Clients that register themselves, and the tokens that let them in.

Revision: 0005
"""

from alembic import op
from corpid.storage.migration_parts import blob, create, index, integer, text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    create(
        "registration_token",
        *text("token_id!"),
        *blob("token_hash"),
        *text("label", "policy?"),
        *integer("uses_left", "created_at", "expires_at", "ended_at?"),
    )
    index("ux_registration_token_hash", "registration_token", "token_hash", unique=True)
    index("ix_registration_token_expiry", "registration_token", "expires_at")
    create(
        "client_registration",
        *text("client_id!"),
        *blob("token_hash"),
        *text("initial_token_id?", "policy"),
        *integer("registered_at"),
    )
    index("ix_client_registration_time", "client_registration", "registered_at")


def downgrade() -> None:
    op.drop_table("client_registration")
    op.drop_table("registration_token")
