"""One issuer, with and without a path: every URL where the standards look for it."""

import re
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx2
import pytest

from tests.support.fapi_client import new_verifier
from tests.support.fapi_client_http import Http
from tests.support.live_cast import Cast
from tests.support.live_service import Live
from tests.support.live_sign_in import plain_request
from tests.support.live_visitor import Visitor
from tests.support.wallet import Wallet

ENDPOINTS = {
    "authorization_endpoint": "/authorize",
    "pushed_authorization_request_endpoint": "/par",
    "token_endpoint": "/token",
    "userinfo_endpoint": "/userinfo",
    "introspection_endpoint": "/introspect",
    "jwks_uri": "/jwks",
}
INSERTED = ("oauth-authorization-server", "openid-credential-issuer", "jwt-vc-issuer")


async def test_openid_configuration_is_appended_and_its_endpoints_are_under_the_issuer(
    live: Live, http: Http
) -> None:
    found = (await http.get(f"{live.path}/.well-known/openid-configuration")).expect(200).json
    assert found["issuer"] == live.issuer
    for name, path in ENDPOINTS.items():
        assert found[name] == live.issuer + path
    (await http.get(found["jwks_uri"].removeprefix(live.origin))).expect(200)
    for name in ("token_endpoint", "pushed_authorization_request_endpoint"):
        answer = await http.form(found[name].removeprefix(live.origin), {"grant_type": "x"})
        assert answer.expect(401).error == "invalid_client"
    assert (await http.get(live.inserted("oauth-authorization-server"))).json == found


@pytest.mark.parametrize("name", INSERTED)
async def test_the_other_documents_are_inserted(live: Live, http: Http, name: str) -> None:
    (await http.get(live.inserted(name))).expect(200)
    if live.path:
        (await http.get(f"{live.path}/.well-known/{name}")).expect(404)
        (await http.get(f"/.well-known/{name}")).expect(404)
        (await http.get("/.well-known/openid-configuration")).expect(404)


async def test_the_aggregation_of_status_lists_is_where_metadata_say(
    live: Live, http: Http
) -> None:
    found = (await http.get(live.inserted("oauth-authorization-server"))).expect(200).json
    where = found["status_list_aggregation_endpoint"]
    lists = (await http.get(where.removeprefix(live.origin))).expect(200).json["status_lists"]
    assert len(lists) >= 3
    for uri in lists[:3]:
        assert uri.startswith(f"{where}/")
        (await http.get(uri.removeprefix(live.origin))).expect(200)


async def test_credential_issuer_metadata_and_what_it_names(live: Live, http: Http) -> None:
    found = (await http.get(live.inserted("openid-credential-issuer"))).expect(200).json
    assert found["credential_issuer"] == live.issuer
    for name in ("credential_endpoint", "nonce_endpoint", "notification_endpoint"):
        assert found[name].startswith(live.issuer + "/")
        answer = await http.request("GET", found[name].removeprefix(live.origin), {})
        assert answer.status == 405
        assert "POST" in answer.headers["allow"]
    keys = (await http.get(live.inserted("jwt-vc-issuer"))).expect(200).json
    assert keys["issuer"] == live.issuer
    supported = found["credential_configurations_supported"]
    # Without a document signer's certificate there are no mdocs.
    assert {one["format"] for one in supported.values()} == {"dc+sd-jwt", "vc+jwt"}
    for kind in (one for one in supported.values() if "vct" in one):
        described = (await http.get(kind["vct"].removeprefix(live.origin))).expect(200).json
        assert described["vct"] == kind["vct"]


async def test_rfc9728_challenges_point_to_metadata_that_exists(live: Live, http: Http) -> None:
    for method, path in (("GET", "/userinfo"), ("POST", "/credential")):
        refused = (await http.request(method, live.path + path, {})).expect(401)
        pointed = re.search('resource_metadata="([^"]+)"', refused.headers["www-authenticate"])
        assert pointed is not None, refused.headers["www-authenticate"]
        assert pointed[1] == f"{live.origin}{live.inserted('oauth-protected-resource')}{path}"
        found = (await http.get(pointed[1].removeprefix(live.origin))).expect(200).json
        assert found["resource"] == live.issuer + path
        assert found["authorization_servers"] == [live.issuer]


