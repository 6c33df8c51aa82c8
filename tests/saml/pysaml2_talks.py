#!/usr/bin/env python3
"""pysaml2 as the identity provider, on xmlsec1, in a live conversation with our service provider (examples/counterpart).

    pysaml2_talks.py COUNTERPART
"""

import base64, json, logging, pathlib, subprocess, sys, tempfile, urllib.parse

from saml2 import BINDING_HTTP_POST as POST, BINDING_HTTP_REDIRECT as REDIRECT, saml, samlp
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server
from saml2.sigver import pre_encrypt_assertion, pre_encryption_part

COUNTERPART = pathlib.Path(sys.argv[1]).resolve()
KEYS = pathlib.Path(__file__).parents[2] / "crates/saml/tests/fixtures"
TMP = pathlib.Path(tempfile.mkdtemp())
IDP, SP = "https://idp.example.test/metadata", "https://sp.example.test/saml"
SSO, SLO = "https://idp.example.test/sso", "https://idp.example.test/slo"
SHA256 = {"sign_alg": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "digest_alg": "http://www.w3.org/2001/04/xmlenc#sha256"}
NAME = NameID(format=NAMEID_FORMAT_PERSISTENT, text="yamada-7f3a", sp_name_qualifier=SP)


def pem(name, kind):
    for suffix, label in [("pk8", "PRIVATE KEY"), ("crt", "CERTIFICATE")]:
        if suffix == kind:
            text = (KEYS / f"{name}.{suffix}.b64").read_text()
            lines = "\n".join(text[i:i + 64] for i in range(0, len(text), 64))
            path = TMP / f"{name}.{suffix}"
            path.write_text(f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
            return str(path)


def ours(command, *args, given=""):
    out = subprocess.run([COUNTERPART, KEYS, TMP / "idp.xml", command, *args], input=given, capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
    return out.stdout.strip() if command == "metadata" else json.loads(out.stdout)


def provider():
    made = IdPConfig()
    made.load({
        "entityid": IDP, "xmlsec_binary": "/usr/bin/xmlsec1", "key_file": pem("idp", "pk8"), "cert_file": pem("idp", "crt"),
        "metadata": {"local": [str(p) for p in TMP.glob("sp.xml")]},
        "service": {"idp": {
            "endpoints": {"single_sign_on_service": [(SSO, REDIRECT), (SSO, POST)], "single_logout_service": [(SLO, REDIRECT)]},
            "want_authn_requests_signed": True, "policy": {"default": {"lifetime": {"minutes": 5}}}}},
    })
    return Server(config=made)


def refused(act, what):
    try:
        parsed = act()
    except Exception as why:  # each library has its own class for it
        print("ok: pysaml2 refuses", what, "-", type(why).__name__)
        return
    raise AssertionError(f"pysaml2 takes {what}: {parsed}")


# What pysaml2 writes to the log about the refusals that are wanted.
logging.disable(logging.CRITICAL)


def said(what):
    print("ok:", what)


(TMP / "idp.xml").write_text(str(entity_descriptor(provider().config)))
metadata = ours("metadata")
(TMP / "sp.xml").write_text(metadata)
subprocess.run(["xmlsec1", "--verify", "--pubkey-cert-pem", pem("sp", "crt"), "--id-attr:ID",
                "urn:oasis:names:tc:SAML:2.0:metadata:EntityDescriptor", str(TMP / "sp.xml")], check=True, capture_output=True)
said("xmlsec1 verifies our metadata")
idp = provider()
assert idp.metadata.certs(SP, "spsso", "encryption") and idp.metadata.certs(SP, "spsso", "signing")
assert idp.metadata.assertion_consumer_service(SP)[0]["location"] == SP + "/acs"
said("pysaml2 reads our metadata")

# AuthnRequest by HTTP-Redirect.
made = ours("request", "redirect", "/deep?a=b&c=d")
query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(made["message"]["address"]).query))


def parsed(query):
    return idp.parse_authn_request(query["SAMLRequest"], REDIRECT, relay_state=query["RelayState"], sigalg=query["SigAlg"],
                                   signature=query["Signature"])


