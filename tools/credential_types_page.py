"""Writes docs/credential-types.md from the types themselves, so that the page cannot fall behind.

python -m tools.credential_types_page
"""

from __future__ import annotations

import sys

from corpid.domain.issuance import IssuanceRule
from corpid.services.credential_catalogue import FORMATS, TYPES
from corpid.services.credential_type import CredentialType
from oidc.issuer.type_description import ClaimDescription
from tools.source_tree import ROOT

PAGE = ROOT / "docs" / "credential-types.md"
_BASE = "https://id.example/vct"
_DAY = 24 * 3600
_HEAD = """\
# Credential types

Made from `corpid/services/credential_types/` by `python -m tools.credential_types_page`; a test
compares the two. Each file there is one type, and a new file is a new type: the issuer metadata,
the type metadata at its `vct`, the scope, the consent page, `corpid offer create --type` and this
page follow from it.

Names of claims are those of the EU business-wallet rulebooks, under types of our own. The issuer is
`https://id.example` here. A claim that is *kept* is selectively disclosable (RFC 9901): absent
unless the holder discloses it; `[]` is each element of an array on its own. A claim that *narrows*
an authority is always shown, for without it the authority would look wider than it is. Every
credential has `iss`, `iat`, `exp`, `vct`, `status` and `cnf` besides.

Everybody who gets a credential has signed in surely enough, has shown that the key is theirs, and
may act for a business that is live, by the register or by a mandate that both sides have accepted;
its end is never later than the authority's. A type can demand more.
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD, "## Formats\n"]
    parts.append("| format | configuration | key by |\n| --- | --- | --- |")
    parts += [
        f"| `{one.name}` | the type{f', with `{one.suffix}`' if one.suffix else ''} "
        f"| {', '.join(f'`{way}`' for way in one.binding_methods)} |"
        for one in FORMATS
    ]
    for one in TYPES.values():
        parts.append(_section(one))
    return "\n".join(parts) + "\n"


def _section(one: CredentialType) -> str:
    described = one.described(_BASE)
    lines = [
        f"\n## {one.type_id}\n",
        f"{one.names['en']}, {one.names['zh-Hant']}, {one.names['zh-Hans']}. "
        f"{one.descriptions['en']}.\n",
        "| | |",
        "| --- | --- |",
        f"| SD-JWT VC `vct` | `{described.vct}` |",
        f"| mdoc `docType` and namespace | `{described.doctype}` |",
        f"| W3C type | `{described.w3c_type}` |",
        f"| scope | `{one.scope}` |",
        f"| lifetime | {one.lifetime // _DAY} days |",
        f"| decoys | {one.decoys or 'none'} |",
        f"| for | {_whom(one.rule)} |\n",
        "| claim | what it is | there | |",
        "| --- | --- | --- | --- |",
    ]
    lines += [_row(claim) for claim in one.claims]
    return "\n".join(lines)


def _whom(rule: IssuanceRule) -> str:
    level = f"sign-in at {rule.least_assurance} or surer"
    alone = "alone or together with others" if rule.joint else "alone"
    basis = "under a mandate" if rule.by_mandate else "by the register or under a mandate"
    branch = "; about a branch that the business has" if rule.of_branch else ""
    key = "; an operator's word may stand for the proof of the key" if rule.operator_keys else ""
    return f"who acts {alone}, {basis}{branch}; {level}{key}"


def _row(claim: ClaimDescription) -> str:
    way = "kept" if claim.disclosable else "narrows, always shown" if claim.narrows else "shown"
    there = "always" if claim.mandatory else "if known"
    return f"| `{_path(claim)}` | {claim.labels['en']} | {there} | {way} |"


def _path(claim: ClaimDescription) -> str:
    first, *rest = claim.path
    return str(first) + "".join("[]" if step is None else f".{step}" for step in rest)


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
