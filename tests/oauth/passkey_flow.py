"""python-fido2's own client, talking CTAP 2 to an authenticator in software, against the console's API."""

import hashlib
import json
import os
import secrets
import socket

import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from fido2 import cbor
from fido2.client import DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.cose import ES256, RS256, EdDSA
from fido2.ctap import CtapDevice
from fido2.hid import CAPABILITY, CTAPHID
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticatorData,
    PublicKeyCredentialCreationOptions,
    PublicKeyCredentialRequestOptions,
)

given = json.loads(os.environ["GIVEN"])
console, ca = given["console"], given["ca"]
api = console + "/api/v1"
os.environ["REQUESTS_CA_BUNDLE"] = os.environ["CURL_CA_BUNDLE"] = ca
look_up = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: look_up("127.0.0.1", *rest, **more)

AAGUID = bytes.fromhex("d41f5a69b8174144a13c9ebd6d9254d6")
FLAG = AuthenticatorData.FLAG
NO_CREDENTIALS = b"\x2e"


class Device(CtapDevice):
    """CTAP 2.1 (§6.1, §6.2, §6.4) with keys in memory; it knows its owner by itself (`uv`)."""

    capabilities = CAPABILITY.CBOR
    makers = {
        -7: (lambda: ec.generate_private_key(ec.SECP256R1()), ES256),
        -8: (ed25519.Ed25519PrivateKey.generate, EdDSA),
        -257: (lambda: rsa.generate_private_key(65537, 2048), RS256),
    }

    def __init__(self, algorithm=-7):
        self.algorithm, self.keys, self.count, self.flags = algorithm, {}, 0, FLAG.UP | FLAG.UV

    def close(self):
        pass

    @classmethod
    def list_devices(cls):
        return []

    def call(self, cmd, data=b"", event=None, on_keepalive=None):
        assert cmd == CTAPHID.CBOR
        asked = cbor.decode(data[1:]) if data[1:] else {}
        answer = {1: self.make, 2: self.assertion, 4: self.info}[data[0]](asked)
        return NO_CREDENTIALS if answer is None else b"\0" + cbor.encode(answer)

    def info(self, _):
        options = {"rk": True, "up": True, "uv": True}
        algorithms = [{"type": "public-key", "alg": self.algorithm}]
        return {1: ["FIDO_2_0", "FIDO_2_1"], 3: AAGUID, 4: options, 6: [2], 10: algorithms}

    def sign(self, key, message):
        if self.algorithm == -7:
            return key.sign(message, ec.ECDSA(hashes.SHA256()))
        if self.algorithm == -8:
            return key.sign(message)
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def make(self, asked):
        assert asked[7]["rk"] and asked[7]["uv"], asked[7]
        assert self.algorithm in [one["alg"] for one in asked[4]]
        generate, kind = self.makers[self.algorithm]
        key, credential = generate(), secrets.token_bytes(32)
        public = kind.from_cryptography_key(key.public_key())
        attested = AttestedCredentialData.create(AAGUID, credential, public)
        rp = hashlib.sha256(asked[2]["id"].encode()).digest()
        data = AuthenticatorData.create(rp, FLAG.UP | FLAG.UV | FLAG.AT, 0, attested)
        self.keys[credential] = (key, asked[2]["id"], asked[3])
        statement = {"alg": self.algorithm, "sig": self.sign(key, data + asked[1])}
        return {1: "packed", 2: bytes(data), 3: statement}

    def assertion(self, asked):
        # Before making a key, the client asks in silence for those that are there already.
        silent = asked[5].get("up") is False
        assert silent or asked[5]["uv"]
        allowed = [one["id"] for one in asked.get(3, [])]
        fits = [c for c, (_, rp, _) in self.keys.items() if rp == asked[1] and (not allowed or c in allowed)]
        if not fits:
            return None
        credential = fits[-1]
        key, rp, user = self.keys[credential]
        self.count += not silent
        data = AuthenticatorData.create(hashlib.sha256(rp.encode()).digest(), self.flags, self.count)
        descriptor = {"id": credential, "type": "public-key"}
        return {1: descriptor, 2: bytes(data), 3: self.sign(key, data + asked[2]), 4: {"id": user["id"]}}


class Owner(UserInteraction):
    def request_uv(self, permissions, rp_id):
        return True


def client(device, origin=console):
    """Its own check of the origin is left out: that is ours to see through."""
    return Fido2Client(device, DefaultClientDataCollector(origin, lambda rp, origin: True), Owner())


def post(browser, path, body, status=200, **more):
    answer = browser.post(api + path, json=body, **more)
    assert answer.status_code == status, (path, answer.status_code, answer.text)
    return answer.json()


def fresh():
    browser = requests.Session()
    browser.verify = ca
    return browser


def register(token, password, device, name):
    browser, bearer = fresh(), {"authorization": "Bearer " + token}
    options = post(browser, "/me/passkeys/options", {"password": password}, headers=bearer)
    asked = PublicKeyCredentialCreationOptions.from_dict(options["public_key"])
    made = client(device).make_credential(asked)
    body = {"ceremony": options["ceremony"], "name": name, "credential": dict(made)}
    return post(browser, "/me/passkeys", body, 201, headers=bearer)


def assertion(browser, device, body, origin=console):
    options = post(browser, "/sign-in/passkey/options", body)
    asked = PublicKeyCredentialRequestOptions.from_dict(options["public_key"])
    got = client(device, origin).get_assertion(asked).get_response(0)
    return {"ceremony": options["ceremony"], "credential": dict(got)}


name, password = given["account"]["name"], given["account"]["password"]
token = given["token"]
devices = [Device(algorithm) for algorithm in (-7, -8, -257)]
for device in devices:
    made = register(token, password, device, f"fido2 {device.algorithm}")
    assert made["authenticator"].replace("-", "") == AAGUID.hex(), made
    assert made["attestation"] == "own", made

for device in devices:
    # Alone.
    browser = fresh()
    answer = assertion(browser, device, {})
    done = post(browser, "/sign-in/passkey", answer)
    assert done["state"] == "signed-in" and done["user"]["name"] == name, done
    # The same answer a second time, and from another browser.
    post(browser, "/sign-in/passkey", answer, 401)
    post(fresh(), "/sign-in/passkey", assertion(browser, device, {}), 401)
    # Beside the password.
    browser = fresh()
    step = post(browser, "/sign-in", {"name": name, "password": password})
    assert step["state"] == "second-factor" and "passkey" in step["factors"], step
    answer = assertion(browser, device, {"step": "factor", "challenge": step["challenge"]})
    assert post(browser, "/sign-in/passkey", answer)["state"] == "signed-in"

# A client that lies about where it is, and an authenticator that does not look who touches it.
browser = fresh()
post(browser, "/sign-in/passkey", assertion(browser, devices[0], {}, "https://evil.example"), 401)
devices[0].flags = FLAG.UP
browser = fresh()
post(browser, "/sign-in/passkey", assertion(browser, devices[0], {}), 401)
devices[0].flags = FLAG.UP | FLAG.UV
browser = fresh()
assert post(browser, "/sign-in/passkey", assertion(browser, devices[0], {}))["state"] == "signed-in"
print("done")
