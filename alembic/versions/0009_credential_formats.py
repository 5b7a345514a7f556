"""A credential is of one version of a type, in one format; which types there are, the code says.

Revision: 0009
"""

import sqlalchemy as sa

from alembic import op
from corpid.storage.migration_parts import (
    blob,
    index,
    integer,
    one_of,
    text,
    to,
    with_more,
    without_index,
)

revision = "0009"
down_revision = "0008"

_INDEXES = {
    "ix_credential_authority": ("authority",),
    "ix_credential_grant": ("grant_id",),
    "ix_credential_organisation": ("organisation_id",),
    "ix_credential_person": ("person_id",),
}


def _parts(*more: str) -> list[sa.schema.SchemaItem]:
    return [
        *text("credential_id!", "credential_type", *more),
        *text(
            "organisation_id",
            "person_id",
            "authority",
            "grant_id",
            "holder_thumbprint",
            "list_id",
        ),
        *integer("list_index"),
        *text("state"),
        *blob("payload_digest"),
        *text("signing_kid"),
        *integer("issued_at", "expires_at", "changed_at"),
        *text("change_reason"),
        *to(
            organisation_id="organisation.organisation_id",
            person_id="person.person_id",
            list_id="status_list.list_id",
        ),
        one_of("state", "issued", "accepted", "replaced", "suspended", "revoked"),
    ]


def upgrade() -> None:
    without_index(*_INDEXES, "ux_credential_entry")
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint("ck_credential_type", "credential")
    with_more(
        "credential",
        *_parts("type_version", "credential_format"),
        type_version="'1'",
        credential_format="'dc+sd-jwt'",
    )
    for name, columns in _INDEXES.items():
        index(name, "credential", *columns)
    index("ux_credential_entry", "credential", "list_id", "list_index", unique=True)


def downgrade() -> None:
    op.drop_column("credential", "credential_format")
    op.drop_column("credential", "type_version")
