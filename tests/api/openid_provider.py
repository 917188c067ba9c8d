"""A small OpenID provider of our own, run as a process: a page to sign in at, codes that are good once, PKCE, its keys.

`python -m tests.api.openid_provider PORT CLIENT SECRET` serves it on loopback. What a person types as their name may
end in `!nonce`, `!audience`, `!issuer`, `!key`, `!expired`, `!party` or `!tenant`: the ID token is then wrong in that.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
import time
from html import escape
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

FIELDS = ("client_id", "redirect_uri", "state", "nonce", "code_challenge")


def provider(url: str, client: str, secret: str, tenant: str) -> FastAPI:
    """The provider at that address, for one client."""
    application = FastAPI()
    keys = {kid: rsa.generate_private_key(public_exponent=65537, key_size=2048) for kid in ("one", "stolen")}
    codes: dict[str, dict[str, str]] = {}

    @application.get("/.well-known/openid-configuration")
    def configuration() -> dict[str, str]:
        return {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/keys",
        }

    @application.get("/keys")
    def public_keys() -> dict[str, Any]:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(keys["one"].public_key()))
        return {"keys": [{**key, "kid": "one", "alg": "RS256", "use": "sig"}]}

    @application.get("/authorize")
    def page(request: Request) -> Response:
        asked = request.query_params
        good = asked.get("response_type") == "code" and asked.get("code_challenge_method") == "S256"
        if not good or asked.get("client_id") != client or not set(FIELDS) <= asked.keys():
            return HTMLResponse("No such client", 400)
        kept = "".join(f'<input type=hidden name={name} value="{escape(asked[name])}">' for name in FIELDS)
        return HTMLResponse(
            f"<!doctype html><title>Sign in</title><form method=post>{kept}<label>Name <input name=person></label>"
            "<button>Sign in</button><button name=refuse value=yes>No</button></form>"
        )

    @application.post("/authorize")
    async def signed_in(request: Request) -> Response:
        said = await _form(request)
        code = secrets.token_urlsafe(16)
        codes[code] = said
        given = {"error": "access_denied"} if "refuse" in said else {"code": code}
        query = urlencode({**given, "state": said["state"], "iss": url})
        return RedirectResponse(f"{said['redirect_uri']}?{query}", 303)

    @application.post("/token")
    async def token(request: Request) -> Response:
        shown = await _form(request)
        pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
        expected = f"Basic {base64.b64encode(pair.encode()).decode()}"
        said = codes.pop(shown["code"], None)
        challenge = (
            base64.urlsafe_b64encode(hashlib.sha256(shown["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        )
        if request.headers.get("authorization") != expected:
            return JSONResponse({"error": "invalid_client"}, 401)
        if said is None or said["redirect_uri"] != shown["redirect_uri"] or said["code_challenge"] != challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        person, _, wrong = said["person"].partition("!")
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": "https://else.example" if wrong == "issuer" else url,
            "aud": {"audience": "another-client", "party": [client, "another-client"]}.get(wrong, client),
            "nonce": "of-another-attempt" if wrong == "nonce" else said["nonce"],
            "sub": person,
            "tenant_id": "../etc" if wrong == "tenant" else tenant,
            "iat": now - 7200 if wrong == "expired" else now,
            "exp": now - 3600 if wrong == "expired" else now + 300,
        }
        key = keys["stolen" if wrong == "key" else "one"]
        signed = jwt.encode(claims, key, "RS256", headers={"kid": "one"})
        return JSONResponse({"id_token": signed, "access_token": secrets.token_urlsafe(16), "token_type": "Bearer"})

    return application


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode()))


if __name__ == "__main__":
    port, client, secret, tenant = sys.argv[1:]
    url = f"http://127.0.0.1:{port}"
    uvicorn.run(provider(url, client, secret, tenant), host="127.0.0.1", port=int(port), log_level="warning")
