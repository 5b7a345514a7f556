"""The number that names a business in Hong Kong: how it is written, read and compared.

A business registration number (BRN) is the first eight digits of the business registration
certificate's number and, since 27 December 2023, the Unique Business Identifier of everything
that the Registrar of Companies keeps. An entity without one has a number that the Companies
Registry made from its own number and a letter prefix (`C0012345`). Neither has a published
check digit, so a well-formed number is only that: whether it exists is for a register to say.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

from corpid.domain.errors import InvalidValue

Kind = Literal["brn", "cr_dummy"]

MAX_INPUT: Final = 64
"""Longest text that is looked at, in characters; more cannot be a number however it is spaced."""

HEAD_OFFICE: Final = "000"

_CDI_PREFIX: Final = "HKG:"
_BRN: Final = re.compile(r"[0-9]{8}")
_DUMMY: Final = re.compile(r"[A-Z][0-9]{7}|[A-Z]{2}[0-9]{6}")
_BRANCH: Final = re.compile(r"[0-9]{3}")
_CERTIFICATE_TAIL: Final = re.compile(r"[0-9]{2}-[0-9]{2}-[0-9A-Z]")
_CERTIFICATE_UNBROKEN: Final = re.compile(r"([0-9]{8})([0-9]{3})[0-9]{4}[0-9A-Z]")

# What word processors, web pages and input methods put where a hyphen or nothing is meant.
# NFKC has already folded the full-width and small forms.
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2796\u30fc\u02d7"
_INVISIBLE: Final = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"
_CLEAN: Final = str.maketrans(dict.fromkeys(_DASHES, "-") | dict.fromkeys(_INVISIBLE, " "))
_AROUND_DASH: Final = re.compile(r" *- *")


class InvalidBusinessNumber(InvalidValue):
    """The text is no business number; `reason_code` is stable, `message` is for a person.

    Reason codes: `empty`, `unreasonable_length`, `bad_prefix`, `bad_character`, `too_short`,
    `too_long`, `letter_misplaced`, `bad_branch`, `branch_not_allowed`, `bad_certificate`.
    """

    def __init__(self, reason_code: str, message: str) -> None:
        super().__init__(message)
        self.reason_code = reason_code


@dataclass(frozen=True, slots=True, order=True)
class BusinessNumber:
    """A well-formed number: `value` is eight characters, leading zeros kept.

    `branch` is three digits where one was stated ("000" is the head office), else None. A number
    with and one without a branch are different values: compare `.without_branch` for the business.
    """

    kind: Kind
    value: str
    branch: str | None = None

    def __post_init__(self) -> None:
        pattern = _BRN if self.kind == "brn" else _DUMMY
        if not pattern.fullmatch(self.value):
            raise InvalidBusinessNumber(*_why_not(self.value))
        if self.branch is not None:
            _check_branch(self.kind, self.branch)

    def __str__(self) -> str:
        return self.value if self.branch is None else f"{self.value}-{self.branch}"

    @property
    def is_head_office(self) -> bool:
        """Whether it names the business itself and not one of its branches."""
        return self.branch is None or self.branch == HEAD_OFFICE

    @property
    def without_branch(self) -> "BusinessNumber":
        """The number of the business that the branch belongs to."""
        return self if self.branch is None else BusinessNumber(self.kind, self.value)

    @property
    def cdi(self) -> str:
        """The Commercial Data Interchange's spelling, `HKG:12345678`; branches have none there."""
        return _CDI_PREFIX + self.value


def parse_business_number(text: str) -> BusinessNumber:
    """Read a number as people and systems write it.

    Accepted: `12345678`, `12345678-001`, the certificate's `12345678-000-01-11-1` (also without
    hyphens), `C0012345`, `MF001910`, `HKG:12345678`; in full-width characters, lower case, with
    blanks, and with any dash for a hyphen. Raises InvalidBusinessNumber for everything else.
    """
    if _BRN.fullmatch(text):  # what registers and databases hold; the rest is for people
        return BusinessNumber("brn", text)
    cleaned = _clean(text)
    compact = cleaned.replace(" ", "")
    try:
        return _parse_compact(compact)
    except InvalidBusinessNumber:
        # `12345678 001`: here the blank stands for the hyphen.
        separated = cleaned.replace(" ", "-")
        if separated == compact or len(separated.split("-")[0]) != 8:
            raise
        return _parse_compact(separated)


