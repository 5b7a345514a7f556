"""What the pages say of organisations, authorities and requests, in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from urllib.parse import urlsplit

from babel.dates import format_date, format_datetime
from markupsafe import Markup

from corpid.domain.dates import HONG_KONG
from corpid.domain.languages import Language, Names
from corpid.domain.mandate import Limit
from corpid.domain.organisation import IdentifierScheme, Organisation
from corpid.services.authorities import ActingAuthority
from corpid.services.claims import SCOPES, scopes_of_claims
from corpid.services.consent import requested_extras
from corpid.services.credential_catalogue import type_of_scope
from corpid.web.translations import Texts
from oidc.ports import AuthorizationRequest
from oidc.records import OFFLINE_ACCESS, Client

_MOMENT: Final = 10
_MINUTE: Final = 60
_HOUR: Final = 3600
_LOCALES: Final[dict[Language, str]] = {
    "en": "en_GB",
    "zh-Hant": "zh_Hant_HK",
    "zh-Hans": "zh_Hans_CN",
}


@dataclass(frozen=True, slots=True)
class AuthorityView:
    """An organisation and the authority to act for it, in words."""

    number: str
    name: Markup
    other_names: tuple[Markup, ...]
    number_text: Markup
    sentences: tuple[Markup, ...]


def tagged(names: Names, language: Language) -> Markup:
    """A name, marked with its own language where the page is in another one."""
    found, name = names.best_tagged(language)
    return _tagged(found, name, language)


def client_name(client: Client, language: Language) -> Markup:
    """The client's name for the reader; its id if it has none."""
    given: Mapping[str, str] = client.names
    names = (
        Names(
            en=given.get("en") or None if given else None,
            zh_hant=given.get("zh-Hant") or None,
            zh_hans=given.get("zh-Hans") or None,
        )
        if any(given.values())
        else Names(en=client.client_id)
    )
    return tagged(names, language)


def authority_view(
    texts: Texts, authority: ActingAuthority, agent: Organisation | None
) -> AuthorityView:
    """An authority for display; ``agent`` is the organisation that it came through."""
    organisation = authority.organisation
    names = organisation.registration.names
    shown, _ = names.best_tagged(texts.language)
    return AuthorityView(
        number=organisation.number,
        name=tagged(names, texts.language),
        other_names=tuple(
            _tagged(language, name, texts.language)
            for language, name in names
            if language != shown and name != names.get(shown)
        ),
        number_text=number_text(texts, organisation),
        sentences=tuple(_sentences(texts, authority, agent)),
    )


def number_text(texts: Texts, organisation: Organisation) -> Markup:
    """An organisation's number, and what kind of number it is."""
    registered = organisation.scheme is IdentifierScheme.HK_BRN
    key = "organisation.number" if registered else "organisation.other_number"
    return texts(key, number=organisation.number)


def told(texts: Texts, request: AuthorizationRequest) -> list[Markup]:
    """What the client will be told, one sentence for each scope; single claims by their scope."""
    extras = sorted(requested_extras(request))
    claims = {extra.removeprefix("claim:") for extra in extras if extra.startswith("claim:")}
    by_claim = [
        scope for scope in SCOPES if scope in scopes_of_claims(frozenset(claims), request.client)
    ]
    scopes = [one for one in dict.fromkeys((*request.scope, *by_claim)) if not _is_power(one)]
    sentences = [_scope(texts, scope) for scope in scopes]
    known = {name for names in SCOPES.values() for name in names}
    return sentences + [texts("scope.other", name=name) for name in sorted(claims - known)]


def allowed(texts: Texts, request: AuthorizationRequest) -> list[Markup]:
    """What the client may do besides, one part of a sentence each."""
    sentences = [_scope(texts, scope) for scope in request.scope if _is_power(scope)]
    return sentences + [texts("scope.resource", resource=one) for one in request.resource]


def _is_power(scope: str) -> bool:
    return scope == OFFLINE_ACCESS or scope.startswith("credential.")


def _scope(texts: Texts, scope: str) -> Markup:
    credential = type_of_scope(scope)
    if credential is not None:
        return texts("scope.credential", name=credential.names[texts.language])
    key = f"scope.{scope}"
    return texts(key) if key in texts else texts("scope.other", name=scope)


def wait_text(texts: Texts, seconds: int, *, known: bool) -> Markup:
    """That there were too many tries, and how long to wait; ``known`` is about this browser."""
    if seconds < _MOMENT:
        return texts("sign_in.wait_moment")
    if seconds < 2 * _MINUTE:
        return texts("sign_in.wait_seconds", number=seconds)
    unit, length = ("minutes", _MINUTE) if seconds < 2 * _HOUR else ("hours", _HOUR)
    wait = texts(f"sign_in.wait_{unit}", number=-(-seconds // length))
    return wait if known else Markup(" ").join((wait, texts("sign_in.known_browser")))


def host_of(redirect_uri: str) -> str:
    """Where the browser goes afterwards, as a person would name it."""
    parts = urlsplit(redirect_uri)
    return parts.netloc or parts.scheme


def moment(at_ms: int, language: Language) -> str:
    """An instant by Hong Kong's clock, as the reader writes it."""
    at = datetime.fromtimestamp(at_ms / 1000, HONG_KONG)
    form = "d MMMM y, HH:mm" if language == "en" else "y年M月d日 HH:mm"
    return format_datetime(at, form, tzinfo=HONG_KONG, locale=_LOCALES[language])


def _sentences(
    texts: Texts, authority: ActingAuthority, agent: Organisation | None
) -> list[Markup]:
    mandate = authority.mandate
    if mandate is None:
        role = "director" if authority.role is None else authority.role.value
        sentences = [texts("authority.role", role=texts(f"role.{role}"))]
    else:
        powers = texts.listed(power_text(texts, power) for power in mandate.terms.powers)
        if agent is None:
            sentences = [texts("authority.mandate", powers=powers)]
        else:
            name = tagged(agent.registration.names, texts.language)
            sentences = [texts("authority.agent", agent=name, powers=powers)]
        if mandate.terms.services:
            sentences.append(
                texts("authority.services", services=texts.listed(mandate.terms.services))
            )
        if mandate.terms.limit is not None:
            sentences.append(texts("authority.limit", limit=amount_text(mandate.terms.limit)))
    if authority.valid_until is not None:
        sentences.append(texts("authority.until", date=day_text(authority.valid_until, texts)))
    return sentences


def power_text(texts: Texts, power: str) -> Markup:
    """A power in words; one that nobody has translated is shown by its name, which is English."""
    key = f"power.{power}"
    if key in texts:
        return texts(key)
    return _tagged("en", power.replace("_", " "), texts.language)


def amount_text(limit: Limit) -> str:
    """A limit as a person writes it."""
    whole, dot, cents = limit.amount.partition(".")
    return f"{limit.currency} {int(whole):,}{dot}{cents}"


def day_text(day: str, texts: Texts) -> str:
    """An ISO date as the reader's language writes it."""
    return format_date(date.fromisoformat(day), "long", _LOCALES[texts.language])


def _tagged(language: Language, name: str, page: Language) -> Markup:
    if language == page:
        return Markup("{}").format(name)
    return Markup('<span lang="{}">{}</span>').format(language, name)
