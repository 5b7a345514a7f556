"""Access tokens that are bound to a client certificate (RFC 8705 3).

Revision: 0006
"""

from alembic import op
from corpid.storage.migration_parts import text

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for column in text("x5t?"):
        op.add_column("access_token", column)


def downgrade() -> None:
    op.drop_column("access_token", "x5t")
