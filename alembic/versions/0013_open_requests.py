"""How many requests of a client wait, counted without a look at all of them.

Revision: 0013
"""

from alembic import op
from corpid.storage.migration_parts import index, integer

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    for column in integer("counted?"):
        op.add_column("pushed_request", column)
    index(
        "ix_pushed_request_open",
        "pushed_request",
        "client_id",
        "expires_at",
        where="counted IS NOT NULL AND used_at IS NULL",
    )
    index(
        "ix_interaction_open",
        "interaction",
        "client_id",
        "expires_at",
        where="finished_at IS NULL",
    )
    index(
        "ix_polled_request_open",
        "polled_request",
        "client_id",
        "expires_at",
        where="grant_id IS NULL AND refused_at IS NULL",
    )


def downgrade() -> None:
    op.drop_index("ix_polled_request_open", "polled_request")
    op.drop_index("ix_interaction_open", "interaction")
    op.drop_index("ix_pushed_request_open", "pushed_request")
    op.drop_column("pushed_request", "counted")
