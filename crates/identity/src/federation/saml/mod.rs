//! SAML 2.0: a person goes to a provider with a signed request and comes back by a form that the provider's page posts. The
//! request is bound to the browser by a sealed cookie, and each assertion is good once.

pub mod keys;
mod logout;
pub mod metadata;
pub mod settings;
mod upkeep;

pub use logout::Farewell;
pub use upkeep::UPKEEP_EVERY;

use std::time::Duration;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use sekisho_kernel::{
    Cx, Problem, Secret, Time,
    hook::{Knock, Onward},
    id::ProviderId,
    percent::{decode, encode},
    problem::INTERNAL,
};
use sekisho_saml::{
    Ask, Binding, Certificate, Endpoint, IdentityProvider as Idp, NameId, Pending, Received, Rules, ServiceProvider,
    Signed, SignedIn, problems,
};
use sekisho_vault::{Page, Scope};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    confirm::Own,
    flow::{Refusal, refused},
    logout::mark,
    mapping,
    people::Vouched,
};
use crate::{
    Answer, Identity, boxed,
    records::{CameBy, IdentityProvider, Protocol, SamlSettings, SamlSigned},
    sign_in::step::{Once, Way},
    types::{Browser, CameBack, Leaving, SamlReturning},
};

/// How long a person may be away.
const AWAY: Duration = Duration::from_secs(600);
/// The longest name of a provider's session that a sign-in carries along.
const LONGEST_INDEX: usize = 128;
/// What seals what their browser carries.
const CARRIED: &str = "saml errand";
/// Ways of authentication that take more than one factor, as providers name them.
const FACTORS: [&str; 3] = [
    "https://refeds.org/profile/mfa",
    "http://schemas.microsoft.com/claims/multipleauthn",
    "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
];
/// The claim that holds the subject's name.
pub const NAME_ID: &str = "NameID";

/// A person under way, as their browser carries it: sealed, bound to the host.
#[derive(Serialize, Deserialize)]
struct Asked {
    provider: ProviderId,
    /// The request's id, which the answer names.
    id: String,
    /// The RelayState, which comes back with it.
    state: String,
    at: Time,
    /// Who links or proves who they are; nobody signs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own: Option<Own>,
}

impl Asked {
    fn pending(&self, idp: &Idp, sp: &ServiceProvider) -> Pending {
        Pending {
            id: self.id.clone(),
            issuer: idp.entity_id.clone(),
            acs: sp.acs().to_owned(),
            issued: self.at,
            until: self.at.plus(AWAY),
            force: self.own.is_some(),
            relay_state: Some(self.state.clone()),
        }
    }
}

fn context(knock: &Knock) -> String {
    format!("{CARRIED} {}", knock.host.host)
}

impl From<Problem> for Refusal {
    /// What the library refuses has a name of its own, which the history keeps; a failure of ours stays one.
    fn from(problem: Problem) -> Self {
        let word = problem.kind.name;
        Self(word, if word.starts_with("saml-") { refused() } else { problem })
    }
}

/// The provider as the engine takes it.
fn provider(settings: &SamlSettings, now: Time) -> Answer<Idp> {
    let known = &settings.metadata;
    if known.valid_until.is_some_and(|until| until <= now) {
        return Err(Problem::new(&problems::METADATA_EXPIRED));
    }
    let endpoint = |post: bool, location: &str, response: &str| Endpoint {
        binding: if post { Binding::Post } else { Binding::Redirect },
        location: location.to_owned(),
        response: response.to_owned(),
    };
    Ok(Idp {
        entity_id: known.entity_id.clone(),
        signing: known.certificates.iter().map(|c| Certificate::from_base64(c)).collect::<Result<_, _>>()?,
        sign_on: vec![endpoint(known.post, &known.sign_on, &known.sign_on)],
        logout: known.logout.iter().map(|l| endpoint(l.post, &l.location, &l.response)).collect(),
        valid_until: known.valid_until,
        wants_signed: true,
    })
}

