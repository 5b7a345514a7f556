"""Authorization details (RFC 9396) in the words of the person who is asked to grant them."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from markupsafe import Markup

from corpid.domain.mandate import Limit
from corpid.services.credential_catalogue import type_of_configuration
from corpid.services.detail_types import AUTHORITY, CREDENTIAL, DATA_SHARING
from corpid.web.translations import Texts
from corpid.web.wording import allowed, amount_text, day_text, power_text, told
from oidc.ports import AuthorizationRequest, Detail


def detail_sentences(texts: Texts, details: Iterable[Detail]) -> list[Markup]:
    """What each detail asks for, a sentence or two for each."""
    sentences: list[Markup] = []
    for detail in details:
        sentences += _SENTENCES[detail["type"]](texts, detail)
    return sentences


def asked(texts: Texts, request: AuthorizationRequest) -> dict[str, list[Markup]]:
    """All that a request asks for, as the pages have it."""
    return {
        "told": told(texts, request),
        "details": detail_sentences(texts, request.authorization_details),
        "allowed": allowed(texts, request),
    }


def authority_sentences(texts: Texts, details: Iterable[Detail]) -> list[Markup]:
    """Only what they ask of the person's authority."""
    return detail_sentences(texts, (one for one in details if one["type"] == AUTHORITY))


def _authority(texts: Texts, detail: Detail) -> list[Markup]:
    powers = texts.listed(power_text(texts, power) for power in detail["powers"])
    sentences = [texts("detail.authority", powers=powers)]
    if "services" in detail:
        sentences.append(texts("detail.services", services=texts.listed(detail["services"])))
    if "limit" in detail:
        limit = Limit(detail["limit"]["amount"], detail["limit"]["currency"])
        sentences.append(texts("detail.limit", limit=amount_text(limit)))
    return sentences


def _sharing(texts: Texts, detail: Detail) -> list[Markup]:
    sentence = texts(
        "detail.sharing",
        facts=texts.listed(texts(f"fact.{name}") for name in detail["facts"]),
        purpose=texts(f"purpose.{detail['purpose']}"),
        date=day_text(detail["until"], texts),
    )
    return [sentence]


def _credential(texts: Texts, detail: Detail) -> list[Markup]:
    credential = type_of_configuration(detail["credential_configuration_id"])
    assert credential is not None
    return [texts("detail.credential", name=credential.names[texts.language])]


# Nobody can agree to what has no words: a type without its own is an error and not left out.
_SENTENCES: Final[Mapping[str, Callable[[Texts, Detail], list[Markup]]]] = {
    AUTHORITY: _authority,
    DATA_SHARING: _sharing,
    CREDENTIAL: _credential,
}
