"""The holder's side: choosing which disclosures go into a presentation (RFC 9901, 7.2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from oidc.formats.claim_paths import AnyPath, Path
from oidc.formats.errors import KeyBindingUnexpected, UnknownDisclosure
from oidc.formats.sd_jwt_names import ARRAY_DIGEST, DIGESTS, HASH_ALGORITHM
from oidc.formats.sd_jwt_parse import Disclosure, UnverifiedSdJwt, parse
from oidc.formats.sd_jwt_process import digest, hash_name, unverified_claims


@dataclass(frozen=True, slots=True)
class DisclosedAt:
    """A disclosure and where its claim stands in the processed claims."""

    path: tuple[str | int, ...]
    disclosure: Disclosure


def present(sd_jwt: str | UnverifiedSdJwt, paths: Iterable[AnyPath]) -> str:
    """Return the SD-JWT with only what the paths need, ending in `~`.

    A path brings the disclosures on the way to its claim and those inside it; a path to a claim
    that is always open needs none. Array indices count the elements that this SD-JWT can show.

    Raises UnknownDisclosure when a path leads to nothing, KeyBindingUnexpected when the input is
    a presentation already, and the errors of `parse` and `process`.
    """
    token = parse(sd_jwt) if isinstance(sd_jwt, str) else sd_jwt
    if token.key_binding is not None:
        raise KeyBindingUnexpected("a presentation with key binding cannot be presented again")
    claims = unverified_claims(token)
    wanted: list[Path] = [(path,) if isinstance(path, str) else tuple(path) for path in paths]
    for path in wanted:
        if not _leads_somewhere(claims, path):
            raise UnknownDisclosure(f"no claim at {path!r}")
    chosen = {
        one.disclosure.text
        for one in locate(token)
        if any(_on_the_way(one.path, path) for path in wanted)
    }
    issued = token.hashed.split("~", 1)[0]
    texts = [one.text for one in token.disclosures if one.text in chosen]
    return "~".join((issued, *texts, ""))


def locate(token: UnverifiedSdJwt) -> list[DisclosedAt]:
    """Return every disclosure with its path. The token must have passed `unverified_claims`."""
    algorithm = hash_name(token.unverified_payload)
    by_digest = {digest(algorithm, one.text): one for one in token.disclosures}
    found: list[DisclosedAt] = []

    def walk(value: Any, path: tuple[str | int, ...]) -> None:
        if isinstance(value, dict):
            for name, member in value.items():
                if name not in (DIGESTS, HASH_ALGORITHM):
                    walk(member, (*path, name))
            for one in value.get(DIGESTS, ()):
                disclosure = by_digest.get(one)
                if disclosure is not None and disclosure.name is not None:
                    follow(disclosure, (*path, disclosure.name))
        elif isinstance(value, list):
            index = 0
            for element in value:
                if isinstance(element, dict) and ARRAY_DIGEST in element:
                    disclosure = by_digest.get(element[ARRAY_DIGEST])
                    if disclosure is None:
                        continue
                    follow(disclosure, (*path, index))
                else:
                    walk(element, (*path, index))
                index += 1

    def follow(disclosure: Disclosure, path: tuple[str | int, ...]) -> None:
        found.append(DisclosedAt(path, disclosure))
        walk(disclosure.value, path)

    walk(token.unverified_payload, ())
    return found


def _on_the_way(place: tuple[str | int, ...], path: Path) -> bool:
    return all(
        step == here or (step is None and isinstance(here, int))
        for here, step in zip(place, path, strict=False)
    )


def _leads_somewhere(value: Any, path: Path) -> bool:
    if not path:
        return True
    step, rest = path[0], path[1:]
    if isinstance(step, str):
        return isinstance(value, dict) and step in value and _leads_somewhere(value[step], rest)
    if not isinstance(value, list):
        return False
    if step is None:
        return not rest or any(_leads_somewhere(element, rest) for element in value)
    return 0 <= step < len(value) and _leads_somewhere(value[step], rest)
