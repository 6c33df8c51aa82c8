//! Where events go: to receivers, and to applications that are told when their people sign out.

use sekisho_kernel::{
    Event, Problem, Secret, Text, Time,
    egress::Outgoing,
    event,
    id::{ApplicationKind, RecordId, SignalEventKind, SignalReceiverKind},
    problem::INTERNAL,
};
use sekisho_vault::{Bookkeeping, Stored, View};
use serde_json::Value;

use super::{logout, set};
use crate::{
    Answer,
    records::{About, Application, ApplicationState, SignalEvent, SignalReceiver},
    signing::Signer,
    sql,
};

/// Largest answer that is read.
const LARGEST_ANSWER: usize = 16 * 1024;

/// Somewhere that events are sent to.
pub enum Place {
    /// A receiver of security events.
    Receiver(Box<Stored<SignalReceiver>>),
    /// An application that people sign in to.
    Application(Box<Stored<Application>>),
}

/// How the books of a kind of place are kept, and what its entries are called.
pub struct Books {
    /// One was delivered. `$2` place, `$3` now.
    pub sent: &'static Bookkeeping,
    /// One was not taken. `$2` place, `$3` why.
    pub failed: &'static Bookkeeping,
    /// Some were given up. `$2` place, `$3` how many.
    pub dropped: &'static Bookkeeping,
    /// One more could not wait. `$2` place.
    pub overflow: &'static Bookkeeping,
    /// The event of a delivery.
    pub send: &'static Event,
    /// The event of giving up.
    pub drop: &'static Event,
}

static OF_RECEIVERS: Books = Books {
    sent: &sql::SIGNAL_SENT,
    failed: &sql::SIGNAL_FAILED,
    dropped: &sql::SIGNAL_DROPPED,
    overflow: &sql::SIGNAL_OVERFLOW,
    send: &event::SIGNAL_SEND,
    drop: &event::SIGNAL_DROP,
};
static OF_APPLICATIONS: Books = Books {
    sent: &sql::LOGOUT_SENT,
    failed: &sql::LOGOUT_FAILED,
    dropped: &sql::LOGOUT_DROPPED,
    overflow: &sql::LOGOUT_OVERFLOW,
    send: &event::OAUTH_LOGOUT_SEND,
    drop: &event::OAUTH_LOGOUT_DROP,
};

/// The books of the places to which such an event goes.
pub fn books_of(event: &SignalEvent) -> &'static Books {
    match event.about {
        About::Logout { .. } => &OF_APPLICATIONS,
        About::Person { .. } | About::Stream { .. } => &OF_RECEIVERS,
    }
}

/// Why a place did not take an event.
pub struct Refused {
    /// A word for the books.
    pub word: &'static str,
    /// For an administrator.
    pub text: Text,
    /// Whether trying again is in vain.
    pub last: bool,
}

impl Place {
    /// The place with this id, if anything is sent there.
    pub fn find(view: &mut View<'_>, id: RecordId) -> Answer<Option<Self>> {
        if let Some(receiver) = view.get::<SignalReceiver>(id)? {
            return Ok(Some(Self::Receiver(Box::new(receiver))));
        }
        let application = view.get::<Application>(id)?.filter(|a| told(&a.body));
        Ok(application.map(|a| Self::Application(Box::new(a))))
    }

    /// Its id, as entries name it.
    pub fn object(&self) -> String {
        match self {
            Self::Receiver(r) => r.id::<SignalReceiverKind>().to_string(),
            Self::Application(a) => a.id::<ApplicationKind>().to_string(),
        }
    }

