"""Keys that wallets encrypt their credential requests to.

Revision: 0015
"""

from alembic import op
from corpid.storage.migration_parts import allowing, blob, integer, one_of, text

revision = "0015"
down_revision = "0014"

_PURPOSES = ("tokens", "credentials", "status", "metadata", "mdoc")
_ALGS = ("ES256", "RS256")
_MORE_PURPOSES = (*_PURPOSES, "encryption")
_MORE_ALGS = (*_ALGS, "ECDH-ES")


def _signing_key() -> tuple:
    return (
        *text("kid!", "purpose", "alg", "public_jwk"),
        *blob("sealed_private?"),
        *text("certificates"),
        *integer(
            "created_at", "publish_at", "activate_at", "retire_at?", "remove_at?", "destroyed_at?"
        ),
    )


def upgrade() -> None:
    algs = one_of("alg", *_ALGS)
    allowing("signing_key", "purpose", *_MORE_PURPOSES, whole=(*_signing_key(), algs))
    purposes = one_of("purpose", *_MORE_PURPOSES)
    allowing("signing_key", "alg", *_MORE_ALGS, whole=(*_signing_key(), purposes))


def downgrade() -> None:
    op.execute("DELETE FROM signing_key WHERE purpose = 'encryption'")
    purposes = one_of("purpose", *_MORE_PURPOSES)
    allowing("signing_key", "alg", *_ALGS, whole=(*_signing_key(), purposes))
    algs = one_of("alg", *_ALGS)
    allowing("signing_key", "purpose", *_PURPOSES, whole=(*_signing_key(), algs))
