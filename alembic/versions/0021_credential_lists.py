"""The credentials of a business are found in the order of their issuance.

Revision: 0021
"""

from corpid.storage.migration_parts import index, without_index

revision = "0021"
down_revision = "0020"

_INDEX = "ix_credential_organisation"


def upgrade() -> None:
    without_index(_INDEX)
    index(_INDEX, "credential", "organisation_id", "issued_at")


def downgrade() -> None:
    without_index(_INDEX)
    index(_INDEX, "credential", "organisation_id")
