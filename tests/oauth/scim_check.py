"""scim2-client and scim2-tester, which others wrote, against a running demo; then what Entra ID and Okta really send."""

import json
import os
import socket
import ssl
import sys

import httpx2 as httpx
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

given = json.loads(os.environ["GIVEN"])
look_up = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: look_up("127.0.0.1", *rest, **more)
trusted = ssl.create_default_context(cafile=given["ca"])
headers = {"authorization": "Bearer " + given["token"], "accept-language": "en"}
http = httpx.Client(base_url=given["base"], headers=headers, verify=trusted, timeout=30)

# Everything that the tester knows: each attribute of each schema is written, read, patched and removed.
results = check_server(SyncSCIMClient(http))
bad = [r for r in results if r.status not in (Status.SUCCESS, Status.SKIPPED)]
for result in bad:
    print(result.title, result.reason, file=sys.stderr)
counts = {status.name: sum(r.status is status for r in results) for status in Status}
assert not bad and counts["SUCCESS"] > 100, counts

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
MESSAGE = "urn:ietf:params:scim:api:messages:2.0:"


def send(method, path, body=None, status=200, **more):
    fields = {"content-type": "application/scim+json", **more.pop("headers", {})}
    content = None if body is None else json.dumps(body)
    got = http.request(method, given["base"] + path, content=content, headers=fields, **more)
    assert got.status_code == status, f"{method} {path}: {got.status_code} {got.text}"
    return got


def error(got, word):
    body = got.json()
    assert body["schemas"] == [MESSAGE + "Error"] and body["status"] == str(got.status_code), body
    assert body.get("scimType") == word and body["detail"], body


def patch(path, *operations, status=200, **more):
    return send("PATCH", path, {"schemas": [MESSAGE + "PatchOp"], "Operations": list(operations)}, status, **more)


def entra():
    """A provisioning cycle as Entra ID runs it."""
    # Test connection: somebody who is not there.
    empty = send("GET", '/Users?filter=userName eq "0d9a1a2e-not-there"').json()
    assert empty["totalResults"] == 0 and empty["Resources"] == [] and empty["schemas"] == [MESSAGE + "ListResponse"]
    new = {
        "schemas": [USER, ENTERPRISE], "externalId": "58342554", "userName": "hana@entra.example", "active": True,
        "displayName": "花 子", "emails": [{"primary": True, "type": "work", "value": "hana@entra.example"}],
        "meta": {"resourceType": "User"}, "name": {"formatted": "花 子", "familyName": "子", "givenName": "花"}, "roles": [],
        ENTERPRISE: {"employeeNumber": "701984", "department": "Sales"},
    }
    made = send("POST", "/Users", new, 201)
    person = made.json()
    path = "/Users/" + person["id"]
    assert made.headers["location"] == given["base"] + path and made.headers["etag"] == person["meta"]["version"]
    error(send("POST", "/Users", new, 409), "uniqueness")
    found = send("GET", '/Users?filter=userName eq "HANA@entra.example"').json()
    assert [r["id"] for r in found["Resources"]] == [person["id"]]
    patch(
        path,
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "090"},
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "hana2@entra.example"},
        {"op": "Add", "path": ENTERPRISE + ":manager", "value": person["id"]},
        {"op": "Replace", "value": {"displayName": "ハナ", "name.givenName": "ハナ", ENTERPRISE + ":department": "HR"}},
    )
    now = send("GET", path).json()
    assert now["phoneNumbers"] == [{"type": "mobile", "value": "090"}] and now["emails"][0]["value"] == "hana2@entra.example"
    assert now["displayName"] == "ハナ" and now["name"]["givenName"] == "ハナ"
    assert now[ENTERPRISE] == {"employeeNumber": "701984", "department": "HR", "manager": {"value": person["id"]}}
    # A group: made without members, found without them, then filled.
    group = send("POST", "/Groups", {"schemas": [GROUP], "displayName": "Entra", "externalId": "g1"}, 201).json()
    at = "/Groups/" + group["id"]
    one = {"op": "Add", "path": "members", "value": [{"$ref": None, "value": person["id"]}]}
    patch(at, one, status=204)
    found = send("GET", '/Groups?excludedAttributes=members&filter=displayName eq "entra"').json()
    assert len(found["Resources"]) == 1 and "members" not in found["Resources"][0]
    member = send("GET", f'/Groups?filter=id eq "{group["id"]}" and members eq "{person["id"]}"').json()
    assert member["totalResults"] == 1
    assert send("GET", path).json()["groups"][0]["value"] == group["id"]
    patch(at, {**one, "op": "Remove"}, status=204)
    assert "members" not in send("GET", at).json()
    off = patch(path, {"op": "Replace", "path": "active", "value": "False"}).json()
    assert off["active"] is False
    send("DELETE", path, status=204)
    error(send("GET", path, status=404), None)


