//! SAML messages, which any stranger may bring: what pysaml2 has signed is believed, and nothing that was touched since says
//! anything else.

use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::{Secret, Time, percent::encode};
use sekisho_saml::{
    Certificate, Credential, IdentityProvider, LogoutMessage, Pending, Received, Rules, ServiceProvider, Signed,
};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../saml/tests/fixtures/", $name))
    };
}

const SP: &str = "https://sp.example.test/saml";

struct Sides {
    sp: ServiceProvider,
    idp: IdentityProvider,
    now: Time,
}

fn sides() -> Sides {
    let own = || {
        let secret = Secret::new(STANDARD.decode(fixture!("sp.pk8.b64").trim()).expect("base64"));
        Credential::new(&secret, Certificate::from_base64(fixture!("sp.crt.b64")).expect("it is one")).expect("a pair")
    };
    let (acs, slo) = (format!("{SP}/acs"), format!("{SP}/slo"));
    let now = Time::parse_rfc3339(fixture!("now").trim()).expect("a moment").plus(std::time::Duration::from_secs(5));
    Sides {
        sp: ServiceProvider::new(SP, &acs, Some(&slo), vec![own()], vec![own()]).expect("a service"),
        idp: IdentityProvider::read(fixture!("idp-metadata.xml").as_bytes(), &[], now).expect("a provider"),
        now,
    }
}

thread_local! {
    static SIDES: Sides = sides();
}

/// A response, a logout message or metadata: whatever the bytes are.
pub fn message(input: &[u8]) {
    SIDES.with(|Sides { sp, idp, now }| {
        let field = STANDARD.encode(input);
        let pending = |id: &str| Pending {
            id: id.to_owned(),
            issuer: idp.entity_id.clone(),
            acs: sp.acs().to_owned(),
            issued: *now,
            until: now.plus(std::time::Duration::from_secs(60)),
            force: false,
            relay_state: None,
        };
        for signed in [Signed::Assertion, Signed::Response] {
            let Ok(received) = Received::read(&field, None) else { continue };
            let asked = received.in_response_to().map(pending);
            let rules = Rules { signed, unsolicited: true, ..Rules::default() };
            if let Ok(accepted) = received.accept(sp, idp, asked.as_ref(), &rules, *now) {
                let said = accepted.first_use(true).expect("it is new");
                assert!(NAMES.contains(&said.name_id.value.as_str()), "somebody else: {}", said.name_id.value);
            }
        }
        let _ = IdentityProvider::read(input, &[], *now);
        let posted = LogoutMessage::Post { field: &field, relay_state: None };
        let text = String::from_utf8_lossy(input);
        for message in [posted, LogoutMessage::Redirect(&text)] {
            if let Ok(request) = sp.logout_request(idp, message, &Rules::default(), *now) {
                assert!(NAMES.contains(&request.name_id.value.as_str()), "somebody else: {}", request.name_id.value);
            }
        }
    });
}

/// Whom the fixtures name.
const NAMES: [&str; 1] = ["yamada-7f3a"];

/// Well-formed examples.
pub fn seeds(put: fn(&str, &str, &[u8])) {
    for (name, text) in [
        ("assertion-signed", fixture!("response-assertion-signed.xml")),
        ("both-signed", fixture!("response-both-signed.xml")),
        ("response-signed", fixture!("response-signed.xml")),
        ("unsigned", fixture!("response-unsigned.xml")),
        ("sha1", fixture!("response-sha1.xml")),
        ("encrypted", fixture!("response-encrypted-gcm256.xml")),
        ("metadata", fixture!("idp-metadata.xml")),
        ("logout", fixture!("logout-request.xml")),
        ("logout-query", fixture!("logout-request.query")),
        ("logout-encrypted", fixture!("logout-request-encrypted.xml")),
        ("logout-encrypted-query", fixture!("logout-request-encrypted.query")),
    ] {
        put("saml", name, text.as_bytes());
    }
    let page = |name: &str, line: &str, more: &str, body: &str| {
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {{console}}\r\nCookie: {{cookie}}\r\nAccept: text/html\r\n{more}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {{length}}\r\nConnection: close\r\n\r\n{body}"
        );
        put("form", name, head.as_bytes());
    };
    let across = "Origin: https://idp.example.test\r\nSec-Fetch-Site: cross-site\r\n";
    let own = "Origin: https://{console}\r\nSec-Fetch-Site: same-origin\r\n";
    let answer = encode(&STANDARD.encode(fixture!("response-assertion-signed.xml")));
    page("saml-answer", "POST /saml/acs", across, &format!("SAMLResponse={answer}&RelayState=AAAAAAAAAAAAAAAAAAAAAA"));
    let wish = encode(&STANDARD.encode(fixture!("logout-request.xml")));
    page("saml-logout", "POST /saml/slo", across, &format!("SAMLRequest={wish}&RelayState=x"));
    let done = encode(&STANDARD.encode(fixture!("logout-response.xml")));
    page("saml-logged-out", "POST /saml/slo", across, &format!("SAMLResponse={done}"));
    page("saml-logout-query", &format!("GET /saml/slo?{}", fixture!("logout-request.query").trim()), across, "");
    page("saml-logged-out-query", &format!("GET /saml/slo?{}", fixture!("logout-response.query").trim()), across, "");
    let key = "smk_01a203baed7576b7ae94e9addb9a46de";
    page("saml-key", "POST /saml-keys", own, "csrf={csrf}");
    page("saml-key-switch", &format!("POST /saml-keys/{key}/switch"), own, "csrf={csrf}");
    page("saml-key-retire", &format!("POST /saml-keys/{key}/retire"), own, "csrf={csrf}");
    page("saml-metadata", "GET /saml/metadata", own, "");
    let metadata = encode(&STANDARD.encode(fixture!("idp-metadata.xml")));
    page(
        "saml-provider",
        "POST /saml-providers",
        own,
        &format!("csrf={{csrf}}&name=%3Cfuzz%3E&metadata_url=&metadata={metadata}"),
    );
    page(
        "saml-load",
        "POST /providers/idp_01a203baed7576b7ae94e9addb9a46de/metadata",
        own,
        &format!("csrf={{csrf}}&version=1&metadata_url=https%3A%2F%2Fidp.example.test%2Fm&metadata={metadata}"),
    );
    let body = serde_json::json!({ "name": "saml", "metadata": STANDARD.encode(fixture!("idp-metadata.xml")) });
    let head = format!(
        "POST /api/v1/saml-providers HTTP/1.1\r\nHost: {{console}}\r\nAuthorization: Bearer {{token}}\r\n\
         Content-Type: application/json\r\nContent-Length: {{length}}\r\nConnection: close\r\n\r\n{body}"
    );
    put("api", "createSamlProvider", head.as_bytes());
    for (name, line, body) in [
        ("listSamlKeys", "GET /api/v1/saml-keys".to_owned(), ""),
        ("prepareSamlKey", "POST /api/v1/saml-keys".to_owned(), "{}"),
        ("switchSamlKey", format!("POST /api/v1/saml-keys/{key}/switch"), "{}"),
        ("retireSamlKey", format!("DELETE /api/v1/saml-keys/{key}"), ""),
    ] {
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {{console}}\r\nAuthorization: Bearer {{token}}\r\nContent-Type: application/json\r\n\
             Content-Length: {{length}}\r\nConnection: close\r\n\r\n{body}"
        );
        put("api", name, head.as_bytes());
    }
}
