//! Sessions, second factors and the steps of a sign-in, as they are shown.

use sekisho_kernel::{
    Secret, Time,
    id::{FactorId, SessionId, UserId},
};
use serde::Serialize;

use super::{UserView, rfc3339};

/// A session, as its owner or an administrator sees it.
#[derive(Clone, Debug, Serialize)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// When the person signed in.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// Last activity as stored: up to a minute older than the truth.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub last_used: Time,
    /// The absolute end.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub ends_at: Time,
    /// The address it was made from.
    pub address: String,
    /// What the browser calls itself, at most 200 characters.
    pub browser: String,
    /// Whether it is the session that asks.
    pub current: bool,
}

/// The session that asks.
#[derive(Clone, Debug, Serialize)]
pub struct SessionState {
    /// Its id.
    pub session: SessionId,
    /// The person.
    pub user: UserView,
    /// When it ends without activity; `None`: never.
    #[serde(serialize_with = "rfc3339::option")]
    pub idle_ends_at: Option<Time>,
    /// The absolute end.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub ends_at: Time,
}

/// The person who asks.
#[derive(Clone, Debug, Serialize)]
pub struct Me {
    /// The account.
    pub user: UserView,
    /// The session used.
    pub session: SessionId,
    /// Whether they have a password.
    pub has_password: bool,
    /// Names of every right held tenant-wide, after the switches.
    pub rights: Vec<String>,
    /// Names of the rights held for single sites only, after the switches.
    pub site_rights: Vec<String>,
}

/// A second factor.
#[derive(Clone, Debug, Serialize)]
pub struct FactorView {
    /// Its id.
    pub id: FactorId,
    /// Moves with every change.
    pub version: i64,
    /// When it was made.
    #[serde(serialize_with = "rfc3339::serialize")]
    pub created: Time,
    /// `totp`.
    pub kind: &'static str,
    /// Whether a code has confirmed it.
    pub confirmed: bool,
    /// How many recovery codes are left.
    pub recovery_left: u32,
}

/// What an authenticator app needs to take a new factor in. Shown once.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// The factor.
    pub id: FactorId,
    /// The secret in base32 (RFC 4648), without padding.
    pub secret: Secret<String>,
    /// `otpauth://totp/…`.
    pub uri: Secret<String>,
    /// The uri as a QR code, SVG.
    pub qr_svg: Secret<String>,
}

/// What proves the second factor.
#[derive(Clone, Debug)]
pub enum FactorProof {
    /// Six digits (RFC 6238).
    Code(Secret<String>),
    /// A recovery code.
    Recovery(Secret<String>),
}

/// What is known of the browser before anyone has signed in.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    /// Its `User-Agent`; cut to 200 characters.
    pub agent: String,
    /// The value of the cookie that [`SignedIn::device`] once set.
    pub device: Option<Secret<String>>,
}

/// Signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The session's token for this host.
    pub token: Secret<String>,
    /// The session.
    pub session: SessionId,
    /// The person.
    pub user: UserView,
    /// When it ends without activity; `None`: never.
    pub idle_ends_at: Option<Time>,
    /// The absolute end.
    pub ends_at: Time,
    /// A value for a cookie by which this browser is known again (`lockout.known_device`).
    pub device: Option<Secret<String>>,
    /// Recovery codes, where a factor was enrolled on the way. Shown once.
    pub recovery_codes: Vec<Secret<String>>,
}

/// Where a sign-in stands. A challenge is sealed, bound to its host, and lives for ten minutes.
#[derive(Clone, Debug)]
pub enum SignInStep {
    /// Done.
    SignedIn(Box<SignedIn>),
    /// A code or a recovery code is wanted.
    SecondFactor(Secret<String>),
    /// The sign-in is stepped up and the account has no second factor: the password is wanted once more.
    PasswordAgain(Secret<String>),
    /// The password has run out: a new one is wanted.
    PasswordChange(Secret<String>),
    /// A second factor must be set up first.
    EnrolFactor(Secret<String>),
}

/// What a used link has done.
#[derive(Clone, Debug)]
pub struct LinkUsed {
    /// Whose account.
    pub user: UserId,
    /// The sign-in name, for the sign-in form.
    pub name: String,
}
