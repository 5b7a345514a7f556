"""Issuances that wait for an operator's yes.

Revision: 0017
"""

from alembic import op
from corpid.storage.migration_parts import create, index, integer, one_of, text, to

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    create(
        "deferred_issuance",
        *text("deferral_id!", "client_id", "organisation_id", "person_id"),
        *text("configuration_id", "dataset", "holders", "state"),
        *integer("created_at", "expires_at", "decided_at?", "taken_at?"),
        *text("decided_by", "reason"),
        *to(organisation_id="organisation.organisation_id", person_id="person.person_id"),
        one_of("state", "waiting", "approved", "denied"),
    )
    index("ix_deferred_issuance_person", "deferred_issuance", "person_id")
    index("ix_deferred_issuance_expiry", "deferred_issuance", "expires_at")


def downgrade() -> None:
    op.drop_table("deferred_issuance")
