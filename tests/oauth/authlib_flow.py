"""Authlib, an OAuth client that others wrote, from the consent to the revocation."""

import html
import json
import os
import re
import socket

import requests
from authlib.integrations.requests_client import OAuth2Session

given = json.loads(os.environ["GIVEN"])
console, ca = given["console"], given["ca"]
# requests lets the environment win over a session's own setting.
os.environ["REQUESTS_CA_BUNDLE"] = os.environ["CURL_CA_BUNDLE"] = ca
look_up = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: look_up("127.0.0.1", *rest, **more)


def consent(address):
    browser = requests.Session()
    browser.verify = ca
    browser.headers.update({"cookie": "__Host-sekisho=" + given["token"], "accept": "text/html"})
    page = browser.get(address, allow_redirects=False)
    assert page.status_code == 200, page.text
    field = lambda name: re.search(f'name="{name}" value="([^"]+)"', page.text).group(1)
    form = {"csrf": field("csrf"), "request": field("request"), "decision": "allow"}
    done = browser.post(console + "/oauth/authorize", data=form, headers={"origin": console})
    return html.unescape(re.search('url=([^"]+)"', done.text).group(1))


session = OAuth2Session(
    given["id"],
    given["secret"],
    scope="users.read",
    redirect_uri=given["redirect"],
    code_challenge_method="S256",
    token_endpoint_auth_method="client_secret_basic",
)
session.verify = ca
verifier = "v" * 20 + "0123456789" * 4
address, state = session.create_authorization_url(console + "/oauth/authorize", code_verifier=verifier)
token = session.fetch_token(
    console + "/oauth/token", authorization_response=consent(address), code_verifier=verifier, state=state, verify=ca
)
users = console + "/api/v1/users"
assert session.get(users).status_code == 200
first = dict(token)
session.refresh_token(console + "/oauth/token", refresh_token=token["refresh_token"], verify=ca)
assert session.token["access_token"] != first["access_token"]
assert session.get(users).status_code == 200
old = requests.get(users, headers={"authorization": "Bearer " + first["access_token"]}, verify=ca)
assert old.status_code == 401, old.text
revoked = session.revoke_token(console + "/oauth/revoke", token=session.token["access_token"], verify=ca)
assert revoked.status_code == 200, revoked.text
after = requests.get(users, headers={"authorization": "Bearer " + session.token["access_token"]}, verify=ca)
assert after.status_code == 401, after.text
print("done")
