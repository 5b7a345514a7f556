"""The grants of a client at one second: whom an ID token of that sign-in was for.

Revision: 0014
"""

from corpid.storage.migration_parts import index, without_index

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    without_index("ix_grant_client")
    index("ix_grant_client", "authorization_grant", "client_id", "auth_time")


def downgrade() -> None:
    without_index("ix_grant_client")
    index("ix_grant_client", "authorization_grant", "client_id")
