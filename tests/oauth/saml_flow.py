"""pysaml2, a SAML provider that others wrote, with a running demo: sign-in, encryption, single logout both ways, and our key's
roll-over."""

import base64
import html
import json
import logging
import os
import pathlib
import re
import socket
import tempfile
import urllib.parse

import requests
from saml2 import BINDING_HTTP_POST as POST, BINDING_HTTP_REDIRECT as REDIRECT, samlp
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server
from saml2.sigver import pre_encrypt_assertion, pre_encryption_part

given = json.loads(os.environ["GIVEN"])
console, ca, admin = given["console"], given["ca"], given["token"]
os.environ["REQUESTS_CA_BUNDLE"] = os.environ["CURL_CA_BUNDLE"] = ca
look_up = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: look_up("127.0.0.1", *rest, **more)
logging.disable(logging.CRITICAL)

KEYS = pathlib.Path(__file__).parents[2] / "crates/saml/tests/fixtures"
TMP = pathlib.Path(tempfile.mkdtemp())
IDP = "https://pysaml2.example.test/metadata"
SSO, SLO = "https://pysaml2.example.test/sso", "https://pysaml2.example.test/slo"
SP, ACS, OUT = console + "/saml/metadata", console + "/saml/acs", console + "/saml/slo"
RSA = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
HOW = {"sign_alg": RSA, "digest_alg": "http://www.w3.org/2001/04/xmlenc#sha256"}


def pem(kind, label):
    text = (KEYS / f"idp.{kind}.b64").read_text().strip()
    path = TMP / f"idp.{kind}"
    path.write_text(f"-----BEGIN {label}-----\n" + "\n".join(re.findall(".{1,64}", text)) + f"\n-----END {label}-----\n")
    return str(path)


def provider():
    made = IdPConfig()
    made.load({
        "entityid": IDP, "xmlsec_binary": "/usr/bin/xmlsec1",
        "key_file": pem("pk8", "PRIVATE KEY"), "cert_file": pem("crt", "CERTIFICATE"),
        "metadata": {"local": [str(p) for p in TMP.glob("sp.xml")]},
        "service": {"idp": {
            "endpoints": {"single_sign_on_service": [(SSO, REDIRECT)], "single_logout_service": [(SLO, REDIRECT)]},
            "want_authn_requests_signed": True, "policy": {"default": {"lifetime": {"minutes": 5}}}}},
    })
    return Server(config=made)


def api(method, path, body=None, version=None):
    headers = {"authorization": "Bearer " + admin}
    if version:
        headers["if-match"] = f'"{version}"'
    got = requests.request(method, console + "/api/v1" + path, headers=headers, json=body, verify=ca)
    assert got.ok, f"{method} {path}: {got.status_code} {got.text}"
    return got.json() if got.text else None


def read_again():
    """The provider reads our metadata."""
    (TMP / "sp.xml").write_text(requests.get(SP, verify=ca).text)
    return provider()


def query(address):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(html.unescape(address)).query))


class Browser(requests.Session):
    def __init__(self):
        super().__init__()
        self.verify = ca
        self.headers.update({"accept": "text/html"})

    def form(self, path, page, **more):
        body = {"csrf": re.search('name="csrf" value="([^"]+)"', page.text).group(1), **more}
        return self.post(console + path, data=body, headers={"origin": console}, allow_redirects=False)

    def leave(self, idp):
        """From the sign-in page to the provider, which checks our signature."""
        page = self.form("/sign-in/provider", self.get(console + "/sign-in"), provider=registered["id"])
        sent = query(re.search('url=([^"]+)"', page.text).group(1))
        asked = idp.parse_authn_request(sent["SAMLRequest"], REDIRECT, relay_state=sent["RelayState"], sigalg=sent["SigAlg"],
                                        signature=sent["Signature"]).message
        return asked.id, sent["RelayState"]

    def bring(self, response, state):
        field = base64.b64encode(str(response).encode()).decode()
        return self.post(ACS, data={"SAMLResponse": field, "RelayState": state}, headers={"origin": "https://pysaml2.example.test"})

    @property
    def token(self):
        return next((c.value for c in self.cookies if c.name == "__Host-sekisho"), None)

    def me(self):
        return requests.get(console + "/api/v1/me", headers={"authorization": f"Bearer {self.token}"}, verify=ca)


