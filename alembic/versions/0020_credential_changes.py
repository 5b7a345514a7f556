"""What became of each credential, change by change; and suspension of one credential by itself.

Revision: 0020
"""

from alembic import op
from corpid.storage.migration_parts import create, integer, one_of, text, to

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    for column in integer("on_hold_since?"):
        op.add_column("credential", column)
    create(
        "credential_change",
        *text("credential_id!"),
        *integer("number!"),
        *text("state"),
        *integer("changed_at"),
        *text("reason", "actor"),
        *to(credential_id="credential.credential_id"),
        one_of("state", "issued", "accepted", "replaced", "suspended", "revoked"),
    )
    # The last change is all that was kept until now.
    op.execute(
        "INSERT INTO credential_change "
        "(credential_id, number, state, changed_at, reason, actor) "
        "SELECT credential_id, 1, state, changed_at, change_reason, '' FROM credential "
        "WHERE state <> 'issued'"
    )


def downgrade() -> None:
    op.drop_table("credential_change")
    op.drop_column("credential", "on_hold_since")