async def test_an_offer_link_leads_to_the_issuer(live: Live, http: Http, cast: Cast) -> None:
    organisation, human = await cast.acting()
    made = await cast.base.offers.create(
        organisation.organisation_id, human.person_id, ["representative"], actor="t"
    )
    uri = parse_qs(urlsplit(made.reference).query)["credential_offer_uri"][0]
    assert uri.startswith(f"{live.issuer}/offers/")
    shown = (await http.get(uri.removeprefix(live.origin))).expect(200).json
    assert shown["credential_issuer"] == live.issuer
    assert Wallet(live.issuer).path == live.path


async def test_pages_cookies_links_and_redirects_stay_under_the_issuer(
    live: Live, cast: Cast, visitor: Visitor
) -> None:
    _, human = await cast.acting()
    client = await cast.plain_client()
    query = urlencode(plain_request(client, new_verifier()))
    with httpx2.Client() as browser:
        first = browser.get(f"{live.issuer}/authorize?{query}")
        assert first.status_code == 303, "never 307"
        cookies = first.headers.get_list("set-cookie")
        assert cookies
        for cookie in cookies:
            # A path would not keep another site on this host from reading or setting it.
            assert "Path=/;" in cookie
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
        address = urljoin(live.issuer, first.headers["location"])
        assert address.startswith(f"{live.issuer}/interaction/")
        page = browser.get(address)
        links = re.findall(r'(?:href|action|src)="([^"]+)"', page.text)
        assert links
        for link in links:
            absolute = urljoin(address, link.replace("&amp;", "&"))
            assert link.startswith("#") or absolute.startswith(f"{live.issuer}/"), link
            if "/static/" in absolute:
                assert browser.get(absolute).status_code == 200
        language = next(
            urljoin(address, link.replace("&amp;", "&")) for link in links if "/language" in link
        )
        back = browser.get(language)
        assert back.status_code == 303
        assert urljoin(live.issuer, back.headers["location"]) == address
    visitor.authorize(**plain_request(client, new_verifier()))
    answer = visitor.through(human)
    assert answer["iss"] == live.issuer
    assert visitor.open(f"{live.issuer}/sign-out") == f"{live.issuer}/sign-out"
    assert visitor.submit() == f"{live.issuer}/sign-out"


async def test_htu_is_the_published_url_with_the_issuers_path(
    live: Live, http: Http, cast: Cast
) -> None:
    organisation, human = await cast.acting()
    wallet = Wallet(live.issuer)
    code = await cast.offer(organisation, human)
    fields = {
        "grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        "pre-authorized_code": code,
        "tx_code": "000000",
    }
    other = live.origin + ("/token" if live.path else "/x/token")
    proof = wallet.dpop_key.dpop("POST", other)
    answer = await http.form(f"{live.path}/token", fields, {"DPoP": proof})
    assert answer.expect(400).error == "invalid_dpop_proof"


async def test_the_host_header_changes_nothing(live: Live, http: Http) -> None:
    with httpx2.Client() as client:
        found = client.get(
            f"{live.issuer}/.well-known/openid-configuration",
            headers={
                "Host": "evil.example",
                "X-Forwarded-Host": "evil.example",
                "X-Forwarded-Proto": "https",
                "Forwarded": "host=evil.example;proto=https",
            },
        )
    assert found.json()["issuer"] == live.issuer
    assert "evil" not in found.text


async def test_operations_are_at_the_hosts_root(http: Http) -> None:
    for path in ("/healthz", "/readyz", "/openapi.json"):
        (await http.get(path)).expect(200)


async def test_metrics_are_not_for_the_public(http: Http, live: Live) -> None:
    for path in ("/metrics", f"{live.path}/metrics", "/metrics/"):
        (await http.get(path)).expect(404)
