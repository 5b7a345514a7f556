"""Names that RFC 9901 and SD-JWT VC give a meaning."""

from typing import Final

DIGESTS: Final = "_sd"
ARRAY_DIGEST: Final = "..."
HASH_ALGORITHM: Final = "_sd_alg"
MECHANISM_NAMES: Final = frozenset({DIGESTS, ARRAY_DIGEST, HASH_ALGORITHM})

CREDENTIAL_TYP: Final = "dc+sd-jwt"
KEY_BINDING_TYP: Final = "kb+jwt"

# RFC 9901, 9.7: a holder could hide the claims that end the validity, or that name the audience.
PROTECTED_IN_SD_JWT: Final = frozenset({"iss", "aud", "exp", "nbf", "cnf"})
# SD-JWT VC, 2.2.2.2 lists the rest.
PROTECTED_IN_CREDENTIAL: Final = PROTECTED_IN_SD_JWT | {
    "vct",
    "vct#integrity",
    "aka_vcts",
    "status",
}