def name(subject):
    return NameID(format=NAMEID_FORMAT_PERSISTENT, text=subject, sp_name_qualifier=SP)


def said(idp, subject, to, index):
    return idp.create_authn_response(
        {"displayName": [subject]}, to, ACS, SP, name_id=name(subject), session_id=index, sign_assertion=True, sign_response=False,
        authn={"class_ref": "https://refeds.org/profile/mfa", "authn_auth": IDP}, **HOW)


def sealed(idp, response, certificate):
    template = pre_encryption_part(msg_enc="http://www.w3.org/2009/xmlenc11#aes256-gcm")
    inner = pre_encrypt_assertion(samlp.response_from_string(str(response)))
    return idp.sec.crypto.encrypt_assertion(str(inner), certified(certificate), template, "aes-256")


def certified(certificate):
    path = TMP / "encryption.crt"
    path.write_text(f"-----BEGIN CERTIFICATE-----\n{certificate.strip()}\n-----END CERTIFICATE-----\n")
    return str(path)


def hidden(idp, request, certificate):
    """The request with its name encrypted."""
    text = re.sub(r"<(\w+):NameID .*?</\1:NameID>", r"<\1:EncryptedID>\g<0></\1:EncryptedID>", str(request), flags=re.S)
    at = "".join(f"/*[local-name()='{part}']" for part in ["LogoutRequest", "EncryptedID", "NameID"])
    template = pre_encryption_part(msg_enc="http://www.w3.org/2009/xmlenc11#aes256-gcm")
    return idp.sec.crypto.encrypt_assertion(text, certified(certificate), template, "aes-256", node_xpath=at)


def comes(idp, subject, certificate=None):
    browser = Browser()
    to, state = browser.leave(idp)
    response = said(idp, subject, to, f"_session-{to}")
    index = samlp.response_from_string(str(response)).assertion[0].authn_statement[0].session_index
    browser.answered = browser.bring(sealed(idp, response, certificate) if certificate else response, state)
    return browser, index


def by_redirect(idp, message, kind, state=None):
    sent = idp.apply_binding(REDIRECT, str(message), OUT, relay_state=state or "", response=kind == "response", sign=True, sigalg=RSA)
    return dict(sent["headers"])["Location"]


def ok(what):
    print("ok:", what, flush=True)


metadata = base64.b64encode(str(entity_descriptor(provider().config)).encode()).decode()
registered = api("POST", "/saml-providers", {"name": "pysaml2", "metadata": metadata})
registered = api("PATCH", f"/providers/{registered['id']}", {"enabled": True, "create_users": True, "trusts_factor": True}, registered["version"])
idp = read_again()
assert idp.metadata.single_logout_service(SP, REDIRECT, "spsso")[0]["location"] == OUT
ok("pysaml2 reads our metadata, with the logout service")

hanako, index = comes(idp, "hanako")
assert hanako.me().json()["user"]["name"] == "hanako", hanako.answered.text
ok("a person signs in")
first_key = idp.metadata.certs(SP, "spsso", "encryption")[0][1]
taro, _ = comes(idp, "taro", first_key)
assert taro.me().json()["user"]["name"] == "taro", taro.answered.text
ok("with an encrypted assertion, too")