    /// How its books are kept.
    pub const fn books(&self) -> &'static Books {
        match self {
            Self::Receiver(_) => &OF_RECEIVERS,
            Self::Application(_) => &OF_APPLICATIONS,
        }
    }

    /// How a column of its books stands.
    pub fn int(&self, column: &'static str) -> Answer<i64> {
        match self {
            Self::Receiver(r) => r.int(column),
            Self::Application(a) => a.int(column),
        }
    }

    /// What tells it of an event, signed.
    pub fn message(&self, key: &Signer, event: &Stored<SignalEvent>, now: Time) -> Answer<Outgoing> {
        let jti = event.id::<SignalEventKind>().to_string();
        let wrong = || Problem::new(&INTERNAL).log("an event that is for another kind of place");
        match self {
            Self::Receiver(r) => {
                let claims = set::claims(&r.body, r.id(), &jti, event.created, &event.body).ok_or_else(wrong)?;
                Ok(pushed(&r.body, key.sign(set::TYPE, &claims)?))
            }
            Self::Application(a) => {
                let (claims, uri) = logout::claims(a, &jti, now, &event.body).ok_or_else(wrong)?;
                Ok(logout::posted(uri, key.sign(logout::TYPE, &claims)?))
            }
        }
    }

    /// What its answer means: receivers say why in RFC 8935's words; an application says 400 to a token that it will never take
    /// (OpenID Connect Back-Channel Logout §2.8).
    pub fn judged(&self, status: u16, body: &[u8]) -> Result<(), Refused> {
        match (self, status) {
            (_, 200..=299) => Ok(()),
            (Self::Receiver(_), 400) => Err(refusal(body)),
            (Self::Application(_), 400) => Err(Refused {
                word: "refused",
                text: Text::new(
                    "アプリケーションがログアウトトークンを拒否しました。",
                    "The application refuses the logout token.",
                ),
                last: true,
            }),
            (_, 401 | 403) => Err(Refused {
                word: "unauthorized",
                text: Text::new(
                    "受信側がトークンを拒否しました。ベアラートークンを確かめてください。",
                    "The receiver refuses us. Check the bearer token.",
                ),
                last: false,
            }),
            (_, status) => Err(Refused {
                word: "status",
                text: Text::owned(
                    format!("受信側が状態コード {status} で応答しました。受信側の記録を確かめてください。"),
                    format!("The receiver answers with the status {status}. Look at its own log."),
                ),
                last: false,
            }),
        }
    }
}

/// Whether an application is told when its people sign out.
pub fn told(application: &Application) -> bool {
    application.state == ApplicationState::Approved && application.backchannel.is_some()
}

/// A token on its way to a receiver (RFC 8935 §2).
pub fn pushed(receiver: &SignalReceiver, token: String) -> Outgoing {
    let plain = |text: &str| Secret::new(text.to_owned());
    let mut headers = vec![("content-type", plain("application/secevent+jwt")), ("accept", plain("application/json"))];
    headers.extend(receiver.token.as_ref().map(|t| ("authorization", Secret::new(format!("Bearer {t}")))));
    Outgoing { url: receiver.url.clone(), headers, form: Some(Secret::new(token)), most: LARGEST_ANSWER }
}

/// What a receiver says of a token that it does not take (RFC 8935 §2.4).
fn refusal(body: &[u8]) -> Refused {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let clean = |key: &str| -> String {
        let text = value.get(key).and_then(Value::as_str).unwrap_or_default();
        text.chars().filter(|c| !c.is_control()).take(200).collect()
    };
    let (err, more) = (clean("err"), clean("description"));
    let word = [
        "invalid_request",
        "invalid_key",
        "invalid_issuer",
        "invalid_audience",
        "authentication_failed",
        "access_denied",
    ]
    .into_iter()
    .find(|w| *w == err)
    .unwrap_or("refused");
    Refused {
        word,
        text: Text::owned(
            format!("受信側がイベントを拒否しました（{err}）。{more}"),
            format!("The receiver refuses the event ({err}). {more}"),
        ),
        last: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receivers_refusal_is_told_and_cannot_write_our_pages() {
        let refused = refusal(b"{\"err\":\"invalid_audience\",\"description\":\"not\\u0007 ours\"}");
        assert_eq!(refused.word, "invalid_audience");
        assert_eq!(refused.text.en, "The receiver refuses the event (invalid_audience). not ours");
        assert_eq!(refusal(b"<html>").word, "refused");
        assert_eq!(refusal(b"{\"err\":\"made_up\"}").word, "refused");
    }
}
