//! One side of a conversation with an identity provider that is not ours: tests/saml drives it.
//!
//! `counterpart KEYS METADATA COMMAND …`: KEYS holds `sp.pk8.b64` and `sp.crt.b64`, METADATA is the provider's. Long values come on
//! standard input. Answers are one line of JSON each.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for tests")]

use std::{
    io::Read,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::{Clock, Secret, SystemClock, SystemRng};
use sekisho_saml::{
    Ask, Binding, Certificate, Credential, EndSession, IdentityProvider, LogoutMessage, NameId, Outgoing, Pending,
    PendingLogout, Received, Rules, ServiceProvider, fresh_id,
};
use serde_json::{Value, json};

fn out(message: &Outgoing) -> Value {
    match message {
        Outgoing::Redirect(address) => json!({ "address": address }),
        Outgoing::Post { action, fields } => {
            let fields: serde_json::Map<String, Value> =
                fields.iter().map(|(n, v)| ((*n).to_owned(), json!(v))).collect();
            json!({ "action": action, "fields": fields })
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let [keys, metadata, command, rest @ ..] = words.as_slice() else { panic!("KEYS METADATA COMMAND") };
    let own = || {
        let read = |name: &str| std::fs::read_to_string(format!("{keys}/{name}")).unwrap();
        let secret = Secret::new(STANDARD.decode(read("sp.pk8.b64")).unwrap());
        Credential::new(&secret, Certificate::from_base64(&read("sp.crt.b64")).unwrap()).unwrap()
    };
    let base = "https://sp.example.test/saml";
    let (acs, slo) = (format!("{base}/acs"), format!("{base}/slo"));
    let sp = ServiceProvider::new(base, &acs, Some(&slo), vec![own()], vec![own()]).unwrap();
    let now = SystemClock.now();
    if *command == "metadata" {
        println!("{}", sp.metadata(&fresh_id(&SystemRng), now.plus(Duration::from_secs(86_400))).unwrap());
        return;
    }
    let idp = IdentityProvider::read(&std::fs::read(metadata).unwrap(), &[], now).unwrap();
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).unwrap();
    let rules = Rules::default();
    let refused = |problem: sekisho_kernel::Problem| json!({ "refused": problem.to_string() });
    let answer = match (*command, rest) {
        ("request", [binding, state]) => {
            let binding = if *binding == "post" { Binding::Post } else { Binding::Redirect };
            let ask = Ask { relay_state: Some((*state).to_owned()), binding: Some(binding), ..Ask::default() };
            let (message, pending) = sp.request(&idp, &ask, now, &SystemRng).unwrap();
            json!({ "message": out(&message), "id": pending.id })
        }
        ("response", [id]) => {
            let pending = Pending {
                id: (*id).to_owned(),
                issuer: idp.entity_id.clone(),
                acs: acs.clone(),
                issued: now,
                until: now.plus(Duration::from_secs(60)),
                force: false,
                relay_state: None,
            };
            Received::read(&input, None)
                .and_then(|r| r.accept(&sp, &idp, Some(&pending), &rules, now))
                .and_then(|a| a.first_use(true))
                .map_or_else(refused, |who| {
                    let values: Vec<Vec<String>> = who.attributes.iter().map(|a| a.values.clone()).collect();
                    json!({ "name": who.name_id.value, "session": who.session_index, "values": values })
                })
        }
        // Microseconds for one response, the best of ten runs of a hundred.
        ("measure", [id]) => {
            let pending = Pending {
                id: (*id).to_owned(),
                issuer: idp.entity_id.clone(),
                acs: acs.clone(),
                issued: now,
                until: now.plus(Duration::from_secs(60)),
                force: false,
                relay_state: None,
            };
            let run = || {
                #[expect(clippy::disallowed_methods, reason = "a measurement")]
                let start = Instant::now();
                for _ in 0..100 {
                    Received::read(&input, None).unwrap().accept(&sp, &idp, Some(&pending), &rules, now).unwrap();
                }
                start.elapsed().as_micros() / 100
            };
            json!({ "micros": (0..10).map(|_| run()).min() })
        }
        ("logout", [name, state]) => {
            let name_id = NameId {
                value: (*name).to_owned(),
                format: Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent".into()),
                qualifier: None,
                sp_qualifier: Some(base.into()),
            };
            let session = EndSession { name_id, session_index: Some("_s".into()) };
            let (message, pending) = sp.logout(&idp, &session, Some(state), now, &SystemRng).unwrap();
            json!({ "message": out(&message), "id": pending.id })
        }
        ("logout-response", [id, state]) => {
            let pending = PendingLogout {
                id: (*id).to_owned(),
                issuer: idp.entity_id.clone(),
                until: now.plus(Duration::from_secs(60)),
                relay_state: Some((*state).to_owned()),
            };
            sp.logout_response(&idp, LogoutMessage::Redirect(&input), &pending, &rules, now)
                .map_or_else(refused, |answer| json!({ "partial": answer.partial }))
        }
        ("logout-request", []) => {
            sp.logout_request(&idp, LogoutMessage::Redirect(&input), &rules, now).map_or_else(refused, |request| {
                let message = sp.logout_answer(&idp, &request, true, now, &SystemRng).unwrap();
                json!({ "name": request.name_id.value, "message": out(&message) })
            })
        }
        other => panic!("{other:?}"),
    };
    println!("{answer}");
}
