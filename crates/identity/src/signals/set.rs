//! The claims of security event tokens (RFC 8417) with events of CAEP 1.0.

use sekisho_kernel::{Time, id::SignalReceiverId};
use serde_json::{Map, Value, json};

use crate::records::{About, Initiator, SignalEvent, SignalKind, SignalReceiver, SubjectForm};

/// What such a token is (RFC 8417 §2.3).
pub const TYPE: &str = "secevent+jwt";

/// The event of a stream's new status (SSF 1.0 §8.1.5).
const STREAM_UPDATED: &str = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated";
/// The event of a connection's trial (SSF 1.0 §8.1.4.1).
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

impl SignalKind {
    /// The event's URI (CAEP 1.0 §3).
    pub const fn uri(self) -> &'static str {
        match self {
            Self::SessionRevoked => "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
            Self::CredentialChange => "https://schemas.openid.net/secevent/caep/event-type/credential-change",
        }
    }
}

impl Initiator {
    const fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
            Self::Policy => "policy",
            Self::System => "system",
        }
    }
}

impl SignalEvent {
    /// What it tells, by the event's URI.
    pub const fn uri(&self) -> &'static str {
        match self.about {
            About::Person { kind, .. } => kind.uri(),
            About::Stream { .. } => STREAM_UPDATED,
            About::Logout { .. } => super::logout::EVENT,
        }
    }
}

/// The claims of one event for one receiver; `None` for what is not for receivers. `exp` is left out on purpose (RFC 8417 §4.1.1): events do not expire.
pub fn claims(
    receiver: &SignalReceiver,
    stream: SignalReceiverId,
    jti: &str,
    made: Time,
    event: &SignalEvent,
) -> Option<Value> {
    let mut fields = Map::new();
    let subject = match &event.about {
        About::Person { user, mail, session, change, .. } => {
            fields.insert("event_timestamp".into(), json!(event.at.secs()));
            fields.insert("initiating_entity".into(), json!(event.initiator.word()));
            if let Some(change) = change {
                fields.insert("credential_type".into(), json!(change.credential));
                fields.insert("change_type".into(), json!(change.change));
            }
            let user = match (receiver.subject, mail) {
                (SubjectForm::Email, Some(mail)) => json!({"format": "email", "email": mail}),
                _ => json!({"format": "iss_sub", "iss": receiver.issuer, "sub": user.to_string()}),
            };
            match session {
                Some(session) => json!({
                    "format": "complex",
                    "user": user,
                    "session": {"format": "opaque", "id": session.to_string()},
                }),
                None => user,
            }
        }
        About::Stream { enabled } => {
            fields.insert("status".into(), json!(if *enabled { "enabled" } else { "disabled" }));
            of_stream(stream)
        }
        About::Logout { .. } => return None,
    };
    Some(body(receiver, jti, made, &subject, event.uri(), fields))
}

/// The claims of a trial. It carries no `state`: no receiver has asked for it (SSF 1.0 §8.1.4.1).
pub fn verification(receiver: &SignalReceiver, stream: SignalReceiverId, jti: &str, now: Time) -> Value {
    body(receiver, jti, now, &of_stream(stream), VERIFICATION, Map::new())
}

fn of_stream(stream: SignalReceiverId) -> Value {
    json!({"format": "opaque", "id": stream.to_string()})
}

fn body(
    receiver: &SignalReceiver,
    jti: &str,
    at: Time,
    subject: &Value,
    uri: &str,
    fields: Map<String, Value>,
) -> Value {
    json!({
        "iss": receiver.issuer,
        "jti": jti,
        "iat": at.secs(),
        "aud": receiver.audience,
        "sub_id": subject,
        "events": {uri: fields},
    })
}

#[cfg(test)]
mod tests {
    use sekisho_kernel::id::{SessionId, UserId};

    use super::*;
    use crate::records::CredentialChanged;

    fn receiver(subject: SubjectForm) -> SignalReceiver {
        SignalReceiver {
            name: "SIEM".into(),
            url: "https://siem.example/set".into(),
            issuer: "https://acme.console.example".into(),
            audience: "https://siem.example".into(),
            token: None,
            events: vec![SignalKind::SessionRevoked],
            subject,
        }
    }

    fn event(kind: SignalKind, session: Option<SessionId>, mail: Option<&str>) -> SignalEvent {
        let credential = || CredentialChanged { credential: "password".into(), change: "update".into() };
        let change = (kind == SignalKind::CredentialChange).then(credential);
        SignalEvent {
            about: About::Person { kind, user: UserId::NIL, mail: mail.map(str::to_owned), session, change },
            initiator: Initiator::Admin,
            at: Time::from_secs(1_800_000_000),
        }
    }

    fn read(form: SubjectForm, event: &SignalEvent) -> Value {
        claims(&receiver(form), SignalReceiverId::NIL, "sge_1", Time::from_secs(1_800_000_001), event).unwrap()
    }

    #[test]
    fn a_revoked_session_reads_as_caep_has_it() {
        let got = read(SubjectForm::IssSub, &event(SignalKind::SessionRevoked, Some(SessionId::NIL), None));
        let wanted = json!({
            "iss": "https://acme.console.example", "jti": "sge_1", "iat": 1_800_000_001, "aud": "https://siem.example",
            "sub_id": {
                "format": "complex",
                "user": {"format": "iss_sub", "iss": "https://acme.console.example", "sub": UserId::NIL.to_string()},
                "session": {"format": "opaque", "id": SessionId::NIL.to_string()},
            },
            "events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked":
                {"event_timestamp": 1_800_000_000, "initiating_entity": "admin"}},
        });
        assert_eq!(got, wanted);
    }

    #[test]
    fn a_changed_credential_names_what_and_how() {
        let got = read(SubjectForm::Email, &event(SignalKind::CredentialChange, None, Some("taro@example.jp")));
        assert_eq!(got["sub_id"], json!({"format": "email", "email": "taro@example.jp"}));
        let fields = &got["events"]["https://schemas.openid.net/secevent/caep/event-type/credential-change"];
        assert_eq!((&fields["credential_type"], &fields["change_type"]), (&json!("password"), &json!("update")));
        // Somebody without a mail address is named by the id all the same.
        let nameless = read(SubjectForm::Email, &event(SignalKind::CredentialChange, None, None));
        assert_eq!(nameless["sub_id"]["format"], "iss_sub");
    }

    #[test]
    fn a_switched_stream_is_named_by_its_id() {
        let event = SignalEvent {
            about: About::Stream { enabled: false },
            initiator: Initiator::Admin,
            at: Time::from_secs(1),
        };
        let got = read(SubjectForm::Email, &event);
        assert_eq!(got["sub_id"], json!({"format": "opaque", "id": SignalReceiverId::NIL.to_string()}));
        assert_eq!(got["events"], json!({STREAM_UPDATED: {"status": "disabled"}}));
    }
}
