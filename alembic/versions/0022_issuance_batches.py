"""How far each bulk issuance has come; where a branch's facts come from.

Revision: 0022
"""

from alembic import op
from corpid.storage.migration_parts import create, index, integer, text

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    create(
        "issuance_batch",
        *text("batch_id!", "actor"),
        *integer("turn", "chunk_from", "done_line", "issued", "refused"),
        *integer("started_at", "finished_at?", "expires_at"),
    )
    index("ix_issuance_batch_expiry", "issuance_batch", "expires_at")
    for column in text("source?", "as_of?"):
        op.add_column("branch", column)


def downgrade() -> None:
    for column in ("as_of", "source"):
        op.drop_column("branch", column)
    op.drop_table("issuance_batch")