def normalise(text: str) -> str:
    """The one spelling that is stored and compared; raises InvalidBusinessNumber."""
    return str(parse_business_number(text))


def _clean(text: str) -> str:
    """Fold width, case, dashes and blanks; take off the CDI prefix."""
    if len(text) > MAX_INPUT:
        raise InvalidBusinessNumber(
            "unreasonable_length",
            f"This is {len(text)} characters long; a business registration number has 8. "
            "Enter the number only.",
        )
    folded = unicodedata.normalize("NFKC", text).translate(_CLEAN)
    folded = _AROUND_DASH.sub("-", " ".join(folded.split()))
    if folded.isascii():
        folded = folded.upper()  # only ASCII: other scripts' capitals can turn into A to Z
    if ":" in folded:
        prefix, _, rest = folded.partition(":")
        if prefix.strip() + ":" != _CDI_PREFIX:
            raise InvalidBusinessNumber(
                "bad_prefix",
                "Only the prefix HKG: is known, as in HKG:12345678. Enter the number without "
                "a prefix.",
            )
        folded = rest.strip()
    if not folded:
        raise InvalidBusinessNumber(
            "empty",
            "Enter the business registration number: the first 8 digits on the business "
            "registration certificate.",
        )
    return folded


def _parse_compact(text: str) -> BusinessNumber:
    unbroken = _CERTIFICATE_UNBROKEN.fullmatch(text)
    if unbroken:
        return BusinessNumber("brn", unbroken[1], unbroken[2])
    value, hyphen, rest = text.partition("-")
    kind: Kind
    if _BRN.fullmatch(value):
        kind = "brn"
    elif _DUMMY.fullmatch(value):
        kind = "cr_dummy"
    else:
        raise InvalidBusinessNumber(*_why_not(value))
    if not hyphen:
        return BusinessNumber(kind, value)
    branch, hyphen, tail = rest.partition("-")
    _check_branch(kind, branch)
    if hyphen and not _CERTIFICATE_TAIL.fullmatch(tail):
        raise InvalidBusinessNumber(
            "bad_certificate",
            "A certificate number is written 12345678-000-01-11-1. Check the part after the "
            f"branch number {branch}, or enter the first 8 digits only.",
        )
    return BusinessNumber(kind, value, branch)


def _check_branch(kind: Kind, branch: str) -> None:
    if kind != "brn":
        raise InvalidBusinessNumber(
            "branch_not_allowed",
            "Only an 8-digit business registration number has branches; enter a number that "
            "begins with a letter without anything after it.",
        )
    if not _BRANCH.fullmatch(branch):
        raise InvalidBusinessNumber(
            "bad_branch",
            "The branch number after the hyphen has exactly 3 digits, as in 12345678-001; "
            "000 is the head office.",
        )


def _why_not(value: str) -> tuple[str, str]:
    """Say what is wrong with the first part of a number, as (reason code, message)."""
    if not re.fullmatch(r"[0-9A-Z]*", value):
        return (
            "bad_character",
            "A business registration number has digits only (a few begin with one or two of "
            "the letters A to Z). Remove every other character.",
        )
    if not value:
        return "too_short", "The 8-digit number before the first hyphen is missing."
    if len(value) < 8:
        return (
            "too_short",
            f"This has {len(value)} characters; a business registration number has 8. Enter "
            "leading zeros too. A Companies Registry number is filled up with zeros after its "
            "letter: C 12345 is C0012345.",
        )
    if len(value) > 8:
        return (
            "too_long",
            f"This has {len(value)} characters; a business registration number has 8. Enter "
            "the first 8 digits on the certificate, or put a hyphen before the branch number.",
        )
    return (
        "letter_misplaced",
        "Letters stand only at the beginning, one or two of them, as in C0012345 or MF001910. "
        "Check for O in place of 0 and I in place of 1.",
    )
