//! What went wrong, in words for the person outside and, apart from them, words for the log.

use std::{borrow::Cow, fmt, time::Duration};

use crate::text::{Lang, Text};

/// What kind of answer a problem is. The console maps it to an HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Category {
    /// The request cannot be understood or breaks a rule of its fields (400).
    Invalid,
    /// No valid session (401).
    Unauthenticated,
    /// The right is missing or a gate refused (403).
    Forbidden,
    /// Missing, or another tenant's: both look the same (404).
    NotFound,
    /// The record's version has moved, or a unique value is taken (409).
    Conflict,
    /// A precondition header is missing (428).
    Precondition,
    /// Larger than the limit (413).
    TooLarge,
    /// Too many tries or requests (429).
    TooMany,
    /// A part we need does not answer; nothing was changed (503).
    Unavailable,
    /// A defect of ours (500).
    Internal,
}

impl Category {
    /// The HTTP status (RFC 9110) that goes with the category.
    pub const fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::Precondition => 428,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}

/// One kind of problem: declared once as a `static`, its code never reused.
#[derive(Debug)]
pub struct ProblemKind {
    /// `SK-nnnn`. Ranges: kernel 0, store 1, keys 2, vault 3, identity 4, gateway 5, console 6, policy 7,
    /// ledger 8, command line and prober 9 (thousands).
    pub code: &'static str,
    /// The kebab-case name in `urn:sekisho:problem:NAME`.
    pub name: &'static str,
    /// Category of the answer.
    pub category: Category,
    /// What happened, one sentence.
    pub title: Text,
    /// What the person can do next.
    pub remedy: Text,
}

/// A problem that happened. The outside sees kind, detail and place; `log` stays inside.
#[derive(Clone)]
pub struct Problem {
    /// The declared kind.
    pub kind: &'static ProblemKind,
    /// This occurrence, in words for the person outside.
    pub detail: Option<Text>,
    /// Where: a field, `file:line:column`, a setting's key.
    pub place: Option<Cow<'static, str>>,
    /// How long to wait before trying again.
    pub retry_after: Option<Duration>,
    log: Option<Box<str>>,
}

impl Problem {
    /// A problem of `kind`, nothing more to say.
    pub const fn new(kind: &'static ProblemKind) -> Self {
        Self { kind, detail: None, place: None, retry_after: None, log: None }
    }
    /// Adds what this occurrence is about, for the person outside.
    #[must_use]
    pub fn detail(mut self, detail: Text) -> Self {
        self.detail = Some(detail);
        self
    }
    /// Adds the place (a field name, `file:line:column`).
    #[must_use]
    pub fn at(mut self, place: impl Into<Cow<'static, str>>) -> Self {
        self.place = Some(place.into());
        self
    }
    /// Adds the time after which another try makes sense.
    #[must_use]
    pub const fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
    /// Adds what only the log may know.
    #[must_use]
    pub fn log(mut self, cause: impl fmt::Display) -> Self {
        self.log = Some(cause.to_string().into_boxed_str());
        self
    }
    /// What only the log may know.
    pub fn log_text(&self) -> Option<&str> {
        self.log.as_deref()
    }
    /// Whether this is of `kind`.
    pub fn is(&self, kind: &'static ProblemKind) -> bool {
        std::ptr::eq(self.kind, kind) || self.kind.code == kind.code
    }
    /// The whole message for a person: what happened, where, what to do.
    pub fn message(&self, lang: Lang) -> String {
        let mut out = String::from(self.kind.title.get(lang));
        if let Some(detail) = &self.detail {
            out.push(' ');
            out.push_str(detail.get(lang));
        }
        if let Some(place) = &self.place {
            out.push_str(&format!(" ({place})"));
        }
        out.push(' ');
        out.push_str(self.kind.remedy.get(lang));
        out
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.code, self.message(Lang::En))?;
        if let Some(log) = &self.log {
            write!(f, " [{log}]")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.code, self.message(Lang::En))
    }
}

impl std::error::Error for Problem {}

/// A defect of ours.
pub static INTERNAL: ProblemKind = ProblemKind {
    code: "SK-0001",
    name: "internal",
    category: Category::Internal,
    title: Text::new("内部エラーが発生しました。", "Something went wrong on our side."),
    remedy: Text::new(
        "操作は行われていません。もう一度試し、続く場合は追跡番号を添えて管理者へ連絡してください。",
        "Nothing was changed. Try again; if it goes on, give the trace id to your administrator.",
    ),
};

/// A part we need (database, disk, key provider) does not answer.
pub static UNAVAILABLE: ProblemKind = ProblemKind {
    code: "SK-0002",
    name: "unavailable",
    category: Category::Unavailable,
    title: Text::new("ただいま処理できません。", "The service cannot do this right now."),
    remedy: Text::new(
        "何も変更されていません。しばらくしてからもう一度試してください。",
        "Nothing was changed. Try again in a moment.",
    ),
};

/// Missing, or not yours: the same answer.
pub static NOT_FOUND: ProblemKind = ProblemKind {
    code: "SK-0003",
    name: "not-found",
    category: Category::NotFound,
    title: Text::new("見つかりません。", "There is no such thing here."),
    remedy: Text::new("アドレスや識別子を確かめてください。", "Check the address or identifier."),
};

/// The right is missing.
pub static FORBIDDEN: ProblemKind = ProblemKind {
    code: "SK-0004",
    name: "forbidden",
    category: Category::Forbidden,
    title: Text::new("この操作を行う権限がありません。", "You do not have the right to do this."),
    remedy: Text::new(
        "必要な場合は、組織の管理者に権限の付与を依頼してください。",
        "If you need it, ask your organisation's administrator for the right.",
    ),
};

/// A field's value breaks its rule.
pub static INVALID: ProblemKind = ProblemKind {
    code: "SK-0005",
    name: "invalid",
    category: Category::Invalid,
    title: Text::new("入力に誤りがあります。", "Something in the input is not right."),
    remedy: Text::new("示された項目を直して、もう一度送信してください。", "Correct the named field and send it again."),
};

/// The record has changed since it was read, or a unique value is taken.
pub static CONFLICT: ProblemKind = ProblemKind {
    code: "SK-0006",
    name: "conflict",
    category: Category::Conflict,
    title: Text::new("ほかの変更とぶつかりました。", "This collides with another change."),
    remedy: Text::new("最新の内容を読み込んで、もう一度試してください。", "Load the newest state and try again."),
};

/// The terms in force are not accepted.
pub static TERMS_DUE: ProblemKind = ProblemKind {
    code: "SK-0008",
    name: "terms-due",
    category: Category::Forbidden,
    title: Text::new("利用規約への同意が必要です。", "The terms of use have to be accepted first."),
    remedy: Text::new(
        "管理画面にサインインし、現在の版の利用規約に同意してから、もう一度試してください。",
        "Sign in to the console, accept the terms of use in force, then try again.",
    ),
};

/// No valid session.
pub static UNAUTHENTICATED: ProblemKind = ProblemKind {
    code: "SK-0007",
    name: "unauthenticated",
    category: Category::Unauthenticated,
    title: Text::new("サインインが必要です。", "You need to sign in."),
    remedy: Text::new("サインインしてから、もう一度試してください。", "Sign in, then try again."),
};
