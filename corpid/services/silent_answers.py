"""What a client is told under prompt=none when a page would be needed."""

from corpid.services.interaction_steps import BlockedStep, ConsentStep, OrganisationStep, Step
from oidc.errors import (
    AccountSelectionRequired,
    ConsentRequired,
    InteractionRequired,
    LoginRequired,
    OAuthError,
    UnmetAuthenticationRequirements,
)


def silent_error(step: Step) -> OAuthError:
    """The error of prompt=none (OpenID Connect Core 3.1.2.6)."""
    if isinstance(step, OrganisationStep):
        return AccountSelectionRequired("the person may act for several organisations: ask which")
    if isinstance(step, ConsentStep):
        return ConsentRequired("the person has not agreed to this yet")
    if isinstance(step, BlockedStep) and step.reason == "too_weak":
        return UnmetAuthenticationRequirements("this person cannot sign in as surely as demanded")
    if isinstance(step, BlockedStep):
        return InteractionRequired("this person cannot go on without a page")
    return LoginRequired("nobody is signed in, or not recently or surely enough")