/// The subject that a name stands for: what qualifies it, then the name. The same text in another format is another subject.
fn subject(name: &NameId) -> String {
    let parts = [&name.format, &name.qualifier, &name.sp_qualifier].map(|p| encode(p.as_deref().unwrap_or_default()));
    format!("{}!{}", parts.join("!"), name.value)
}

/// The name that a subject stands for.
fn name_of(subject: &str) -> Option<NameId> {
    let mut parts = subject.splitn(4, '!');
    let mut qualifies = || parts.next().map(|p| decode(p).filter(|p| !p.is_empty()));
    let (format, qualifier, sp_qualifier) = (qualifies()?, qualifies()?, qualifies()?);
    let value = parts.next().filter(|v| !v.is_empty())?.to_owned();
    Some(NameId { value, format, qualifier, sp_qualifier })
}

/// What is said of a person, as claims. Ours are set last: no attribute stands in for them.
fn claims(said: &SignedIn) -> Map<String, Value> {
    let mut out = Map::new();
    for attribute in &said.attributes {
        let mut all: Vec<&str> = said.values(&attribute.name).collect();
        let value = if all.len() == 1 { json!(all.remove(0)) } else { json!(all) };
        out.insert(attribute.name.clone(), value);
    }
    out.remove("amr");
    out.insert(NAME_ID.into(), json!(said.name_id.value));
    if said.context.as_deref().is_some_and(|c| FACTORS.contains(&c)) {
        out.insert("amr".into(), json!(["mfa"]));
    }
    out
}

/// The certificates that a message brings along; believed only where the control is taken out.
fn brought(field: &str) -> Vec<Certificate> {
    let text = STANDARD.decode(field).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default();
    let ends = text.split("X509Certificate>").skip(1).step_by(2);
    ends.filter_map(|c| Certificate::from_base64(c.split('<').next()?).ok()).collect()
}

impl Identity {
    /// Sends a person to a SAML provider.
    pub(super) async fn leave_saml(
        &self,
        cx: &Cx,
        knock: &Knock,
        origin: &str,
        id: ProviderId,
        settings: &SamlSettings,
        own: Option<Own>,
    ) -> Answer<Leaving> {
        let now = self.now();
        let asked = async {
            let idp = provider(settings, now)?;
            let sp = self.saml_service(cx, origin).await?.ok_or("saml-key-missing")?;
            let state = URL_SAFE_NO_PAD.encode(sekisho_kernel::rng::bytes::<16>(self.rng()));
            let ask = Ask {
                relay_state: Some(state.clone()),
                // Whoever links, or proves who they are, shows at the provider, too, that they are there.
                force: own.is_some(),
                ..Ask::default()
            };
            let (out, pending) = sp.request(&idp, &ask, now, self.rng())?;
            Ok::<_, Refusal>((out, Asked { provider: id, id: pending.id, state, at: now, own }))
        };
        let (out, asked) = match asked.await {
            Ok(asked) => asked,
            Err(Refusal(word, problem)) => return Err(self.refused(cx, &id.to_string(), word, problem).await),
        };
        let text = serde_json::to_string(&asked).map_err(|e| Problem::new(&INTERNAL).log(e))?;
        let carried = self.vault().seal_text(&Scope::of(cx), &context(knock), &text).await.map(Secret::new)?;
        let Onward { to, fields } = logout::carried(out);
        Ok(Leaving { to, fields, carried, posted_back: true })
    }

