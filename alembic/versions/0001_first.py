"""The first schema: everything that the service stores.

Written out, and never changed after a release: it says what a database of this revision has,
whatever the tables in the code have become since.

Revision: 0001
"""

import sqlalchemy as sa

from corpid.storage.migration_parts import (
    blob,
    by_code_point,
    create,
    index,
    integer,
    one_of,
    text,
    to,
)

revision = "0001"
down_revision = None


def upgrade() -> None:
    create(
        "access_token",
        *blob("token_hash!"),
        *text("grant_id?", "client_id", "scope", "audience", "jkt?"),
        *integer("issued_at", "expires_at", "ended_at?"),
    )
    index("ix_access_token_expiry", "access_token", "expires_at")
    create(
        "audit",
        *blob("audit_id!"),
        *integer("recorded_at"),
        *text("event"),
        *blob("body", "digest"),
        sa.CheckConstraint("length(digest) = 32", name="ck_digest_length"),
    )
    create(
        "authorization_code",
        *blob("code_hash!"),
        *text("grant_id", "redirect_uri", "code_challenge?", "dpop_jkt?"),
        *integer("expires_at", "used_at?"),
    )
    index("ix_code_expiry", "authorization_code", "expires_at")
    create(
        "authorization_grant",
        *text(
            "grant_id!",
            "client_id",
            "grant_type",
            "subject?",
            "actor?",
            "authority?",
            "session_id?",
            "scope",
            "resource",
            "details",
            "acr?",
            "amr",
        ),
        *integer("auth_time?", "created_at", "expires_at", "ended_at?"),
        *text("end_reason?"),
    )
    index("ix_grant_actor", "authorization_grant", "actor")
    index("ix_grant_authority", "authorization_grant", "authority")
    index("ix_grant_client", "authorization_grant", "client_id")
    index("ix_grant_expiry", "authorization_grant", "expires_at")
    index("ix_grant_session", "authorization_grant", "session_id")
    index("ix_grant_subject", "authorization_grant", "subject")
    create(
        "change",
        *text("topic!"),
        *integer("value"),
        one_of("topic", "clients", "keys", "authority", "status"),
    )
    create(
        "interaction",
        *blob("interaction_hash!", "binding_hash"),
        *text("client_id", "request"),
        *blob("pushed_request_hash?"),
        *text("person_id?", "organisation_id?"),
        *integer("created_at", "expires_at", "finished_at?"),
    )
    index("ix_interaction_expiry", "interaction", "expires_at")
    create("meta", *text("name!", "value"))
    create("organisation", *text("organisation_id!"), *integer("created_at", "suspended_at?"))
    create(
        "outbox",
        *blob("message_id!"),
        *text("topic"),
        *blob("body"),
        *integer("created_at", "due_at", "attempts", "delivered_at?"),
    )
    index("ix_outbox_delivered", "outbox", "delivered_at", where="delivered_at IS NOT NULL")
    index("ix_outbox_due", "outbox", "due_at", where="delivered_at IS NULL")
    create(
        "person",
        *text("person_id!", "name_en", "name_zh_hant", "name_zh_hans", "email?", "phone?"),
        *integer("created_at", "closed_at?"),
    )
    create(
        "pushed_request",
        *blob("request_hash!"),
        *text("client_id", "parameters", "dpop_jkt?"),
        *integer("expires_at", "used_at?"),
    )
    index("ix_pushed_request_expiry", "pushed_request", "expires_at")
    create(
        "refresh_token",
        *blob("token_hash!"),
        *text("grant_id", "jkt?"),
        *integer("issued_at", "expires_at", "rotated_at?"),
    )
    index("ix_refresh_token_expiry", "refresh_token", "expires_at")
    create("replay", *blob("key_hash!"), *integer("expires_at"))
    index("ix_replay_expiry", "replay", "expires_at")
    create("secret", *text("name!"), *blob("sealed"), *integer("created_at"))
    create("sector", *text("sector!"), *integer("created_at"))
    create(
        "signing_key",
        *text("kid!", "purpose", "alg", "public_jwk"),
        *blob("sealed_private?"),
        *text("certificates"),
        *integer(
            "created_at", "publish_at", "activate_at", "retire_at?", "remove_at?", "destroyed_at?"
        ),
        one_of("alg", "ES256", "RS256"),
        one_of("purpose", "tokens", "credentials", "status", "metadata"),
    )
    create(
        "status_list",
        *text("list_id!"),
        *integer("bits", "size"),
        *blob("sealed_permutation_key"),
        *integer("reserved", "version", "published_version"),
        *text("published_token?"),
        *integer("published_at?", "published_until?", "created_at", "closed_at?"),
    )
    create(
        "branch",
        *text("organisation_id!", "code!"),
        *integer("recorded_at!", "ended_at?"),
        *text("name_en", "name_zh_hant", "name_zh_hans", "address"),
        *to(organisation_id="organisation.organisation_id"),
        sa.CheckConstraint("length(code) = 3", name="ck_branch_code"),
    )
    create(
        "client",
        *text("client_id!", "sector"),
        *integer("created_at", "disabled_at?"),
        *to(sector="sector.sector"),
    )
    create(
        "consent",
        *text("person_id!", "organisation_id!", "client_id!"),
        *integer("given_at!", "ended_at?"),
        *text("scopes", "claims"),
        *to(person_id="person.person_id", organisation_id="organisation.organisation_id"),
    )
    index("ix_consent_client", "consent", "client_id")
    index("ix_consent_organisation", "consent", "organisation_id", where="ended_at IS NULL")
    index(
        "ux_consent_open",
        "consent",
        "person_id",
        "organisation_id",
        "client_id",
        unique=True,
        where="ended_at IS NULL",
    )
    create(
        "credential",
        *text(
            "credential_id!",
            "credential_type",
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
        one_of("credential_type", "company-identity", "representative"),
        one_of("state", "issued", "accepted", "replaced", "suspended", "revoked"),
    )
    index("ix_credential_authority", "credential", "authority")
    index("ix_credential_grant", "credential", "grant_id")
    index("ix_credential_organisation", "credential", "organisation_id")
    index("ix_credential_person", "credential", "person_id")
    index("ux_credential_entry", "credential", "list_id", "list_index", unique=True)
    create(
        "credential_offer",
        *text("offer_id!"),
        *blob("code_hash", "transaction_code_hash?"),
        *integer("wrong_tries"),
        *text("organisation_id", "person_id", "authority", "credential_types"),
        *integer("created_at", "expires_at", "used_at?", "ended_at?"),
        *to(organisation_id="organisation.organisation_id", person_id="person.person_id"),
        sa.UniqueConstraint("code_hash"),
    )
    index("ix_offer_expiry", "credential_offer", "expires_at")
    index("ix_offer_person", "credential_offer", "person_id")
    create(
        "identifier",
        *text("organisation_id!", "scheme!", "value!"),
        *integer("valid_from!", "valid_to?"),
        *text("source", "as_of"),
        *integer("recorded_at", "ended_at?"),
        *to(organisation_id="organisation.organisation_id"),
        one_of("scheme", "hk.brn", "hk.cr_dummy", "lei", "uscc"),
        sa.CheckConstraint(
            "scheme NOT IN ('hk.brn', 'hk.cr_dummy') OR length(value) = 8", name="ck_value_length"
        ),
    )
    index("ix_identifier_past", "identifier", "scheme", "value", where="valid_to IS NOT NULL")
    index(
        "ux_identifier_open", "identifier", "scheme", "value", unique=True, where="valid_to IS NULL"
    )
    create(
        "mandate",
        *text(
            "mandate_id!",
            "organisation_id",
            "holder_kind",
            "holder_id",
            "powers",
            "services",
            "limit_amount?",
            "limit_currency?",
            "representation_type",
            "signing_group?",
        ),
        *integer("min_signers?"),
        *text("substitution", "valid_from", "valid_until?", "parent_id?", "state"),
        *integer("grantor_accepted", "holder_accepted", "created_at", "changed_at"),
        *to(organisation_id="organisation.organisation_id", parent_id="mandate.mandate_id"),
        one_of("holder_kind", "person", "organisation"),
        one_of("representation_type", "SOLE", "JOINT"),
        one_of("state", "proposed", "accepted", "suspended", "ended", "declined"),
        one_of("substitution", "allowed", "not_allowed", "limited"),
        sa.CheckConstraint(
            "(representation_type = 'JOINT') = (signing_group IS NOT NULL)", name="ck_joint_rule"
        ),
        sa.CheckConstraint(
            "(limit_amount IS NULL) = (limit_currency IS NULL)", name="ck_limit_currency"
        ),
    )
    index("ix_mandate_holder", "mandate", "holder_kind", "holder_id")
    index("ix_mandate_organisation", "mandate", "organisation_id")
    create(
        "mandate_status",
        *text("mandate_id!", "sector!", "list_id"),
        *integer("list_index", "created_at"),
        *to(list_id="status_list.list_id"),
    )
    index("ux_mandate_status_entry", "mandate_status", "list_id", "list_index", unique=True)
    create(
        "organisation_name",
        by_code_point("folded!"),
        *text("organisation_id!"),
    )
    create(
        "password",
        *text("username!", "person_id", "password_hash"),
        *integer("failures", "blocked_until", "created_at"),
        *to(person_id="person.person_id"),
    )
    index("ix_password_person_id", "password", "person_id")
    create(
        "registration",
        *text("organisation_id!"),
        *integer("recorded_at!", "ended_at?"),
        *text(
            "entity_type",
            "type_text",
            "status",
            "name_en",
            "name_zh_hant",
            "name_zh_hans",
            "address",
            "incorporated_on?",
            "place_of_incorporation?",
        ),
        *blob("digest"),
        *text("source", "as_of"),
        *to(organisation_id="organisation.organisation_id"),
    )
    index(
        "ux_registration_open",
        "registration",
        "organisation_id",
        unique=True,
        where="ended_at IS NULL",
    )
    create(
        "representation",
        *text(
            "representation_id!",
            "organisation_id",
            "person_id",
            "role",
            "valid_from",
            "valid_to?",
            "source",
            "as_of",
        ),
        *integer("recorded_at", "ended_at?"),
        *to(organisation_id="organisation.organisation_id", person_id="person.person_id"),
        one_of("role", "director", "sole_proprietor", "partner", "company_secretary"),
    )
    index("ix_representation_organisation", "representation", "organisation_id")
    index("ix_representation_person", "representation", "person_id")
    index(
        "ux_representation_open",
        "representation",
        "organisation_id",
        "person_id",
        "role",
        unique=True,
        where="ended_at IS NULL",
    )
    create(
        "session",
        *blob("session_hash!"),
        *text("session_id", "person_id", "assurance", "methods"),
        *integer("signed_in_at", "expires_at", "ended_at?"),
        *to(person_id="person.person_id"),
        sa.UniqueConstraint("session_id"),
        one_of("assurance", "loa1", "loa2", "loa3", "loa4"),
    )
    index("ix_session_expiry", "session", "expires_at")
    index("ix_session_person_id", "session", "person_id")
    create(
        "status_entry",
        *text("list_id!"),
        *integer("list_index!"),
        *text("status"),
        *integer("version", "changed_at"),
        *to(list_id="status_list.list_id"),
        one_of("status", "valid", "invalid", "suspended"),
    )
    index("ix_status_entry_version", "status_entry", "list_id", "version")
    create(
        "totp",
        *text("person_id!"),
        *blob("sealed_secret"),
        *integer("last_step", "failures", "blocked_until", "created_at"),
        *to(person_id="person.person_id"),
    )
    create(
        "client_policy",
        *text("client_id!"),
        *integer("recorded_at!", "ended_at?"),
        *text("metadata_json"),
        *blob("secret_hash?"),
        *to(client_id="client.client_id"),
    )
    index(
        "ux_client_policy_open", "client_policy", "client_id", unique=True, where="ended_at IS NULL"
    )
    create(
        "mandate_event",
        *text("mandate_id!"),
        *integer("sequence!"),
        *text("event", "side", "actor", "state"),
        *integer("grantor_accepted", "holder_accepted"),
        *text("reason"),
        *integer("recorded_at"),
        *to(mandate_id="mandate.mandate_id"),
        one_of("event", "propose", "accept", "decline", "suspend", "resume", "end"),
        one_of("side", "grantor", "holder"),
        one_of("state", "proposed", "accepted", "suspended", "ended", "declined"),
    )


def downgrade() -> None:
    raise NotImplementedError("before the first schema there is nothing")