request = parsed(query).message
assert request.id == made["id"] and request.issuer.text == SP and request.assertion_consumer_service_url == SP + "/acs"
said("pysaml2 verifies our AuthnRequest by HTTP-Redirect")
refused(lambda: parsed({**query, "RelayState": "/other"}), "a query whose RelayState was changed")
other = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(ours("request", "redirect", "x")["message"]["address"]).query))
refused(lambda: parsed({**query, "Signature": other["Signature"]}), "a query with another's signature")

# AuthnRequest by HTTP-POST.
made = ours("request", "post", "s")
field = made["message"]["fields"]["SAMLRequest"]
assert idp.parse_authn_request(field, POST).message.id == made["id"]
said("pysaml2 verifies our AuthnRequest by HTTP-POST")
altered = base64.b64encode(base64.b64decode(field).replace(b"/saml/acs", b"/evil/acs")).decode()
refused(lambda: idp.parse_authn_request(altered, POST), "a form whose address was changed")

# Its responses, encrypted to the certificate in our metadata.
authn = {"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password", "authn_auth": IDP}


def response(to):
    return idp.create_authn_response({"uid": ["yamada"]}, to, SP + "/acs", SP, name_id=NAME, authn=authn, sign_assertion=True,
                                     sign_response=False, **SHA256)


def packed(xml):
    return base64.b64encode(str(xml).encode()).decode()


signed = packed(response(made["id"]))
answer = ours("response", made["id"], given=signed)
assert answer["name"] == "yamada-7f3a" and ["yamada"] in answer["values"], answer
said("we verify pysaml2's response")
answer = ours("response", "_other", given=signed)
assert answer["refused"].startswith("SK-4115 "), answer
said("we refuse it as the answer to another request")
template = pre_encryption_part(msg_enc="http://www.w3.org/2009/xmlenc11#aes256-gcm")
certificate = TMP / "encryption.crt"
certificate.write_text("-----BEGIN CERTIFICATE-----\n" + idp.metadata.certs(SP, "spsso", "encryption")[0][1].strip()
                       + "\n-----END CERTIFICATE-----\n")
inner = pre_encrypt_assertion(samlp.response_from_string(str(response(made["id"]))))
sealed = packed(idp.sec.crypto.encrypt_assertion(str(inner), str(certificate), template, "aes-256"))
answer = ours("response", made["id"], given=sealed)
assert answer["name"] == "yamada-7f3a", answer
said("we open and verify its encrypted assertion")
print("microseconds a response, signed and encrypted:", ours("measure", made["id"], given=signed)["micros"],
      ours("measure", made["id"], given=sealed)["micros"])

# Logout, begun by us.
made = ours("logout", "yamada-7f3a", "back")
query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(made["message"]["address"]).query))
request = idp.parse_logout_request(query["SAMLRequest"], REDIRECT, relay_state=query["RelayState"], sigalg=query["SigAlg"],
                                   signature=query["Signature"]).message
assert request.id == made["id"] and request.name_id.text == "yamada-7f3a" and request.session_index[0].text == "_s"
said("pysaml2 verifies our LogoutRequest")


def by_redirect(message, kind, state):
    sent = idp.apply_binding(REDIRECT, str(message), SP + "/slo", relay_state=state, response=kind == "response", sign=True,
                             sigalg=SHA256["sign_alg"])
    return dict(sent["headers"])["Location"].split("?", 1)[1]


reply = by_redirect(idp.create_logout_response(request, [REDIRECT], sign=False), "response", "back")
answer = ours("logout-response", made["id"], "back", given=reply)
assert answer == {"partial": False}, answer
said("we verify its LogoutResponse")

# Logout, begun by it.
number, request = idp.create_logout_request(SP + "/slo", SP, name_id=NAME, session_indexes=["_s"], sign=False)
answer = ours("logout-request", given=by_redirect(request, "request", "theirs"))
assert answer["name"] == "yamada-7f3a", answer
query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer["message"]["address"]).query))
assert query["RelayState"] == "theirs"
reply = idp.parse_logout_request_response(query["SAMLResponse"], REDIRECT)
assert reply.status_ok() and reply.response.in_response_to == number
said("we answer its LogoutRequest, and pysaml2 understands")
