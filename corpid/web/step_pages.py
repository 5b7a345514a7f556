"""What each step of an interaction shows: a template and what it is filled with."""

from typing import Any

from corpid.domain.languages import Language
from corpid.services.authorities import ActingAuthority
from corpid.services.interaction_steps import (
    BlockedStep,
    CodeStep,
    ConfirmStep,
    ConsentStep,
    OrganisationStep,
    SignInStep,
    Step,
    may_be_impersonated,
)
from corpid.services.interactions import BrowserInteractions
from corpid.services.ports import Store
from corpid.services.waiting_interactions import Waiting
from corpid.web.detail_wording import asked, authority_sentences
from corpid.web.translations import Texts
from corpid.web.wording import AuthorityView, authority_view, host_of
from oidc.ports import AuthorizationRequest


class StepPages:
    """Knows every step's page but the approved one, which has none."""

    def __init__(self, store: Store, interactions: BrowserInteractions) -> None:
        self._store = store
        self._interactions = interactions

    async def page(
        self, waiting: Waiting, step: Step, language: Language, typed: str | None
    ) -> tuple[str, dict[str, Any]]:
        """The template and its values; ``typed`` is what the person had entered."""
        request = waiting.request
        texts = Texts(language)
        if isinstance(step, ConfirmStep):
            return "confirm.html", {"user_code": step.user_code, **asked(texts, request)}
        if isinstance(step, CodeStep):
            return "code.html", {"otp": typed or ""}
        if isinstance(step, OrganisationStep):
            choices = [await self._authority(one, texts) for one in step.choices]
            return "organisation.html", {"choices": choices, "chosen": step.chosen}
        if isinstance(step, ConsentStep):
            return "consent.html", {
                "authority": await self._authority(step.authority, texts),
                **asked(texts, request),
                "binding_message": _binding_message(waiting),
                "host": host_of(request.redirect_uri),
                "unvetted": await self._unvetted(request),
                "policy_uri": request.client.policy_uri,
                "terms_uri": request.client.tos_uri,
                "remembered": not may_be_impersonated(request),
                "amends": None if request.amends is None else request.grant_action,
                "seen": self._interactions.seen(waiting, step.approval),
            }
        if isinstance(step, BlockedStep):
            needed = authority_sentences(texts, request.authorization_details)
            return "blocked.html", {
                "reason": step.reason,
                "details": needed if step.reason == "not_covered" else [],
            }
        assert isinstance(step, SignInStep)  # an approved step has no page
        username = step.username if typed is None else typed[:100]
        return "sign_in.html", {"username": username, "again": step.again}

    async def _unvetted(self, request: AuthorizationRequest) -> str:
        """The host of a client that registered itself; "" for one that the operator registered.

        Its name says nothing: anybody can choose one. Where its metadata is at an address, that
        one's host is what stands for it; else where its codes go, if anywhere.
        """
        client_id = request.client.client_id
        if await self._store.read.registrations.of(client_id) is None:
            return ""
        if client_id.startswith("https://"):
            return host_of(client_id)
        return host_of(request.redirect_uri) or client_id

    async def _authority(self, authority: ActingAuthority, texts: Texts) -> AuthorityView:
        agent = None
        if authority.via_organisation_id is not None:
            agent = await self._store.read.organisations.by_id(authority.via_organisation_id)
        return authority_view(texts, authority, agent)


def _binding_message(waiting: Waiting) -> str:
    """What the client shows the person elsewhere, to recognise this by; "" if nothing."""
    if waiting.polled is None:
        return ""
    return waiting.polled.record.parameters.get("binding_message", "")
