use serde_json::json;

use super::*;
use crate::{
    problems::SCIM_VALUE,
    scim::schema::{ENTERPRISE_URI, GROUPS, USERS},
};

fn person() -> Value {
    json!({
        "id": "usr_1", "userName": "taro", "active": true, "title": "Manager",
        "name": {"familyName": "山田", "givenName": "太郎"},
        "emails": [{"value": "w@example.jp", "type": "work", "primary": true}, {"value": "h@example.jp", "type": "home"}],
        ENTERPRISE_URI: {"department": "QA", "costCenter": "1"},
    })
}

fn patched_as(of: &'static ResourceType, from: Value, operations: Value) -> Answer<(Value, String)> {
    let mut resource = from.as_object().cloned().expect("an object");
    let mut ignored = Ignored::default();
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    apply(of, &mut resource, &super::operations(of, &body)?, &mut ignored)?;
    Ok((Value::Object(resource), ignored.names()))
}

fn patched(operations: Value) -> Value {
    patched_as(&USERS, person(), operations.clone()).unwrap_or_else(|p| panic!("{operations}: {p}")).0
}

fn refused(operations: Value) -> Problem {
    patched_as(&USERS, person(), operations).expect_err("refused")
}

#[test]
fn single_values_are_added_replaced_and_removed() {
    assert_eq!(patched(json!([{"op": "replace", "path": "title", "value": "Boss"}]))["title"], "Boss");
    assert_eq!(patched(json!([{"op": "add", "path": "nickName", "value": "T"}]))["nickName"], "T");
    assert_eq!(patched(json!([{"op": "remove", "path": "title"}])).get("title"), None);
    assert_eq!(patched(json!([{"op": "replace", "path": "title", "value": null}])).get("title"), None);
    assert_eq!(
        patched(json!([{"op": "replace", "path": "name.givenName", "value": "次郎"}]))["name"],
        json!({
            "familyName": "山田", "givenName": "次郎",
        })
    );
    // Sub-attributes that are not named stay (RFC 7644 §3.5.2.3).
    let name = json!([{"op": "replace", "path": "name", "value": {"givenName": "次郎"}}]);
    assert_eq!(patched(name)["name"]["familyName"], "山田");
    assert_eq!(patched(json!([{"op": "remove", "path": "name.givenName"}]))["name"], json!({"familyName": "山田"}));
    assert_eq!(patched(json!([{"op": "remove", "path": "name"}])).get("name"), None);
}

#[test]
fn extensions_are_changed_by_their_uri() {
    let department = format!("{ENTERPRISE_URI}:department");
    assert_eq!(
        patched(json!([{"op": "replace", "path": department, "value": "HR"}]))[ENTERPRISE_URI]["department"],
        "HR"
    );
    assert_eq!(patched(json!([{"op": "remove", "path": department}]))[ENTERPRISE_URI], json!({"costCenter": "1"}));
    assert_eq!(patched(json!([{"op": "remove", "path": ENTERPRISE_URI}])).get(ENTERPRISE_URI), None);
    let both =
        json!([{"op": "add", "path": ENTERPRISE_URI, "value": {"division": "D", "manager": {"value": "usr_9"}}}]);
    let now = patched(both);
    assert_eq!(now[ENTERPRISE_URI]["division"], "D");
    assert_eq!(now[ENTERPRISE_URI]["department"], "QA");
    // The manager alone, as Entra ID writes it.
    let manager = json!([{"op": "Add", "path": format!("{ENTERPRISE_URI}:manager"), "value": "usr_9"}]);
    assert_eq!(patched(manager)[ENTERPRISE_URI]["manager"], json!({"value": "usr_9"}));
}

#[test]
fn several_values() {
    let add = |value: Value| patched(json!([{"op": "add", "path": "emails", "value": value}]))["emails"].clone();
    assert_eq!(add(json!([{"value": "x@example.jp", "type": "other"}])).as_array().map(Vec::len), Some(3));
    assert_eq!(add(json!({"value": "w@example.jp", "type": "work", "display": "d"})).as_array().map(Vec::len), Some(2));
    // One that becomes the preferred one ends the other's preference.
    let now = add(json!([{"value": "x@example.jp", "type": "other", "primary": true}]));
    assert_eq!((&now[0]["primary"], &now[2]["primary"]), (&json!(false), &json!(true)));
    let now = patched(json!([{"op": "replace", "path": "emails", "value": [{"value": "n@example.jp"}]}]));
    assert_eq!(now["emails"], json!([{"value": "n@example.jp"}]));
    let now =
        patched(json!([{"op": "remove", "path": "emails", "value": [{"value": "h@example.jp", "type": "home"}]}]));
    assert_eq!(now["emails"].as_array().map(Vec::len), Some(1));
    assert_eq!(patched(json!([{"op": "remove", "path": "emails"}])).get("emails"), None);
}

