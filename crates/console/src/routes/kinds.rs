//! What a route can be.

use axum::routing::MethodFilter;
use sekisho_kernel::{Right as R, Text};

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// GET (and HEAD).
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Verb {
    /// Upper case, as on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
    /// Whether it may change something.
    pub const fn mutates(self) -> bool {
        !matches!(self, Self::Get)
    }
    pub(crate) const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Patch => MethodFilter::PATCH,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// What kind of route it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Surface {
    /// `/api/v1`.
    Api,
    /// A page, or a form's target.
    Page,
    /// A style sheet, script or picture.
    File,
    /// SCIM, under `/scim/v2`: JSON of RFC 7643 and RFC 7644.
    Scim,
    /// An OAuth endpoint or its metadata: forms from applications, JSON in OAuth's own form.
    Oauth,
    /// What an identity provider's page makes a browser bring: SAML messages, which prove themselves.
    Saml,
}

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// A signed-in person, acting on their own account.
    Own,
    /// This right.
    Right(R),
}

/// What it answers when all goes well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// JSON of the schema with this name.
    Json(u16, &'static str),
    /// 204.
    Nothing,
    /// A file of one of these media types.
    Media(&'static [&'static str]),
    /// A page.
    Page,
    /// A redirect after a form.
    Redirect,
}

impl Access {
    /// The right's name, `own` or `public`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Own => "own",
            Self::Right(right) => right.name(),
        }
    }
    /// In words, for the API document.
    pub fn text(self) -> Text {
        match self {
            Self::Public => Text::new("権限は不要です。", "No right is needed."),
            Self::Own => Text::new("サインインした本人が対象です。", "For the signed-in person's own account."),
            Self::Right(right) => Text::owned(
                format!("権限「{}」（{}）が必要です。", right.text().ja, right.name()),
                format!("Needs the right {}: {}.", right.name(), right.text().en),
            ),
        }
    }
}
