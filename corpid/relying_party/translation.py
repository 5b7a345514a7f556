"""From the errors of `keys` and `oidc.formats` to the relying party's own."""

from collections.abc import Iterator
from contextlib import contextmanager

from corpid.relying_party import errors
from keys import errors as key_errors
from oidc.formats import errors as format_errors
from oidc.formats import mdoc_errors, vc_errors

_TOKEN: tuple[tuple[type[Exception], type[errors.RelyingPartyError]], ...] = (
    (key_errors.WrongType, errors.TokenTypeWrong),
    (key_errors.UnsupportedAlgorithm, errors.AlgorithmRefused),
    (key_errors.UnknownKey, errors.KeyUnknown),
    (key_errors.InvalidSignature, errors.SignatureInvalid),
    (key_errors.TokenExpired, errors.TokenExpired),
    (key_errors.TokenNotYetValid, errors.TokenNotYetValid),
    (key_errors.InvalidClaim, errors.ClaimInvalid),
    (key_errors.DecryptionFailed, errors.DecryptionFailed),
    (key_errors.InvalidChain, errors.CertificateChainInvalid),
    (key_errors.KeysError, errors.TokenMalformed),
    (format_errors.CredentialExpired, errors.CredentialExpired),
    (format_errors.CredentialNotYetValid, errors.CredentialNotYetValid),
    (format_errors.KeyBindingMissing, errors.KeyBindingMissing),
    (vc_errors.VcExpired, errors.CredentialExpired),
    (vc_errors.VcNotYetValid, errors.CredentialNotYetValid),
    (mdoc_errors.MdocExpired, errors.CredentialExpired),
    (mdoc_errors.MdocNotYetValid, errors.CredentialNotYetValid),
    (mdoc_errors.SignerUnsuitable, errors.CertificateChainInvalid),
    (format_errors.FormatsError, errors.CredentialMalformed),
)
_BY_CLAIM = {"iss": errors.IssuerUnexpected, "aud": errors.AudienceUnexpected}


def translated(
    error: key_errors.KeysError | format_errors.FormatsError,
) -> errors.RelyingPartyError:
    """Return the relying party's error for one of the layers below."""
    if type(error) is key_errors.InvalidClaim and error.claim in _BY_CLAIM:
        return _BY_CLAIM[error.claim](str(error))
    for below, ours in _TOKEN:
        if isinstance(error, below):
            return ours(_detail(error))
    raise AssertionError("every error of the layers below has a place in the table") from error


@contextmanager
def translating(as_class: type[errors.RelyingPartyError] | None = None) -> Iterator[None]:
    """Turn the errors of the layers below into ours: into `as_class`, or by the table."""
    try:
        yield
    except (key_errors.KeysError, format_errors.FormatsError) as error:
        if as_class is None:
            raise translated(error) from error
        raise as_class(error.code) from error


def _detail(error: key_errors.KeysError | format_errors.FormatsError) -> str:
    if isinstance(error, key_errors.InvalidChain):
        return error.rule
    return str(error) if isinstance(error, key_errors.InvalidClaim) else error.code