    /// Takes a person back from a SAML provider: the next step of their sign-in, the link made, or who they are proven.
    ///
    /// # Errors
    /// `SK-4050` for every answer that is not taken, the history tells why; `SK-4129` for an assertion that has been used;
    /// `SK-4053`, `SK-4054`, `SK-4058`, `SK-4201`.
    #[boxed]
    pub async fn come_back_saml(
        &self,
        knock: &Knock,
        browser: &Browser,
        origin: &str,
        back: SamlReturning,
    ) -> Answer<CameBack> {
        let cx = Self::before_sign_in(knock);
        let (id, provider, asked, said, once) = match self.believed(&cx, knock, origin, &back).await {
            Ok(believed) => believed,
            Err((object, Refusal(word, problem))) => return Err(self.refused(&cx, &object, word, problem).await),
        };
        let index = said.session_index.clone();
        let by = CameBy {
            provider: id,
            session: index.as_ref().map(|index| mark(id, index)),
            // A longer one is known again by its mark; the provider then ends all that it has of the person.
            index: index.filter(|index| index.len() <= LONGEST_INDEX),
            until: said.session_until,
        };
        let vouched = Vouched { id, provider: &provider, subject: subject(&said.name_id), claims: claims(&said) };
        if let Some(own) = asked.and_then(|a| a.own) {
            // The session's own cookie does not come with another site's form; what was sealed for it does.
            let passage = self.passage_of(knock, own.session).await?.filter(|p| own.is(p));
            let Some(passage) = passage else {
                return Err(self.refused(&cx, &id.to_string(), "another-session", refused()).await);
            };
            if own.confirm {
                return self.confirmed_at(&passage.cx, &vouched, once).await.map(CameBack::Confirmed);
            }
            self.link_identity(&passage.cx, &vouched, once).await?;
            return Ok(CameBack::Linked);
        }
        let proven = provider.trusts_factor && mapping::used_factor(&vouched.claims);
        let way = Way::Provider(by);
        self.arrived(knock, browser, &cx, &vouched, way, once, proven).await
    }

    /// What an answer says, once everything about it is believed but that it comes for the first time: that is written down in
    /// the act that it leads to.
    async fn believed(
        &self,
        cx: &Cx,
        knock: &Knock,
        origin: &str,
        back: &SamlReturning,
    ) -> Result<(ProviderId, IdentityProvider, Option<Asked>, SignedIn, Once), (String, Refusal)> {
        let nobody = |refusal: Refusal| ("saml".to_owned(), refusal);
        let received = Received::read(&back.response, back.relay_state.as_deref()).map_err(|p| nobody(p.into()))?;
        let asked = match &back.carried {
            // An answer that names no request is none to ours.
            Some(carried) if received.in_response_to().is_some() && carried.reveal().len() <= 1_024 => {
                let text = self.vault().open_text(&Scope::of(cx), &context(knock), carried.reveal()).await;
                let text = text.map_err(|p| nobody(p.into()))?;
                text.and_then(|t| serde_json::from_str::<Asked>(&t).ok())
            }
            _ => None,
        };
        let id = match (&asked, received.in_response_to()) {
            (Some(asked), _) => asked.provider,
            (None, Some(_)) => return Err(nobody("state-missing".into())),
            (None, None) => {
                let issuer = received.issuer().unwrap_or_default();
                let found = self.provider_called(cx, &issuer).await.map_err(|p| nobody(p.into()))?;
                found.ok_or_else(|| nobody(problems::ISSUER.name.into()))?
            }
        };
        let object = id.to_string();
        let judged = async {
            let found = self.provider_in_use(cx, id).await?.ok_or("provider-off")?;
            let Protocol::Saml(settings) = &found.protocol else { return Err("provider-off".into()) };
            let now = self.now();
            let mut idp = provider(settings, now)?;
            let rule = self.gates().federation(&cx.policy);
            if !rule.signatures {
                idp.signing.extend(brought(&back.response));
            }
            let sp = self.saml_service(cx, origin).await?.ok_or("saml-key-missing")?;
            let pending = asked.as_ref().map(|a| a.pending(&idp, &sp));
            let rules = rules(settings, rule.skew);
            let accepted = received.accept(&sp, &idp, pending.as_ref(), &rules, now)?;
            let one = accepted.one_time().clone();
            let once = Once {
                kind: "saml-assertion",
                key: crate::token::sha256(&[&id.bytes(), one.id.as_bytes()]),
                target: id.cast(),
                until: one.until,
                refused: &problems::REPLAY,
            };
            let said = accepted.first_use(true)?;
            if said.name_id.is_transient() {
                return Err("saml-transient-name".into());
            }
            Ok::<_, Refusal>((found, said, once))
        };
        let (found, said, once) = judged.await.map_err(|refusal| (object, refusal))?;
        Ok((id, found, asked, said, once))
    }

