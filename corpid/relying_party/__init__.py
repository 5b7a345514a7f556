"""What a relying party installs: it verifies tokens, credentials and statuses of Corp ID.

    party = RelyingParty("https://id.example", client_id="bank")
    signed_in = await party.verify_id_token(token, nonce=nonce, min_acr="loa3")
    signed_in.mandate.permits("open_account", on_date=today).require()

It needs no web framework and no database.
"""

from corpid.relying_party.dpop import DpopRequest
from corpid.relying_party.errors import RelyingPartyError, Undetermined, VerificationFailed
from corpid.relying_party.fetch import Fetch, FetchResult, StandardFetch
from corpid.relying_party.mandates import Mandate, Permission, Reason
from corpid.relying_party.party import RelyingParty
from corpid.relying_party.policy import Policy
from corpid.relying_party.recognise import Kind, recognise
from corpid.relying_party.replay import MemoryReplayStore, ReplayStore
from corpid.relying_party.results import (
    Actor,
    OrganisationAttributes,
    VerifiedAccessToken,
    VerifiedAuthorizationResponse,
    VerifiedCredential,
    VerifiedIdToken,
    VerifiedLogoutToken,
    VerifiedStatus,
    VerifiedUserInfo,
)
from oidc.formats.mdoc import dc_api_transcript, openid4vp_transcript

__all__ = [
    "Actor",
    "DpopRequest",
    "Fetch",
    "FetchResult",
    "Kind",
    "Mandate",
    "MemoryReplayStore",
    "OrganisationAttributes",
    "Permission",
    "Policy",
    "Reason",
    "RelyingParty",
    "RelyingPartyError",
    "ReplayStore",
    "StandardFetch",
    "Undetermined",
    "VerificationFailed",
    "VerifiedAccessToken",
    "VerifiedAuthorizationResponse",
    "VerifiedCredential",
    "VerifiedIdToken",
    "VerifiedLogoutToken",
    "VerifiedStatus",
    "VerifiedUserInfo",
    "dc_api_transcript",
    "openid4vp_transcript",
    "recognise",
]
