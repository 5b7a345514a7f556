"""What a client may still have: its registration may have fewer scopes now than a grant of before.

The client is read anew for each request, so whoever narrows a registration narrows by it, at once
and in all processes, what grants and tokens of before give. The grants stay as they are: a scope
that is registered again counts again.
"""

from dataclasses import replace

from oidc.errors import InvalidScope
from oidc.records import Client, Grant


def registered(scope: tuple[str, ...], client: Client) -> tuple[str, ...]:
    """What of this scope the client is registered for, in its order."""
    if client.scopes.issuperset(scope):
        return scope
    return tuple(name for name in scope if name in client.scopes)


def within_registration(grant: Grant, client: Client) -> Grant:
    """The grant with the scope that its client may still have.

    Raises:
        InvalidScope: nothing is left of it.
    """
    scope = registered(grant.scope, client)
    if scope is grant.scope:
        return grant
    if not scope and not grant.authorization_details:
        raise InvalidScope("the client is registered for nothing of what was granted any more")
    return replace(grant, scope=scope)