    /// The provider that is switched on and calls itself so.
    async fn provider_called(&self, cx: &Cx, entity_id: &str) -> Answer<Option<ProviderId>> {
        let entity_id = entity_id.to_owned();
        self.vault()
            .peek(&Scope::of(cx), move |view| {
                let enabled = [("enabled", true.into())];
                let all = view.list::<IdentityProvider>(&Page { limit: 50, eq: &enabled, ..Page::default() })?;
                let named = |p: &IdentityProvider| match &p.protocol {
                    Protocol::Saml(s) => s.metadata.entity_id == entity_id,
                    Protocol::Oidc(_) => false,
                };
                Ok(all.into_iter().find(|p| named(&p.body)).map(|p| p.id()))
            })
            .await
    }
}

/// What is asked of this provider's answers.
fn rules(settings: &SamlSettings, skew: Duration) -> Rules {
    Rules {
        signed: match settings.signed {
            SamlSigned::Assertion => Signed::Assertion,
            SamlSigned::Response => Signed::Response,
            SamlSigned::Both => Signed::Both,
        },
        encrypted: settings.encrypted,
        unsolicited: settings.unsolicited,
        skew,
        ..Rules::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_attribute_stands_in_for_what_the_protocol_says() {
        let attribute = |name: &str, values: &[&str]| sekisho_saml::Attribute {
            name: name.into(),
            format: None,
            friendly: None,
            values: values.iter().map(|v| (*v).to_owned()).collect(),
        };
        let mut said = SignedIn {
            issuer: "idp".into(),
            name_id: NameId { value: "hanako".into(), format: None, qualifier: None, sp_qualifier: None },
            session_index: None,
            authenticated: Time::from_secs(0),
            session_until: None,
            context: Some("urn:oasis:names:tc:SAML:2.0:ac:classes:Password".into()),
            attributes: vec![
                attribute("amr", &["mfa", "mfa"]),
                attribute(NAME_ID, &["administrator"]),
                attribute("groups", &["a", "b"]),
                attribute("mail", &["h@example.jp"]),
            ],
            signer: String::new(),
            solicited: true,
            relay_state: None,
        };
        let first = claims(&said);
        assert!(!mapping::used_factor(&first));
        assert_eq!(
            (&first[NAME_ID], &first["groups"], &first["mail"]),
            (&json!("hanako"), &json!(["a", "b"]), &json!("h@example.jp"))
        );
        said.context = Some(FACTORS[0].into());
        assert!(mapping::used_factor(&claims(&said)));
    }

    #[test]
    fn a_subject_is_the_name_with_all_that_qualifies_it() {
        let name = |format: Option<&str>, qualifier: Option<&str>, value: &str| {
            subject(&NameId {
                value: value.into(),
                format: format.map(str::to_owned),
                qualifier: qualifier.map(str::to_owned),
                sp_qualifier: None,
            })
        };
        assert_eq!(name(None, None, "hanako"), "!!!hanako");
        assert_eq!(name(Some("urn:x"), Some("idp"), "hanako"), "urn%3Ax!idp!!hanako");
        for (format, qualifier, value) in
            [(None, None, "hanako"), (Some("urn:x"), Some("a!b%"), "花子!%21"), (Some("%"), None, "!")]
        {
            let whole = NameId {
                value: value.into(),
                format: format.map(str::to_owned),
                qualifier: qualifier.map(str::to_owned),
                sp_qualifier: None,
            };
            assert_eq!(name_of(&subject(&whole)), Some(whole));
        }
        for broken in ["", "a", "!!!", "%!!!a", "%zz!!!a"] {
            let read = name_of(broken);
            assert!(read.as_ref().is_none_or(|n| n.format.is_none()), "{broken}: {read:?}");
        }
        let all = [
            name(None, None, "a!b"),
            name(None, Some("a"), "b"),
            name(Some("a"), None, "b"),
            name(Some("!a"), None, "b"),
            name(None, Some("!a"), "b"),
        ];
        for (n, one) in all.iter().enumerate() {
            assert!(!all[..n].contains(one), "{one}");
        }
    }
}
