"""Where the authorization server's endpoints are, below the issuer; discovery tells the world."""

from typing import Final

AUTHORIZE: Final = "/authorize"
PUSHED_AUTHORIZATION: Final = "/par"
BACKCHANNEL_AUTHENTICATION: Final = "/backchannel-authentication"
DEVICE_AUTHORIZATION: Final = "/device_authorization"
DEVICE: Final = "/device"
TOKEN: Final = "/token"
USERINFO: Final = "/userinfo"
INTROSPECTION: Final = "/introspect"
REVOCATION: Final = "/revoke"
END_SESSION: Final = "/end-session"
JWKS: Final = "/jwks"
CREDENTIAL: Final = "/credential"
REGISTRATION: Final = "/register"
GRANTS: Final = "/grants"
CHALLENGE: Final = "/challenge"