def okta():
    """What Okta does: PUT of whole resources, pages from 1, deactivation without a path."""
    new = {
        "schemas": [USER], "userName": "ken@okta.example", "name": {"givenName": "Ken", "familyName": "Ito"}, "locale": "ja-JP",
        "emails": [{"primary": True, "value": "ken@okta.example", "type": "work"}], "displayName": "Ken Ito", "groups": [],
        "externalId": "00ujl29u0le5T6Aj10h7", "password": "1mz050nq", "active": True,
    }
    person = send("POST", "/Users", new, 201).json()
    assert "password" not in person
    path = "/Users/" + person["id"]
    page = send("GET", "/Users?startIndex=1&count=2").json()
    assert page["itemsPerPage"] == 2 and page["totalResults"] >= 4 and page["startIndex"] == 1
    again = send("GET", f"/Users?startIndex=3&count=200").json()
    assert again["itemsPerPage"] == page["totalResults"] - 2
    replaced = send("PUT", path, {**person, "title": "Boss"}).json()
    assert replaced["title"] == "Boss" and replaced["externalId"] == new["externalId"]
    off = patch(path, {"op": "replace", "value": {"active": False}}).json()
    assert off["active"] is False
    group = send("POST", "/Groups", {"schemas": [GROUP], "displayName": "Okta", "members": [{"value": person["id"], "display": "ken"}]}, 201)
    group = group.json()
    patch("/Groups/" + group["id"], {"op": "replace", "value": {"id": group["id"], "displayName": "Okta 2"}}, status=204)
    kept = send("GET", "/Groups/" + group["id"]).json()
    assert kept["displayName"] == "Okta 2" and kept["members"][0]["value"] == person["id"]
    send("DELETE", "/Groups/" + group["id"], status=204)
    send("DELETE", path, status=204)


def versions():
    person = send("POST", "/Users", {"schemas": [USER], "userName": "versions"}, 201)
    path, etag = "/Users/" + person.json()["id"], person.headers["etag"]
    assert send("GET", path, status=304, headers={"if-none-match": etag}).text == ""
    title = {"op": "replace", "path": "title", "value": "x"}
    new = patch(path, title, headers={"if-match": etag}).headers["etag"]
    error(patch(path, title, status=412, headers={"if-match": etag}), None)
    send("DELETE", path, status=412, headers={"if-match": etag})
    send("GET", path, headers={"if-none-match": etag})
    send("DELETE", path, status=204, headers={"if-match": new})


