"""Certificates: a development authority, and the ring of mdoc document signers.

Revision: 0012
"""

from alembic import op
from corpid.storage.migration_parts import allowing, blob, create, integer, one_of, text

revision = "0012"
down_revision = "0011"

_BEFORE = ("tokens", "credentials", "status", "metadata")


def _signing_key() -> tuple:
    return (
        *text("kid!", "purpose", "alg", "public_jwk"),
        *blob("sealed_private?"),
        *text("certificates"),
        *integer(
            "created_at", "publish_at", "activate_at", "retire_at?", "remove_at?", "destroyed_at?"
        ),
        one_of("alg", "ES256", "RS256"),
    )


def upgrade() -> None:
    allowing("signing_key", "purpose", *_BEFORE, "mdoc", whole=_signing_key())
    create(
        "certificate_authority",
        *text("name!", "certificate"),
        *blob("sealed_private", "revocation_list"),
        *integer("created_at"),
    )


def downgrade() -> None:
    op.drop_table("certificate_authority")
    allowing("signing_key", "purpose", *_BEFORE, whole=_signing_key())