#[test]
fn values_that_a_filter_chooses() {
    let work = |rest: Value| patched(json!([rest]))["emails"].clone();
    assert_eq!(
        work(json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "n@example.jp"}))[0],
        json!({"value": "n@example.jp", "type": "work", "primary": true})
    );
    assert_eq!(
        work(
            json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": {"value": "n@example.jp", "type": "work"}})
        )[0],
        json!({"value": "n@example.jp", "type": "work"})
    );
    let now = work(json!({"op": "replace", "path": "emails[type eq \"home\"].primary", "value": "True"}));
    assert_eq!((&now[0]["primary"], &now[1]["primary"]), (&json!(false), &json!(true)));
    assert_eq!(work(json!({"op": "remove", "path": "emails[type eq \"home\"]"})).as_array().map(Vec::len), Some(1));
    // What has lost its value is gone.
    assert_eq!(
        work(json!({"op": "remove", "path": "emails[type eq \"home\"].value"})).as_array().map(Vec::len),
        Some(1)
    );
    // Entra ID adds a value that is not there yet by what its filter says.
    let now = patched(json!([{"op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "090"}]));
    assert_eq!(now["phoneNumbers"], json!([{"type": "mobile", "value": "090"}]));
    assert!(
        refused(json!([{"op": "replace", "path": "emails[type eq \"x\"].value", "value": "a"}])).is(&SCIM_NO_TARGET)
    );
    assert!(refused(json!([{"op": "add", "path": "emails[value co \"zz\"].type", "value": "a"}])).is(&SCIM_NO_TARGET));
    // To remove what is not there changes nothing.
    assert_eq!(patched(json!([{"op": "remove", "path": "emails[type eq \"x\"]"}])), person());
}

#[test]
fn without_a_path_the_value_says_where() {
    let now = patched(json!([{"op": "Replace", "value": {
        "active": "False", "displayName": "T", "name.givenName": "次郎", "emails[type eq \"work\"].value": "n@example.jp",
        format!("{ENTERPRISE_URI}:department"): "HR", "id": "usr_2", "meta": {}, "groups": [],
        "schemas": ["urn:x"],
    }}]));
    assert_eq!(now["active"], false);
    assert_eq!(now["displayName"], "T");
    assert_eq!(now["name"]["givenName"], "次郎");
    assert_eq!(now["emails"][0]["value"], "n@example.jp");
    assert_eq!(now[ENTERPRISE_URI]["department"], "HR");
    assert_eq!(now["id"], "usr_1");
    let (now, ignored) = patched_as(
        &USERS,
        person(),
        json!([{"op": "add", "value": {"shoeSize": 27, ENTERPRISE_URI: {"division": "D", "cat": 1}}}]),
    )
    .unwrap();
    assert_eq!(now[ENTERPRISE_URI]["division"], "D");
    let mut names: Vec<&str> = ignored.split(' ').collect();
    names.sort_unstable();
    assert_eq!(names, ["cat", "shoeSize"]);
}

#[test]
fn other_houses_ways_of_writing() {
    let now = patched(json!([{"op": "REPLACE", "path": "displayName", "value": [{"$ref": null, "value": "T"}]}]));
    assert_eq!(now["displayName"], "T");
    let mut resource = person().as_object().cloned().unwrap();
    let body = json!({"operations": [{"OP": "add", "PATH": "title", "VALUE": "x"}]});
    apply(&USERS, &mut resource, &operations(&USERS, &body).unwrap(), &mut Ignored::default()).unwrap();
    assert_eq!(resource["title"], "x");
}

#[test]
fn members_come_and_go() {
    let group = json!({"displayName": "g", "members": [{"value": "usr_1", "type": "User"}, {"value": "usr_2"}]});
    let now = |operations: Value| {
        let (now, _) = patched_as(&GROUPS, group.clone(), operations).unwrap();
        let list = now.get("members").and_then(Value::as_array).cloned().unwrap_or_default();
        list.iter().map(|m| m["value"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        now(json!([{"op": "Add", "path": "members", "value": [{"value": "usr_3"}, {"value": "usr_1"}]}])),
        ["usr_1", "usr_2", "usr_3"]
    );
    assert_eq!(
        now(json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "usr_1"}]}])),
        ["usr_2"]
    );
    assert_eq!(now(json!([{"op": "remove", "path": "members[value eq \"usr_2\"]"}])), ["usr_1"]);
    assert_eq!(now(json!([{"op": "remove", "path": "members"}])), [""; 0]);
    assert_eq!(now(json!([{"op": "replace", "path": "members", "value": [{"value": "usr_9"}]}])), ["usr_9"]);
    assert_eq!(now(json!([{"op": "replace", "value": {"id": "x", "members": [{"value": "usr_9"}]}}])), ["usr_9"]);
}

