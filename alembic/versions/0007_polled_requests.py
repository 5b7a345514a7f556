"""Requests that wait for a person while their client asks (RFC 8628, CIBA Core 1.0).

Revision: 0007
"""

from alembic import op
from corpid.storage.migration_parts import blob, create, index, integer, text

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    create(
        "polled_request",
        *blob("code_hash!"),
        *text("grant_type", "client_id"),
        *blob("user_code_hash?"),
        *text("subject?", "actor?", "parameters"),
        *blob("sealed?"),
        *integer("interval", "next_poll_at", "created_at", "expires_at"),
        *text("grant_id?"),
        *integer("refused_at?", "used_at?"),
    )
    index("ux_polled_request_user_code", "polled_request", "user_code_hash", unique=True)
    index("ix_polled_request_actor", "polled_request", "actor")
    index("ix_polled_request_subject", "polled_request", "subject")
    index("ix_polled_request_expiry", "polled_request", "expires_at")


def downgrade() -> None:
    op.drop_table("polled_request")
