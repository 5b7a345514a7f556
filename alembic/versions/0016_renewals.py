"""Credentials that give way to the one that renews them, when that is accepted or a day later.

Revision: 0016
"""

from alembic import op
from corpid.storage.migration_parts import index, integer

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    for column in integer("ends_at?"):
        op.add_column("credential", column)
    index("ix_credential_ends", "credential", "ends_at", where="ends_at IS NOT NULL")


def downgrade() -> None:
    op.drop_index("ix_credential_ends")
    op.drop_column("credential", "ends_at")
