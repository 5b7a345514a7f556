"""SD-JWT and SD-JWT VC in one place (RFC 9901, draft-ietf-oauth-sd-jwt-vc).

Issuers use `Disclosable` and `issue`; wallets `present` and `key_binding`; verifiers `parse`,
then `verify_credential`, then `verify_key_binding`. Everything is pure: no I/O, the time and the
randomness are arguments; only signing is awaited, since keys may live elsewhere.
"""

from oidc.formats.key_binding import KeyBinding, holder_key, key_binding, verify_key_binding
from oidc.formats.sd_jwt_issue import Disclosable, conceal, issue
from oidc.formats.sd_jwt_names import CREDENTIAL_TYP, KEY_BINDING_TYP, PROTECTED_IN_CREDENTIAL
from oidc.formats.sd_jwt_parse import DEFAULT_LIMITS, Disclosure, Limits, UnverifiedSdJwt, parse
from oidc.formats.sd_jwt_present import locate, present
from oidc.formats.sd_jwt_process import VerifiedSdJwt, process, unverified_claims, verify
from oidc.formats.sd_jwt_vc import VerifiedSdJwtVc
from oidc.formats.sd_jwt_vc import verify as verify_credential

__all__ = [
    "CREDENTIAL_TYP",
    "DEFAULT_LIMITS",
    "KEY_BINDING_TYP",
    "PROTECTED_IN_CREDENTIAL",
    "Disclosable",
    "Disclosure",
    "KeyBinding",
    "Limits",
    "UnverifiedSdJwt",
    "VerifiedSdJwt",
    "VerifiedSdJwtVc",
    "conceal",
    "holder_key",
    "issue",
    "key_binding",
    "locate",
    "parse",
    "present",
    "process",
    "unverified_claims",
    "verify",
    "verify_credential",
    "verify_key_binding",
]
