"""Distinguished names as RFC 4514 writes them, compared with those in certificates."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from oidc.distinguished_name import name_of, parse_name
from tests.support.certificates import BANK, name

EMAIL = x509.ObjectIdentifier("1.2.840.113549.1.9.1")


@pytest.mark.parametrize(
    "text",
    [
        "CN=bank client,O=Sample Bank,C=HK",
        "cn=Bank  Client , o = SAMPLE BANK, c=hk",
        "2.5.4.3=bank client,OID.2.5.4.10=Sample Bank,C=HK",
        r"CN=bank\20client,O=Sample\ Bank,C=HK",
        "CN=#130b62616e6b20636c69656e74,O=Sample Bank,C=HK",
    ],
)
def test_rfc4514_the_same_name_in_many_ways(text: str) -> None:
    assert parse_name(text) == name_of(BANK)


@pytest.mark.parametrize(
    "text",
    [
        "C=HK,O=Sample Bank,CN=bank client",  # the other way round is another name
        "CN=bank client,O=Sample Bank",
        "CN=bank client,O=Sample Bank,C=HK,C=HK",
        "CN=bank client2,O=Sample Bank,C=HK",
        "CN=bank client+O=Sample Bank,C=HK",
        "OU=bank client,O=Sample Bank,C=HK",
    ],
)
def test_another_name_is_another_name(text: str) -> None:
    assert parse_name(text) != name_of(BANK)


def test_rfc4514_2_4_special_characters_and_several_attributes_in_one_part() -> None:
    parts = [
        x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COUNTRY_NAME, "HK")]),
        x509.RelativeDistinguishedName(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, 'A, "B" + C; <D>=\\'),
                x509.NameAttribute(EMAIL, "ops@bank.example"),
            ]
        ),
    ]
    written = r"EMAILADDRESS=ops@bank.example+CN=A\, \"B\" \+ C\; \<D\>=\\,C=HK"
    assert parse_name(written) == name_of(x509.Name(parts))


def test_rfc4514_text_of_other_scripts_and_its_octets_are_one() -> None:
    subject = name((NameOID.ORGANIZATION_NAME, "樣本銀行"))
    assert parse_name("O=樣本銀行") == name_of(subject)
    assert parse_name(r"O=\E6\A8\A3\E6\9C\AC\E9\8A\80\E8\A1\8C") == name_of(subject)


def test_what_the_library_writes_is_read_back() -> None:
    assert parse_name(BANK.rfc4514_string()) == name_of(BANK)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "bank",
        "CN=",
        "CN=a,",
        ",CN=a",
        "CN=a++O=b",
        "XYZ=a",
        "1=a",
        "2.5.x=a",
        "CN=a\\",
        'CN="a"',
        "CN=a;O=b",
        r"CN=\ff",
        "CN=#zz",
        "CN=#0203",
        "CN=#1305616263",
        "CN=" + "a" * 3000,
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_name(text)
