//! Samples of receivers of security signals, with a trial that went wrong.

use sekisho_console::{messages as m, page::*};
use sekisho_identity::types::*;
use sekisho_kernel::{Lang, Text};

use super::{at, id, j, shell};

fn receiver(lang: Lang, n: u8) -> ReceiverView {
    ReceiverView {
        id: id(n),
        version: 3,
        created: at(90_000),
        updated: at(4_000),
        name: if n == 31 { "SIEM".into() } else { j(lang, "勤怠システム", "Time sheets") },
        url: format!("https://receiver-{n}.acme.example/events"),
        audience: "https://acme.example/".into(),
        has_token: true,
        events: if n == 32 {
            vec![SignalKind::SessionRevoked]
        } else {
            vec![SignalKind::SessionRevoked, SignalKind::CredentialChange]
        },
        subject: SubjectForm::IssSub,
        enabled: n != 33,
        waiting: if n == 32 { 12 } else { 0 },
        sent: 1_204,
        dropped: if n == 32 { 3 } else { 0 },
        last_sent: Some(at(4_000)),
        failing: if n == 32 { 4 } else { 0 },
        trouble: (n == 32).then(|| "unreached".into()),
    }
}

/// Puts each of them.
pub fn put_all(lang: Lang, put: &mut dyn FnMut(&'static str, &dyn askama::DynTemplate)) {
    let refused = Check {
        name: "delivery",
        good: false,
        says: Text::new(
            "受信側がトークンを拒否しました。ベアラートークンを確かめてください。",
            "The receiver refuses us. Check the bearer token.",
        ),
    };
    let subjects =
        vec![Choice::new("iss_sub", m::SIGNAL_BY_ID.get(lang)), Choice::new("email", m::SIGNAL_BY_MAIL.get(lang))];
    let page = |rows: Vec<ReceiverView>, tried| signals::SignalsPage {
        p: shell(lang, m::SIGNALS, "/signals"),
        rows,
        subjects: subjects.clone(),
        tried,
        configuration: "https://acme.console.localhost/.well-known/ssf-configuration".into(),
        next: None,
        paged: false,
    };
    let rows = (31..34).map(|n| receiver(lang, n)).collect();
    put("signals", &page(rows, Some(("SIEM".into(), vec![refused]))));
    put("signals-none", &page(Vec::new(), None));
}
