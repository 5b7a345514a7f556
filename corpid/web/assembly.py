"""Puts the pages together on the foundation: what ``wiring`` cannot know, because it draws."""

from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

from fastapi import APIRouter

from corpid.domain.person import Assurance
from corpid.services import credential_catalogue
from corpid.services.backchannel import WaitingRequests
from corpid.services.claims import SCOPES
from corpid.services.consent import Consents
from corpid.services.credential_desk import CredentialDesk
from corpid.services.detail_types import detail_types
from corpid.services.device_codes import DeviceCodes
from corpid.services.guessing import Guessing
from corpid.services.id_token_hints import IdTokenHints
from corpid.services.interaction_steps import Steps
from corpid.services.interactions import BrowserInteractions
from corpid.services.offer_desk import OfferDesk
from corpid.services.passwords import Passwords
from corpid.services.representatives import Representatives
from corpid.services.sessions import CookieRules, Sessions
from corpid.services.sign_in import SignIn
from corpid.services.totp import TotpSecrets
from corpid.web.logout_pages import LogoutPages
from corpid.web.pages import PageParts
from corpid.web.polled_ends import PolledEnds
from corpid.web.portal import PortalParts
from corpid.web.rendering import Renderer
from corpid.web.session_pages import build_pages_router
from corpid.wiring.foundation import Foundation
from oidc.issuer.context import Issuer
from oidc.provider.authorize import AuthorizeEndpoint
from oidc.provider.context import Provider, ProviderConfig
from oidc.secrets import TokenHasher

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE


@dataclass(frozen=True, slots=True)
class PageAssembly:
    """The ``Interactions`` port with what belongs to it; ``router`` draws the pages."""

    base: Foundation
    sessions: Sessions
    sign_in: SignIn
    passwords: Passwords
    interactions: BrowserInteractions
    renderer: Renderer
    logouts: LogoutPages

    def router(self, provider: Provider, issuer: Issuer) -> APIRouter:
        """The pages, to be included under the issuer's path; beside them mount
        ``rendering.static_files()`` at ``/static``.
        """
        base = self.base
        pages = PageParts(
            store=base.store,
            interactions=self.interactions,
            sessions=self.sessions,
            sign_in=self.sign_in,
            authorize=AuthorizeEndpoint(provider),
            polled=PolledEnds(provider, self.interactions, self.renderer),
            renderer=self.renderer,
            session_list=base.session_list,
            proxies=tuple(ip_network(one) for one in base.settings.proxies),
        )
        return build_pages_router(
            self._portal(pages, issuer),
            DeviceCodes(base.store, base.hasher, base.clock),
            WaitingRequests(base.store, base.clock),
        )

    def _portal(self, pages: PageParts, issuer: Issuer) -> PortalParts:
        base = self.base
        hasher = TokenHasher(base.secrets["cookies"])
        representatives = Representatives(base.store, hasher, base.clock)
        return PortalParts(
            pages,
            representatives,
            CredentialDesk(
                base.store,
                representatives,
                base.revocation,
                most_live=base.settings.credential_live_max,
            ),
            OfferDesk(
                base.store,
                representatives,
                base.offers,
                configurations=issuer.config.configurations,
                haip=base.settings.haip == "required",
            ),
        )


def assemble(base: Foundation) -> PageAssembly:
    """Build sign-in, sessions, interactions and the renderer from one foundation."""
    settings, store, clock, random = base.settings, base.store, base.clock, base.random
    hasher = TokenHasher(base.secrets["cookies"])
    sessions = Sessions(
        store,
        hasher,
        CookieRules(https=settings.is_https),
        clock,
        random,
        lifetime=settings.session_hours * _HOUR,
        idle=settings.session_idle_minutes * _MINUTE,
        recent=settings.step_up_max_age,
    )
    passwords = Passwords(settings.argon2_memory_kib)
    renderer = Renderer(settings.issuer)
    steps = Steps(
        store,
        base.authorities,
        Consents(store),
        IdTokenHints(base.rings, base.pairwise, settings.issuer),
        base.offers,
        clock,
        acr_base=settings.acr_url,
    )
    # What reading a request needs of the configuration; the rest is the endpoints' own.
    config = ProviderConfig(
        issuer=settings.issuer,
        scopes=SCOPES,
        acr_values=tuple(f"{settings.acr_url}/{level}" for level in Assurance),
        open_requests=settings.open_requests_per_client,
        detail_types=detail_types(credential_catalogue.CONFIGURATION_IDS, clock),
    )
    interactions = BrowserInteractions(
        store,
        base.authorities,
        sessions,
        steps,
        config,
        hasher,
        random,
        error_page=renderer.error_page,
        form_post_page=renderer.form_post_page,
    )
    return PageAssembly(
        base=base,
        sessions=sessions,
        sign_in=SignIn(
            store,
            passwords,
            TotpSecrets(base.master),
            sessions,
            Guessing(hasher, clock),
            clock,
            random,
        ),
        passwords=passwords,
        interactions=interactions,
        renderer=renderer,
        logouts=LogoutPages(store, sessions, interactions, renderer),
    )
