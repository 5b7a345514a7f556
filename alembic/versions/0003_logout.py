"""Logout: sessions that a person can recognise, and an outbox that is sent by recipient.

Revision: 0003
"""

import sqlalchemy as sa

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

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    without_index("ix_outbox_due", "ix_outbox_delivered", "ix_session_expiry")
    without_index("ix_session_person_id")
    with_more(
        "outbox",
        *blob("message_id!"),
        *text("topic", "recipient"),
        *blob("body"),
        *integer("created_at", "due_at", "attempts", "delivered_at?"),
        recipient="''",
    )
    index("ix_outbox_due", "outbox", "topic", "recipient", "due_at", where="delivered_at IS NULL")
    index("ix_outbox_delivered", "outbox", "delivered_at", where="delivered_at IS NOT NULL")
    with_more(
        "session",
        *blob("session_hash!"),
        *text("session_id", "person_id", "assurance", "methods", "browser"),
        *integer("began_at", "signed_in_at", "seen_at", "expires_at", "ended_at?"),
        *to(person_id="person.person_id"),
        sa.UniqueConstraint("session_id"),
        one_of("assurance", "loa1", "loa2", "loa3", "loa4"),
        browser="''",
        began_at="signed_in_at",
        seen_at="signed_in_at",
    )
    index("ix_session_expiry", "session", "expires_at")
    index("ix_session_person_id", "session", "person_id")