def bulk():
    operation = lambda n, **more: {"method": "POST", "path": "/Users", "bulkId": n, "data": {"schemas": [USER], "userName": n, **more}}
    group = {
        "method": "POST", "path": "/Groups", "bulkId": "g",
        "data": {"schemas": [GROUP], "displayName": "bulk", "members": [{"value": "bulkId:b0"}, {"value": "bulkId:b9"}]},
    }
    people = [operation(f"b{n}") for n in range(10)]
    body = {"schemas": [MESSAGE + "BulkRequest"], "Operations": [group, *people, operation("b0x", userName="b0")]}
    done = send("POST", "/Bulk", body).json()
    assert done["schemas"] == [MESSAGE + "BulkResponse"]
    assert [o["status"] for o in done["Operations"]] == ["201"] * 11 + ["409"], done
    assert done["Operations"][-1]["response"]["scimType"] == "uniqueness"
    made = {o["bulkId"]: o["location"].rsplit("/", 1)[-1] for o in done["Operations"] if o["status"] == "201"}
    members = send("GET", "/Groups/" + made["g"]).json()["members"]
    assert sorted(m["value"] for m in members) == sorted([made["b0"], made["b9"]])
    # Two that wait for each other, and a stop at the first error.
    circle = [{**group, "bulkId": n, "data": {"displayName": n, "members": [{"value": "bulkId:" + other}]}} for n, other in ("xy", "yx")]
    done = send("POST", "/Bulk", {"Operations": circle}).json()
    assert [o["status"] for o in done["Operations"]] == ["409", "409"], done
    wrong = {"method": "DELETE", "path": "/Users/usr_00000000000000000000000000000000"}
    gone = [{"method": "DELETE", "path": "/Users/" + made[f"b{n}"]} for n in range(10)] + [{"method": "DELETE", "path": "/Groups/" + made["g"]}]
    done = send("POST", "/Bulk", {"failOnErrors": 1, "Operations": [wrong, *gone]}).json()
    assert [o["status"] for o in done["Operations"]] == ["404"], done
    done = send("POST", "/Bulk", {"Operations": gone}).json()
    assert {o["status"] for o in done["Operations"]} == {"204"}, done
    error(send("POST", "/Bulk", {"Operations": []}, 400), "invalidSyntax")
    error(send("POST", "/Bulk", {"Operations": [wrong] * 1001}, 413), None)


def refusals():
    error(send("GET", "/Users?filter=userName like 1", status=400), "invalidFilter")
    error(send("GET", "/Users?sortBy=shoe", status=400), "invalidPath")
    error(send("POST", "/Users", {"schemas": ["urn:x"], "userName": "x"}, 400), "invalidSyntax")
    error(send("POST", "/Users", {"schemas": [USER], "userName": 5}, 400), "invalidValue")
    error(send("POST", "/Users", {"schemas": [USER], "userName": "x", "emails": [{"value": "no"}]}, 400), "invalidValue")
    error(send("POST", "/Users", {"schemas": [USER]}, 400), "invalidValue")
    me = send("GET", "/Users?filter=userName eq \"admin\"").json()["Resources"][0]
    path = "/Users/" + me["id"]
    error(patch(path, {"op": "replace", "path": "id", "value": "x"}, status=400), "mutability")
    error(patch(path, {"op": "replace", "path": "shoe", "value": "x"}, status=400), "invalidPath")
    error(patch(path, {"op": "replace", "path": 'emails[type eq "x"].value', "value": "x"}, status=400), "noTarget")
    error(patch(path, {"op": "replace", "path": "userName", "value": "mine"}, status=403), None)
    error(send("DELETE", path, status=409), None)
    error(send("PUT", "/Users", {}, 405), None)
    error(send("GET", "/Me", status=501), None)
    stranger = httpx.Client(verify=trusted)
    for other in ({}, {"authorization": "Bearer x"}, {"authorization": "Bearer skt_" + "A" * 43}, {"cookie": "__Host-sekisho=" + given["session"]}):
        got = stranger.get(given["base"] + "/Users", headers=other)
        assert got.status_code == 401 and got.headers["www-authenticate"] == "Bearer", got.text
    got = http.post(given["base"] + "/Users", content="{", headers={"content-type": "application/scim+json"})
    assert got.status_code == 400, got.text
    got = http.post(given["base"] + "/Users", content="userName=x", headers={"content-type": "application/x-www-form-urlencoded"})
    assert got.status_code == 400, got.text


for part in (entra, okta, versions, bulk, refusals):
    part()
print(json.dumps(counts))
