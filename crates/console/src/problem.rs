//! From problems to answers: RFC 9457 for the API, a page for people. What would help an attacker stays in the log.

use std::ops::{Deref, DerefMut};

use sekisho_kernel::{
    Problem, ProblemKind, Text,
    problem::{Category, INVALID},
};

/// The body is not JSON, not a form, or not of the declared type.
pub static MALFORMED: ProblemKind = ProblemKind {
    code: "SK-6001",
    name: "malformed",
    category: Category::Invalid,
    title: Text::new("送信された内容を読み取れません。", "The request body cannot be read."),
    remedy: Text::new(
        "UTF-8 の JSON オブジェクトを、Content-Type: application/json で送信してください。",
        "Send one JSON object in UTF-8 with Content-Type: application/json.",
    ),
};

/// A mutating request with a session cookie that the console's own page did not make.
pub static FORGED: ProblemKind = ProblemKind {
    code: "SK-6002",
    name: "forged-request",
    category: Category::Forbidden,
    title: Text::new(
        "この操作は管理コンソールの画面から送信されたものと確認できません。",
        "This request cannot be shown to come from the console's own page.",
    ),
    remedy: Text::new(
        "何も変更されていません。画面を再読み込みし、もう一度操作してください。",
        "Nothing was changed. Load the page again and repeat the step.",
    ),
};

/// The body is larger than 64 KiB.
pub static TOO_LARGE: ProblemKind = ProblemKind {
    code: "SK-6003",
    name: "too-large",
    category: Category::TooLarge,
    title: Text::new("送信された内容が大きすぎます。", "The request body is too large."),
    remedy: Text::new("64 KiB 以下にして送信してください。", "Send at most 64 KiB."),
};

/// `If-Match` is missing.
pub static VERSION_NEEDED: ProblemKind = ProblemKind {
    code: "SK-6004",
    name: "version-needed",
    category: Category::Precondition,
    title: Text::new("変更の対象となる版が指定されていません。", "The version to be changed is not named."),
    remedy: Text::new(
        "最新の内容を取得し、その ETag を If-Match ヘッダーに指定してください。",
        "Read the record and send its ETag in the If-Match header.",
    ),
};

/// The cursor was not made by this list for this reader and filter.
pub static BAD_CURSOR: ProblemKind = ProblemKind {
    code: "SK-6005",
    name: "bad-cursor",
    category: Category::Invalid,
    title: Text::new("一覧の続きの位置が正しくありません。", "The list position is not valid here."),
    remedy: Text::new(
        "同じ一覧、同じ絞り込み条件で、先頭から読み直してください。",
        "Start again from the first page with the same list and filter.",
    ),
};

/// A method that an address of SCIM does not have.
pub static SCIM_METHOD: ProblemKind = ProblemKind {
    code: "SK-6010",
    name: "scim-method",
    category: Category::NotFound,
    title: Text::new("このアドレスでは、このメソッドを使えません。", "This address does not take this method."),
    remedy: Text::new("RFC 7644 の 3.2 節のメソッドを使ってください。", "Use the methods of RFC 7644 section 3.2."),
};

/// What SCIM knows and this service does not do.
pub static SCIM_NOT_IMPLEMENTED: ProblemKind = ProblemKind {
    code: "SK-6011",
    name: "scim-not-implemented",
    category: Category::NotFound,
    title: Text::new("この SCIM の機能には対応していません。", "This part of SCIM is not supported here."),
    remedy: Text::new(
        "/Users または /Groups を使ってください。",
        "Use /Users or /Groups. /ServiceProviderConfig says what is supported.",
    ),
};

/// A SCIM body that is too large, or has too many operations.
pub static SCIM_TOO_LARGE: ProblemKind = ProblemKind {
    code: "SK-6012",
    name: "scim-too-large",
    category: Category::TooLarge,
    title: Text::new("SCIM の要求が大きすぎます。", "The SCIM request is too large."),
    remedy: Text::new(
        "1 MiB 以下、1,000 件以下に分けて送信してください。",
        "Divide it: at most 1 MiB and 1,000 operations each.",
    ),
};

/// A problem together with what the console knows of it.
#[derive(Debug)]
pub struct Fault(Box<Told>);

/// What is known of a problem on its way to the person.
#[derive(Debug)]
pub struct Told {
    /// The problem as the person is told it.
    pub problem: Problem,
    /// Whether the engine that refused has written the entry.
    pub entered: bool,
    /// Every field at fault, in the form's order.
    pub fields: Vec<FieldFault>,
    /// The page that says so, where the handler has rendered one.
    pub page: Option<axum::response::Response>,
}

/// One field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// The field's name.
    pub field: String,
    /// What is wrong and what is allowed.
    pub says: Text,
}

impl Deref for Fault {
    type Target = Told;
    fn deref(&self) -> &Told {
        &self.0
    }
}

impl DerefMut for Fault {
    fn deref_mut(&mut self) -> &mut Told {
        &mut self.0
    }
}

impl From<Problem> for Fault {
    /// Of an engine, which has entered it.
    fn from(problem: Problem) -> Self {
        let fields = match (&problem.place, &problem.detail) {
            (Some(place), Some(says)) => vec![FieldFault { field: place.to_string(), says: says.clone() }],
            (Some(place), None) => vec![FieldFault { field: place.to_string(), says: problem.kind.title.clone() }],
            _ => Vec::new(),
        };
        Self(Box::new(Told { problem, entered: true, fields, page: None }))
    }
}

impl Fault {
    /// Of the console itself, before any engine was asked: the entry is still to be written.
    pub fn own(problem: Problem) -> Self {
        let mut fault = Self::from(problem);
        fault.entered = false;
        fault
    }
    /// One field.
    pub fn field(field: &str, says: Text) -> Self {
        Self::fields(vec![FieldFault { field: field.to_owned(), says }])
    }
    /// Several fields, at least one.
    pub fn fields(fields: Vec<FieldFault>) -> Self {
        let mut problem = Problem::new(&INVALID);
        if let Some(first) = fields.first() {
            problem = problem.at(first.field.clone()).detail(first.says.clone());
        }
        Self(Box::new(Told { problem, entered: false, fields, page: None }))
    }
    /// With the page that tells it.
    #[must_use]
    pub fn on(mut self, page: axum::response::Response) -> Self {
        self.page = Some(page);
        self
    }
}
