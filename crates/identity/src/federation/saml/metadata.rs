//! A SAML provider's metadata, pasted or read at an address that an administrator gives.

use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::{Problem, Text, Time, egress::Outgoing, problem::INVALID};
use sekisho_saml::{Binding, Certificate, Endpoint, IdentityProvider as Idp, problems};

use crate::{
    Answer, Identity,
    records::{SamlLogout, SamlMetadata},
};

/// Largest document.
const LARGEST: usize = 512 * 1024;
/// Longest address.
const LONGEST: usize = 1024;

/// Metadata as it is given.
#[derive(Clone, Debug)]
pub enum Source {
    /// The document, or its base64.
    Pasted(String),
    /// Where it is.
    At(String),
}

impl Source {
    /// One of the two.
    pub fn of(pasted: Option<&str>, at: Option<&str>) -> Option<Self> {
        let given = |text: Option<&str>| text.map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
        given(at).map(Self::At).or_else(|| given(pasted).map(Self::Pasted))
    }
    const fn field(&self) -> &'static str {
        match self {
            Self::Pasted(_) => "metadata",
            Self::At(_) => "metadata_url",
        }
    }
    /// The address.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Pasted(_) => None,
            Self::At(url) => Some(url.clone()),
        }
    }
}

fn https(endpoints: &[Endpoint]) -> Option<&Endpoint> {
    let plain = |a: &str| a.starts_with("https://") && a.bytes().all(|b| (0x21..=0x7e).contains(&b));
    let by = |binding| {
        let sound = move |e: &&Endpoint| e.binding == binding && plain(&e.location) && plain(&e.response);
        endpoints.iter().find(sound)
    };
    by(Binding::Redirect).or_else(|| by(Binding::Post))
}

/// Reads the document. With `pins`, only what one of them has signed.
pub fn read(bytes: &[u8], pins: &[Certificate], now: Time) -> Answer<SamlMetadata> {
    let idp = Idp::read(bytes, pins, now)?;
    let Some(sign_on) = https(&idp.sign_on) else {
        return Err(Problem::new(&problems::NO_ENDPOINT).detail(Text::new(
            "https の SingleSignOnService（HTTP-Redirect または HTTP-POST）がありません。",
            "There is no SingleSignOnService by HTTP-Redirect or HTTP-POST at an https address.",
        )));
    };
    let logout = https(&idp.logout);
    Ok(SamlMetadata {
        entity_id: idp.entity_id.clone(),
        certificates: idp.signing.iter().map(Certificate::to_base64).collect(),
        sign_on: sign_on.location.clone(),
        post: sign_on.binding == Binding::Post,
        logout: logout.map(|l| SamlLogout {
            location: l.location.clone(),
            response: l.response.clone(),
            post: l.binding == Binding::Post,
        }),
        valid_until: idp.valid_until,
    })
}

/// What is wrong with a document, and where in it.
pub fn wrong(problem: &Problem) -> Text {
    let said = problem.detail.clone().unwrap_or_else(|| problem.kind.title.clone());
    match problem.place.as_deref().filter(|place| !place.is_empty()) {
        None => said,
        Some(place) => Text::owned(format!("{}（{place}）", said.ja), format!("{} ({place})", said.en)),
    }
}

impl Identity {
    /// Reads metadata from where it is.
    ///
    /// # Errors
    /// What is wrong with it, at the field it was given in.
    pub(in crate::federation) async fn imported(&self, source: &Source) -> Answer<SamlMetadata> {
        let bytes = match source {
            Source::Pasted(text) if text.starts_with(['<', '\u{feff}']) => text.clone().into_bytes(),
            // As it passes a firewall that looks for markup in forms.
            Source::Pasted(text) => {
                let tight: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
                STANDARD.decode(tight).map_err(|e| {
                    Problem::new(&INVALID).at("metadata").log(e).detail(Text::new(
                        "XML、または XML を base64 で符号化したものを入力してください。",
                        "Give XML, or XML in base64.",
                    ))
                })?
            }
            Source::At(url) => self.fetched(url).await?,
        };
        read(&bytes, &[], self.now()).map_err(|problem| {
            let text = wrong(&problem);
            problem.detail(text).at(source.field())
        })
    }

    pub(super) async fn fetched(&self, url: &str) -> Answer<Vec<u8>> {
        let invalid = |text: Text| Problem::new(&INVALID).at("metadata_url").detail(text);
        let plain = url.len() <= LONGEST && url.bytes().all(|b| (0x21..=0x7e).contains(&b));
        let host = url.strip_prefix("https://").and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
        if !plain || host.is_empty() || host.contains('@') || url.contains('#') {
            return Err(invalid(Text::new(
                "「https://」で始まるメタデータのアドレスを入力してください。",
                "Give the address of the metadata; it begins with https://.",
            )));
        }
        let got = self.0.outside.ask(Outgoing::get(url, LARGEST)).await.map_err(|why| {
            let why = why.text();
            invalid(Text::owned(format!("{url}: {}", why.ja), format!("{url}: {}", why.en)))
        })?;
        if got.status != 200 {
            return Err(invalid(Text::owned(
                format!("{url} の応答は {} でした。", got.status),
                format!("{url} answered {}.", got.status),
            )));
        }
        Ok(got.body)
    }
}