#[test]
fn what_must_not_be_is_refused() {
    for (operation, kind) in [
        (json!({"op": "replace", "path": "id", "value": "x"}), &SCIM_MUTABILITY),
        (json!({"op": "add", "path": "groups", "value": [{"value": "g"}]}), &SCIM_MUTABILITY),
        (json!({"op": "replace", "path": "meta.created", "value": "x"}), &SCIM_MUTABILITY),
        (json!({"op": "remove", "path": "userName"}), &SCIM_MUTABILITY),
        (json!({"op": "replace", "path": "userName", "value": null}), &SCIM_MUTABILITY),
        (json!({"op": "remove", "path": "active"}), &SCIM_MUTABILITY),
        (json!({"op": "remove"}), &SCIM_NO_TARGET),
        (json!({"op": "replace", "path": "shoe", "value": 1}), &SCIM_PATH),
        (json!({"op": "replace", "path": 5, "value": 1}), &SCIM_PATH),
        (json!({"op": "replace", "path": "name[givenName eq \"x\"]", "value": {}}), &SCIM_PATH),
        (json!({"op": "replace", "path": "title", "value": {"a": 1}}), &SCIM_VALUE),
        (json!({"op": "replace", "path": "active", "value": "perhaps"}), &SCIM_VALUE),
        (json!({"op": "move", "path": "title"}), &SCIM_SYNTAX),
        (json!({"op": "add", "value": "x"}), &SCIM_SYNTAX),
        (json!("add"), &SCIM_SYNTAX),
    ] {
        let problem = refused(json!([operation]));
        assert!(problem.is(kind), "{operation}: {problem}");
    }
    assert!(operations(&USERS, &json!({})).is_err());
    assert!(operations(&USERS, &json!({"Operations": []})).is_err());
    let many = vec![json!({"op": "remove", "path": "title"}); 1_001];
    assert!(operations(&USERS, &json!({ "Operations": many })).is_err());
}

proptest::proptest! {
    #[test]
    fn any_operations_end_without_a_panic(list in proptest::collection::vec(
        (
            proptest::sample::select(vec!["add", "remove", "replace"]),
            proptest::sample::select(vec![
                "emails", "emails.value", "emails[type eq \"work\"]", "emails[primary eq true].type", "name", "name.givenName",
                "active", "members", ENTERPRISE_URI, "title", "addresses.street", "addresses[type eq \"x\"].locality",
            ]),
            proptest::sample::select(vec![
                json!(null), json!("x"), json!(true), json!([]), json!({}), json!([{"value": "a", "primary": true}]),
                json!({"value": "a"}), json!([[]]), json!([null]), json!({"type": "work"}), json!([{"primary": "true"}]),
            ]),
        ),
        0..6,
    )) {
        let mut resource = person().as_object().cloned().expect("an object");
        for (op, path, value) in list {
            let body = json!({"Operations": [{"op": op, "path": path, "value": value}]});
            if let Ok(operations) = operations(&USERS, &body) {
                let _ = apply(&USERS, &mut resource, &operations, &mut Ignored::default());
            }
        }
        // What stands there would be taken again.
        let again = value::resource(&USERS, &Value::Object(resource), &mut Ignored::default());
        proptest::prop_assert!(again.is_ok(), "{again:?}");
    }
}
