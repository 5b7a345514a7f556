"""What the pages say of issued credentials and of what happened to them."""

from typing import Any, Final

from markupsafe import Markup

from corpid.domain.credential import Credential, CredentialChange, CredentialState
from corpid.domain.dates import hong_kong_date
from corpid.services.credential_catalogue import TYPES
from corpid.services.records import WALLET
from corpid.web.translations import Texts
from corpid.web.wording import day_text, moment

_SHOWN_OF_KEY: Final = 12
_STATES: Final = {
    CredentialState.ISSUED: "issued",
    CredentialState.ACCEPTED: "resumed",
    CredentialState.SUSPENDED: "suspended",
    CredentialState.REVOKED: "revoked",
    CredentialState.REPLACED: "replaced",
}


def type_name(type_id: str | None, texts: Texts) -> str | Markup:
    """A credential type's name; that of all types for None, the id of one that is no more."""
    if type_id is None:
        return texts("credentials.all_types")
    kind = TYPES.get(type_id)
    return type_id if kind is None else kind.names[texts.language]


def format_name(name: str, texts: Texts) -> Markup:
    """A format's name."""
    key = f"format.{name}"
    return texts(key) if key in texts else Markup("{}").format(name)


def credential_view(credential: Credential, texts: Texts, now_ms: int) -> dict[str, Any]:
    """A credential in words. Of the holder's key, what tells it from others."""
    standing = credential.standing(now_ms)
    return {
        "id": credential.credential_id,
        "type": type_name(credential.credential_type, texts),
        "version": credential.type_version,
        "format": format_name(credential.credential_format, texts),
        "standing": standing.value,
        "standing_text": texts(f"standing.{standing}"),
        "issued": moment(credential.issued_at, texts.language),
        "issued_on": _day(credential.issued_at, texts),
        "expires": moment(credential.expires_at, texts.language),
        "expires_on": _day(credential.expires_at, texts),
        "key": credential.holder_thumbprint[:_SHOWN_OF_KEY],
        # What it rests on is suspended, and it comes back with that.
        "with_authority": credential.state is CredentialState.SUSPENDED and not credential.on_hold,
    }


def _day(at_ms: int, texts: Texts) -> str:
    return day_text(hong_kong_date(at_ms).isoformat(), texts)


def happened(
    change: CredentialChange, texts: Texts, who: Markup | None, *, mine: bool
) -> dict[str, Any]:
    """A change in words; ``who`` is the name of the person who did it, where it was one.

    An operator's reason is a note for operators, and may be about others.
    """
    by = None
    if mine:
        by = texts("history.by_you")
    elif who is not None:
        by = texts("history.by_person", name=who)
    elif change.actor and change.actor != WALLET:
        by = texts("history.by_operator")
    name = _STATES[change.state]
    # Of what was before histories were kept, nobody is known; the wallet's word it was mostly.
    if change.state is CredentialState.ACCEPTED and change.actor in ("", WALLET):
        name = "stored"
    elif change.actor == WALLET:
        name = "lost"
    return {
        "what": texts(f"history.{name}"),
        "at": moment(change.at, texts.language),
        "by": by,
        "reason": change.reason if who is not None else None,
    }