# The provider signs one of them out.
second, _ = comes(idp, "hanako")
number, request = idp.create_logout_request(OUT, SP, name_id=name("hanako"), session_indexes=[index], sign=False)
address = by_redirect(idp, request, "request", "theirs")
got = requests.get(address, verify=ca, allow_redirects=False, headers={"accept": "text/html"})
assert got.status_code == 303, got.text
answer = query(got.headers["location"])
assert answer["RelayState"] == "theirs"
reply = idp.parse_logout_request_response(answer["SAMLResponse"], REDIRECT)
assert reply.status_ok() and reply.response.in_response_to == number
assert hanako.me().status_code == 401 and second.me().status_code == 200 and taro.me().status_code == 200
again = requests.get(address, verify=ca, allow_redirects=False, headers={"accept": "text/html"})
assert again.status_code == 403, again.status_code
ok("the provider ends the session that it names, and no other; once")
# By HTTP-POST, signed within.
number, request = idp.create_logout_request(OUT, SP, name_id=name("taro"), sign=True, **HOW)
field = base64.b64encode(str(request).encode()).decode()
got = requests.post(OUT, data={"SAMLRequest": field}, verify=ca, allow_redirects=False,
                    headers={"origin": "https://pysaml2.example.test", "accept": "text/html"})
assert got.status_code == 303 and taro.me().status_code == 401, got.text
ok("by a form, too")
# Under a name that only we can read.
jiro, _ = comes(idp, "jiro")
number, request = idp.create_logout_request(OUT, SP, name_id=name("jiro"), sign=False)
sealed_name = hidden(idp, request, first_key)
assert "jiro" not in sealed_name
got = requests.get(by_redirect(idp, sealed_name, "request"), verify=ca, allow_redirects=False, headers={"accept": "text/html"})
assert got.status_code == 303 and jiro.me().status_code == 401, got.text
assert idp.parse_logout_request_response(query(got.headers["location"])["SAMLResponse"], REDIRECT).status_ok()
ok("and by a request that names the person encrypted to us")

# A person signs out here.
page = second.get(console + "/")
left = second.form("/sign-out", page)
assert left.status_code == 200 and "storage" in left.headers["clear-site-data"], left.text
assert requests.get(console + "/api/v1/me", headers={"authorization": "Bearer " + str(second.token)}, verify=ca).status_code == 401
sent = query(re.search('url=([^"]+)"', left.text).group(1))
request = idp.parse_logout_request(sent["SAMLRequest"], REDIRECT, sigalg=sent["SigAlg"], signature=sent["Signature"]).message
assert request.name_id.text == "hanako" and request.session_index[0].text.startswith("_session") or request.session_index
reply = by_redirect(idp, idp.create_logout_response(request, [REDIRECT], sign=False), "response")
back = second.get(reply, allow_redirects=False)
assert back.status_code == 303 and back.headers["location"] == "/sign-in?done=signed-out-provider", (back.status_code, back.text)
assert second.get(reply, allow_redirects=False).status_code == 401, "once"
ok("who signs out here is led on, and the provider's answer is verified")

# Our key rolls over.
ready = api("POST", "/saml-keys", {})
both = read_again()
assert len(both.metadata.certs(SP, "spsso", "signing")) == 2 and len(both.metadata.certs(SP, "spsso", "encryption")) == 2
api("POST", f"/saml-keys/{ready['id']}/switch", {})
keys = {k["stage"]: k["id"] for k in api("GET", "/saml-keys")["items"]}
saburo, _ = comes(both, "saburo", first_key)
assert saburo.me().status_code == 200, saburo.answered.text
ok("after the switch a provider that knows both keys goes on, and may still encrypt to the old one")
try:
    Browser().leave(idp)
except Exception as why:  # pysaml2 has many
    ok(f"one that has not read our metadata again refuses our requests - {type(why).__name__}")
else:
    raise AssertionError("the old key still signs")
api("DELETE", f"/saml-keys/{keys['old']}")
idp = read_again()
shiro, _ = comes(idp, "shiro", first_key)
assert shiro.answered.status_code == 401 and not shiro.token, shiro.answered.text
new_key = idp.metadata.certs(SP, "spsso", "encryption")[0][1]
shiro, _ = comes(idp, "shiro", new_key)
assert shiro.me().status_code == 200, shiro.answered.text
ok("once the old key is retired, nothing opens what is encrypted to it")
print("done")
