"""What can be wrong with a W3C credential in a JWT: one class, one stable code, per rule.

Faults of the JWS that carries it (encoding, algorithm, signature, typ) are `keys.errors`.
"""

from oidc.formats.errors import FormatsError


class VcError(FormatsError):
    """The credential or presentation breaks a rule of VCDM 2.0 or of VC-JOSE-COSE."""

    code = "vc_error"


class WrongContentType(VcError):
    """`cty` is there and is not `vc`, or `vp` for a presentation (VC-JOSE-COSE, 3.1)."""

    code = "wrong_cty"


class WrappedCredential(VcError):
    """A claim is named `vc` or `vp`: the payload is the credential itself (1.1.2.1)."""

    code = "vc_claim_present"


class InvalidProperty(VcError):
    """A property of VCDM 2.0 is missing or malformed; `name` says which."""

    code = "invalid_vc_property"

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class ConflictingClaims(VcError):
    """A JWT claim says another thing than the property that it stands for; `name` says which."""

    code = "conflicting_vc_claims"

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class VcTooDeep(VcError):
    """Properties are nested deeper than the limit."""

    code = "vc_too_deep"


class VcExpired(VcError):
    """`validUntil` or `exp` has passed."""

    code = "vc_expired"


class VcNotYetValid(VcError):
    """`validFrom`, `nbf` or `iat` lies in the future."""

    code = "vc_not_yet_valid"


class MalformedPresentation(VcError):
    """The presentation holds no credential in a JWT, or lacks what ties it to a request."""

    code = "malformed_presentation"


class PresentationAudience(VcError):
    """The presentation was made for another verifier."""

    code = "presentation_audience"


class PresentationNonce(VcError):
    """The presentation answers another request."""

    code = "presentation_nonce"


class PresentationTime(VcError):
    """The presentation is too old, or of the future."""

    code = "presentation_time"
