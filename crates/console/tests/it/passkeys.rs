//! Passkeys over HTTP, by the API and by the pages' forms, with an authenticator in software.

use sekisho_testkit::{Authenticator, Twist};
use serde_json::{Value, json};

use crate::house::{Client, House, PASSWORD};

async fn register(client: &Client<'_>, key: &mut Authenticator, name: &str) -> Value {
    let options = client.json("POST", "/api/v1/me/passkeys/options", &json!({ "password": PASSWORD })).await;
    assert_eq!(options.status, 200, "{}", options.text);
    let made = key.create(&options.body["public_key"], &client.origin());
    let body = json!({ "ceremony": options.body["ceremony"], "name": name, "credential": made });
    let answer = client.json("POST", "/api/v1/me/passkeys", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.body
}

async fn assertion(client: &Client<'_>, key: &mut Authenticator, step: &Value) -> Value {
    let options = client.json("POST", "/api/v1/sign-in/passkey/options", step).await;
    assert_eq!(options.status, 200, "{}", options.text);
    let used = key.get(&options.body["public_key"], &client.origin());
    json!({ "ceremony": options.body["ceremony"], "credential": used })
}

#[tokio::test]
async fn the_api_registers_signs_in_renames_and_removes() {
    let house = House::new().await;
    let admin = house.admin().await;
    let mut key = Authenticator::default();
    let made = register(&admin, &mut key, "鍵束").await;
    assert_eq!(made["recovery_codes"].as_array().map(Vec::len), Some(10));
    assert_eq!(made["authenticator"], "00000000-0000-0000-0000-000000000000");
    let path = format!("/api/v1/me/passkeys/{}", made["id"].as_str().expect("an id"));

    let browser = house.at("acme");
    let body = assertion(&browser, &mut key, &json!({})).await;
    let (signed_in, entries) = house.entries(browser.json("POST", "/api/v1/sign-in/passkey", &body)).await;
    assert_eq!((signed_in.status, &signed_in.body["state"]), (200, &json!("signed-in")), "{}", signed_in.text);
    assert_eq!(entries, ["session.sign_in success"]);
    let again = browser.json("POST", "/api/v1/sign-in/passkey", &body).await;
    assert_eq!((again.status, &again.body["code"]), (401, &json!("SK-4002")), "{}", again.text);

    // Without the cookie that came with the options: another browser.
    let body = assertion(&house.at("acme"), &mut key, &json!({})).await;
    let elsewhere = house.at("acme").json("POST", "/api/v1/sign-in/passkey", &body).await;
    assert_eq!((elsewhere.status, &elsewhere.body["code"]), (401, &json!("SK-4002")), "{}", elsewhere.text);
    // At another organisation's console.
    let other = house.at("globex").json("POST", "/api/v1/sign-in/passkey", &body).await;
    assert_eq!(other.status, 401, "{}", other.text);

    // Beside the password.
    let browser = house.at("acme");
    let step = browser.json("POST", "/api/v1/sign-in", &json!({ "name": "admin", "password": PASSWORD })).await;
    assert_eq!(step.body["factors"], json!(["passkey", "recovery-code"]), "{}", step.text);
    let body = assertion(&browser, &mut key, &json!({ "step": "factor", "challenge": step.body["challenge"] })).await;
    let signed_in = browser.json("POST", "/api/v1/sign-in/passkey", &body).await;
    assert_eq!(signed_in.body["state"], "signed-in", "{}", signed_in.text);
    let missing = house.at("acme").json("POST", "/api/v1/sign-in/passkey/options", &json!({ "step": "factor" })).await;
    assert_eq!((missing.status, &missing.body["place"]), (400, &json!("challenge")), "{}", missing.text);

    let listed = admin.get("/api/v1/me/passkeys").await;
    assert_eq!(listed.body["items"][0]["name"], "鍵束", "{}", listed.text);
    assert_eq!(admin.json("PATCH", &path, &json!({ "name": "x" })).await.status, 428);
    let renamed = admin.json_with("PATCH", &path, &json!({ "name": "Ring" }), &[("if-match", "\"1\"")]).await;
    assert_eq!((renamed.status, renamed.header("etag")), (200, "\"2\""), "{}", renamed.text);
    assert_eq!(admin.json("DELETE", &path, &json!({ "password": "wrong" })).await.status, 403);
    let options = admin.json("POST", "/api/v1/me/reauthenticate/passkey/options", &json!({})).await;
    let used = key.get(&options.body["public_key"], &admin.origin());
    let body = json!({ "ceremony": options.body["ceremony"], "credential": used });
    let proof = admin.json("POST", "/api/v1/me/reauthenticate/passkey", &body).await;
    assert_eq!(proof.status, 200, "{}", proof.text);
    let removed = admin.json("DELETE", &path, &json!({ "password": proof.body["proof"] })).await;
    assert_eq!(removed.status, 204, "{}", removed.text);
}

#[tokio::test]
async fn the_pages_do_what_the_api_does() {
    let house = House::new().await;
    let admin = house.admin().await;
    let client = house.at("acme").with("accept-language", "en");
    let done = client.form("/sign-in", "/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await;
    assert_eq!(done.header("location"), "/", "{}", done.text);
    let mut key = Authenticator::default();
    let csrf = client.get("/account").await.csrf();
    let asked = json!({ "password": PASSWORD });
    let forged = client.json("POST", "/api/v1/me/passkeys/options", &asked).await;
    assert_eq!(forged.status, 403, "the script gives the page's own value: {}", forged.text);
    let with = [("x-csrf-token", csrf.as_str())];
    let options = client.json_with("POST", "/api/v1/me/passkeys/options", &asked, &with).await;
    let made = key.create(&options.body["public_key"], &client.origin()).to_string();
    let ceremony = options.body["ceremony"].as_str().expect("one").to_owned();
    let fields = [("ceremony", ceremony.as_str()), ("credential", made.as_str()), ("name", "Key ring")];
    let page = client.form("/account", "/account/passkeys", &fields).await;
    assert!(page.status == 200 && page.text.contains("id=\"codes\""), "{} {}", page.status, page.text);
    let page = client.form("/account", "/account/passkeys", &fields).await;
    assert!(page.status == 409 && page.text.contains("SK-4074"), "{} {}", page.status, page.text);
    assert!(client.get("/account").await.text.contains("Key ring"));

    // The page of the second factor offers what there is; its challenge is in a cookie that the script cannot read.
    let client = house.at("acme").with("accept-language", "en");
    let step = client.form("/sign-in", "/sign-in", &[("name", "admin"), ("password", PASSWORD)]).await;
    assert_eq!(step.header("location"), "/sign-in/factor", "{}", step.text);
    let page = client.get("/sign-in/factor").await;
    assert!(page.text.contains("/sign-in/passkey") && !page.text.contains("one-time-code"), "{}", page.text);
    let answer = assertion(&client, &mut key, &json!({ "step": "factor" })).await;
    let credential = answer["credential"].to_string();
    let fields = [("ceremony", answer["ceremony"].as_str().expect("one")), ("credential", credential.as_str())];
    let done = client.form("/sign-in/factor", "/sign-in/passkey", &fields).await;
    assert_eq!((done.status, done.header("location")), (303, "/"), "{}", done.text);

    // A wrong one comes back to the sign-in page with the one message.
    let client = house.at("acme").with("accept-language", "en");
    let options = client.json("POST", "/api/v1/sign-in/passkey/options", &json!({})).await;
    let twist = Twist { spoilt: true, ..Twist::default() };
    let wrong = key.get_with(&options.body["public_key"], &client.origin(), &twist).to_string();
    let fields = [("ceremony", options.body["ceremony"].as_str().expect("one")), ("credential", wrong.as_str())];
    let page = client.form("/sign-in", "/sign-in/passkey", &fields).await;
    assert!(page.status == 401 && page.text.contains("SK-4001"), "{} {}", page.status, page.text);
    let broken = [("ceremony", "x"), ("credential", "{")];
    let page = client.form("/sign-in", "/sign-in/passkey", &broken).await;
    assert!(page.status == 400 && page.text.contains("SK-6001"), "{} {}", page.status, page.text);

    let listed = admin.get("/api/v1/me/passkeys").await;
    let path = format!("/account/passkeys/{}", listed.body["items"][0]["id"].as_str().expect("an id"));
    let client = house.at("acme").with("accept-language", "en");
    let answer = assertion(&client, &mut key, &json!({})).await;
    let credential = answer["credential"].to_string();
    let fields = [("ceremony", answer["ceremony"].as_str().expect("one")), ("credential", credential.as_str())];
    assert_eq!(client.form("/sign-in", "/sign-in/passkey", &fields).await.header("location"), "/");
    let done = client.form("/account", &path, &[("version", "1"), ("name", "Old ring")]).await;
    assert_eq!(done.header("location"), "/account?done=saved", "{}", done.text);
    let page = client.form("/account", &path, &[("version", "2"), ("name", "")]).await;
    assert!(page.status == 400 && page.text.contains("-name-fault"), "{}", page.text);
    let done = client.form("/account", &format!("{path}/delete"), &[("password", PASSWORD)]).await;
    assert_eq!(done.header("location"), "/account?done=passkey-removed", "{}", done.text);
}
