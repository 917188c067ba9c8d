"""Who is let in: tokens with a tenant claim, and nothing that only looks like one."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from tenant_pipeline.api.application import create_application
from tenant_pipeline.api.authentication.key_sets import ProvidersKeys
from tenant_pipeline.api.authentication.local_issuer import AUDIENCE, ISSUER, LocalIssuer
from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.services.access import revoke_tokens_of
from tenant_pipeline.services.registry import register_tenant
from tenant_pipeline.services.roles import grant_role
from tenant_pipeline.services.runtime import Runtime
from tests.api.conftest import OTHER, OWN, Served, serving
from tests.integration.conflict_statements import Sources

Claims = dict[str, Any]


def _claims(**changes: Any) -> Claims:
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "anan",
        "tenant_id": OWN,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=1)).timestamp()),
        "jti": "one",
    }
    claims.update(changes)
    return {name: value for name, value in claims.items() if value is not None}


def _signed(runtime: Runtime, claims: Claims, **header: Any) -> str:
    headers = {"kid": "local-1", "typ": "at+jwt", **header}
    return jwt.encode(claims, runtime.keys.token_signing_key(1), algorithm="EdDSA", headers=headers)


def _text(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _unsigned(runtime: Runtime) -> str:
    return f"{_text({'alg': 'none', 'kid': 'local-1', 'typ': 'at+jwt'})}.{_text(_claims())}."


def _with_the_public_key_as_a_secret(runtime: Runtime) -> str:
    public = runtime.keys.token_signing_key(1).public_key().public_bytes_raw()
    return jwt.encode(_claims(), public, algorithm="HS256", headers={"kid": "local-1", "typ": "at+jwt"})


def _with_a_key_of_its_own(runtime: Runtime) -> str:
    own = ed25519.Ed25519PrivateKey.generate()
    jwk = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(own.public_key()))
    return jwt.encode(_claims(), own, "EdDSA", headers={"kid": "local-1", "typ": "at+jwt", "jwk": jwk})


def _with_another_payload(runtime: Runtime) -> str:
    head, _, signature = _signed(runtime, _claims()).split(".")
    return f"{head}.{_text(_claims(sub='mali'))}.{signature}"


EARLIER = int((datetime.now(UTC) - timedelta(hours=2)).timestamp())
LATER = int((datetime.now(UTC) + timedelta(hours=2)).timestamp())
FORGED: dict[str, Callable[[Runtime], str]] = {
    "no algorithm": _unsigned,
    "the public key as a secret": _with_the_public_key_as_a_secret,
    "a key that it brings itself": _with_a_key_of_its_own,
    "a payload that was changed": _with_another_payload,
    "another issuer": lambda runtime: _signed(runtime, _claims(iss="https://else.example")),
    "another audience": lambda runtime: _signed(runtime, _claims(aud="else")),
    "no audience": lambda runtime: _signed(runtime, _claims(aud=None)),
    "expired": lambda runtime: _signed(runtime, _claims(exp=EARLIER)),
    "no expiry": lambda runtime: _signed(runtime, _claims(exp=None)),
    "issued in the future": lambda runtime: _signed(runtime, _claims(iat=LATER)),
    "not good before": lambda runtime: _signed(runtime, _claims(nbf=LATER)),
    "no person": lambda runtime: _signed(runtime, _claims(sub=None)),
    "an empty person": lambda runtime: _signed(runtime, _claims(sub=" ")),
    "no tenant": lambda runtime: _signed(runtime, _claims(tenant_id=None)),
    "a tenant that is none": lambda runtime: _signed(runtime, _claims(tenant_id="../etc")),
    "a list of tenants": lambda runtime: _signed(runtime, _claims(tenant_id=[OWN])),
    "no id": lambda runtime: _signed(runtime, _claims(jti=None)),
    "another kind": lambda runtime: _signed(runtime, _claims(), typ="JWT"),
    "an extension that must be understood": lambda runtime: _signed(runtime, _claims(), crit=["b64"], b64=True),
    "an unknown key": lambda runtime: _signed(runtime, _claims(), kid="local-9"),
    "too long": lambda runtime: _signed(runtime, _claims(more="x" * 9000)),
    "a sign-in code": lambda runtime: LocalIssuer(runtime).sign_in_code("anan", OWN),
    "no token at all": lambda runtime: "abc",
}


@pytest.mark.parametrize("forgery", FORGED)
def test_nothing_that_only_looks_like_a_token_is_let_in(served: Served, forgery: str) -> None:
    shown = FORGED[forgery](served.runtime)
    answer = httpx.get(f"{served.url}/api/tenant/{OWN}", headers={"Authorization": f"Bearer {shown}"}, trust_env=False)
    assert answer.status_code == 401
    assert answer.json()["code"] == "not-signed-in"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert shown not in answer.text


def test_a_good_token_lets_its_person_into_its_tenant_only(served: Served) -> None:
    with served.client("anan") as anan:
        assert anan.get(f"/api/tenant/{OWN}").json()["id"] == OWN
        assert anan.get(f"/api/tenant/{OTHER}").status_code == 404


def test_another_tenant_and_one_that_is_not_there_look_the_same(served: Served) -> None:
    with served.client("anan") as anan:
        answers = [anan.get(f"/api/tenant/{tenant}").json() for tenant in (OTHER, "never-registered")]
    for answer in answers:
        answer.pop("instance")
    assert answers[0] == answers[1]


def test_a_person_without_a_role_is_not_let_in(served: Served) -> None:
    with served.client("stranger") as stranger:
        assert stranger.get(f"/api/tenant/{OWN}").status_code == 404


def test_who_signs_out_is_out_wherever_the_token_was_copied_to(served: Served) -> None:
    with served.client("anan") as anan:
        assert anan.get("/api/session").json()["roles"] == ["tenant-admin"]
        left = anan.delete("/api/session")
        assert (left.status_code, left.headers["clear-site-data"]) == (200, '"cache"')
        assert anan.get("/api/session").status_code == 401
        assert anan.get(f"/api/tenant/{OWN}").status_code == 401
    with served.client("anan") as again:
        assert again.get("/api/session").status_code == 200


def test_all_of_a_persons_tokens_can_be_taken_back(served: Served) -> None:
    with served.client("nok") as one, served.client("nok") as two, served.client("rin") as rin:
        revoke_tokens_of(served.runtime, OWN, "nok", revoked_by="anan")
        assert [client.get("/api/session").status_code for client in (one, two, rin)] == [401, 401, 200]


def test_a_sign_in_link_is_good_once(served: Served) -> None:
    code = LocalIssuer(served.runtime).sign_in_code("anan", OWN)
    with served.client(None) as browser:
        first = browser.post("/api/session", json={"code": code})
        assert first.status_code == 201
        cookie = first.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
        assert browser.get(f"/api/tenant/{OWN}").json()["id"] == OWN
    with served.client(None) as thief:
        assert thief.post("/api/session", json={"code": code}).status_code == 401


def test_another_sites_page_cannot_act_for_who_is_signed_in(served: Served) -> None:
    code = LocalIssuer(served.runtime).sign_in_code("anan", OWN)
    with served.client(None) as browser:
        browser.post("/api/session", json={"code": code})
        role = {"person": "somchai", "role": "viewer"}
        place = f"/api/tenant/{OWN}/roles"
        for origin in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            refused = browser.post(place, json=role, headers=origin)
            assert (refused.status_code, refused.json()["code"]) == (403, "foreign-origin")
        emptied = {"Origin": "https://evil.example", "Authorization": ""}
        assert browser.post(place, json=role, headers=emptied).status_code == 401
        assert browser.post(place, json=role, headers={"Origin": served.url}).status_code == 200
        assert browser.request("DELETE", place, json=role, headers={"Origin": served.url}).status_code == 200


def test_nothing_is_signed_in_the_name_of_another_person_than_the_page_shows(served: Served) -> None:
    made = Sources(served.runtime, TenantId("one-desk"))
    name = {"th": "โต๊ะเดียว", "en": "One desk", "zh": "一张桌子"}
    register_tenant(served.runtime, made.tenant, name=name, domain="desk.example", tier="pilot", actor="test")
    grant_role(served.runtime, made.tenant, person="กัญญา", role="reviewer", granted_by="test")
    for number, code in ((1, "83000"), (2, "83100")):
        made.say(number, ("postalCode", "", code))
    item = made.item()
    place = f"/api/tenant/{made.tenant}/conflicts/{item['conflict_id']}/signature"
    said = {"decision": "candidate", "number": 1, "role": "reviewer", "reason": "Looked it up."}
    said["digest"] = item["candidates_digest"]
    with served.client("กัญญา", made.tenant) as client:
        for shown in ("rin", quote("กัญญา "), ""):
            refused = client.post(place, json=said, headers={"Session-Person": shown})
            assert (refused.status_code, refused.json()["code"]) == (409, "session-changed")
        assert made.form(item["conflict_id"])["signatures"] == []
        assert client.post(place, json=said, headers={"Session-Person": quote("กัญญา")}).status_code == 200
    (signature,) = made.form(item["conflict_id"])["signatures"]
    assert signature["person"] == "กัญญา"


def test_rotating_the_key_ends_tokens_of_two_keys_ago(runtime: Runtime) -> None:
    token = LocalIssuer(runtime).access_token("anan", OWN, timedelta(hours=1))
    for number, expected in ((2, 200), (3, 401)):
        rotated = Runtime(**{**vars(runtime), "settings": runtime.settings.model_copy(update={"token_key": number})})
        with serving(rotated) as url:
            answer = httpx.get(f"{url}/api/session", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
            assert answer.status_code == expected
            keys = httpx.get(f"{url}/.well-known/jwks.json", trust_env=False).json()["keys"]
            assert [key["kid"] for key in keys] == [f"local-{number}", f"local-{number - 1}"]
            assert all("d" not in key for key in keys)


class Provider:
    """An OpenID provider on loopback, whose keys can be changed and which can fall silent."""

    def __init__(self) -> None:
        self.keys = {"first": rsa.generate_private_key(public_exponent=65537, key_size=2048)}
        self.silent = False
        self.asked = 0
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                if provider.silent:
                    self.send_error(503)
                    return
                document = provider.documents()[self.path]
                body = json.dumps(document).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                """Quietly."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def documents(self) -> dict[str, Any]:
        keys = [
            {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": name, "alg": "RS256"}
            for name, key in self.keys.items()
        ]
        return {
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/keys"},
            "/keys": {"keys": keys},
        }

    def token(self, kid: str, **changes: Any) -> str:
        claims = _claims(**{"iss": self.url, **changes})
        return jwt.encode(claims, self.keys[kid], "RS256", headers={"kid": kid, "typ": "JWT"})


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    yield provider
    provider.server.shutdown()


def test_an_openid_providers_tokens_are_accepted_in_place_of_our_own(runtime: Runtime, provider: Provider) -> None:
    trusting = Runtime(
        **{**vars(runtime), "settings": runtime.settings.model_copy(update={"oidc_issuer": provider.url})}
    )
    assert create_application(trusting).state.authenticator.local_issuer is None
    with serving(trusting) as url:

        def status(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return httpx.get(f"{url}/api/tenant/{OWN}", headers=headers, trust_env=False).status_code

        assert status(provider.token("first")) == 200
        assert status(LocalIssuer(runtime).access_token("anan", OWN, timedelta(hours=1))) == 401
        assert status(provider.token("first", iss="https://else.example")) == 401
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        forged = jwt.encode(_claims(iss=provider.url), other, "RS256", headers={"kid": "first", "typ": "JWT"})
        assert status(forged) == 401
        asked = provider.asked
        for _ in range(20):
            assert status(provider.token("first")) == 200
        provider.silent = True
        assert status(provider.token("first")) == 200
        assert provider.asked == asked


def test_a_providers_new_key_is_fetched_and_forged_key_ids_do_not_flood_it(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("tenant_pipeline.api.authentication.key_sets.time.monotonic", lambda: now[0])
    keys = ProvidersKeys(provider.url)
    assert keys("first") is not None
    asked = provider.asked
    for number in range(50):
        assert keys(f"forged-{number}") is None
    assert provider.asked == asked
    provider.keys["second"] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now[0] += 31
    assert keys("second") is not None
    del provider.keys["first"]
    now[0] += 601
    assert keys("first") is None
