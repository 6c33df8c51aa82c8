//! Third-party applications (OAuth 2.1): registered, approved by an administrator, consented to by each person, and
//! withdrawn again.

use sekisho_kernel::{
    Cx, Problem, Secret, Target, Text,
    access::Right,
    event,
    id::{ApplicationId, ApplicationKind, ConsentId, TenantId, UserId},
    problem::{CONFLICT, INVALID, NOT_FOUND},
};
use sekisho_vault::{Entry, Page, Stored, Tx, View};

use super::grants;
use crate::{
    Answer, Identity,
    account::who,
    boxed, guard, own, page_size, people,
    problems::{BAD_REDIRECT, NO_SERVICE_ACCOUNT, TOO_MANY_RECORDS},
    records::{Application, ApplicationState, Backchannel, Consent, UserAccount},
    rights, signals, sql, token,
    types::{After, ApplicationIssued, ApplicationView, ConsentView, Listed, LogoutsView, NewApplication},
    under,
    values::{self, taken},
};

/// Most redirect addresses of one application.
const MOST_REDIRECTS: usize = 10;
/// Most applications of a tenant that are told of signing out: whoever lets us wait lets others wait.
const MOST_TOLD: usize = 50;

/// A redirect address: https on port 443, a host name, no user, no fragment (RFC 9700 §4.1, OAuth 2.1 §2.3.1). It is
/// compared to the letter when it comes back.
pub fn redirect(text: &str) -> Answer<String> {
    let bad = || Problem::new(&BAD_REDIRECT).at("redirect_uris");
    let rest = text.strip_prefix("https://").ok_or_else(bad)?;
    let plain = text.len() <= 512
        && text.bytes().all(|b| (0x21..=0x7e).contains(&b) && !matches!(b, b'\\' | b'"' | b'<' | b'>'));
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(at);
    let host = authority.strip_suffix(":443").unwrap_or(authority);
    if !plain || tail.contains('#') || values::host(host).is_err() {
        return Err(bad());
    }
    Ok(text.to_owned())
}

impl Identity {
    /// Registers an application; it does nothing until an administrator approves it. The secret of a confidential one
    /// is shown once.
    ///
    /// # Errors
    /// `INVALID`, `SK-4040` (redirect address), `SK-4019`, `SK-4024`, `SK-4032`.
    #[boxed]
    pub async fn create_application(&self, cx: &Cx, new: NewApplication) -> Answer<ApplicationIssued> {
        let id: ApplicationId = self.id();
        let secret = new.confidential.then(|| token::new(self.rng()));
        let act = under(Right::CLIENTS_WRITE, &event::APPLICATION_CREATE, Target::tenant(cx.tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let redirects = new.redirect_uris.iter().map(|r| redirect(r)).collect::<Answer<Vec<_>>>()?;
                let after = new.post_logout_redirect_uris.iter().map(|r| redirect(r)).collect::<Answer<Vec<_>>>();
                let logout_redirects = after.map_err(|p| p.at("post_logout_redirect_uris"))?;
                let machine = new.account.is_some();
                let enough = if machine { redirects.is_empty() } else { !redirects.is_empty() || new.device_authorization };
                if redirects.len() > MOST_REDIRECTS || !enough || (machine && !new.confidential) {
                    return Err(Problem::new(&INVALID).at("redirect_uris").detail(Text::new(
                        "人に代わって動くアプリケーションには 1 件以上 10 件以下を、サービスアカウントで動く機密アプリケーションには 0 件を指定します。機器だけで使うものは 0 件でもかまいません。",
                        "Give 1 to 10 for an application that acts for people, none for a confidential one that acts as a service account; one for devices may have none.",
                    )));
                }
                if logout_redirects.len() > MOST_REDIRECTS || (!logout_redirects.is_empty() && !new.openid) || (machine && (new.openid || new.device_authorization)) {
                    return Err(Problem::new(&INVALID).at("openid").detail(Text::new(
                        "人がサインインするアプリケーションだけが、サインアウト後の戻り先を 10 件まで持てます。サービスアカウントで動くものには人がサインインしません。",
                        "An application that people sign in to has up to 10 addresses for after signing out. Nobody signs in to one that acts as a service account.",
                    )));
                }
                let backchannel = told(tx, &new)?;
                if let Some(account) = new.account {
                    let account = tx.get::<UserAccount>(account)?.ok_or_else(|| missing().at("account"))?;
                    if !account.body.service {
                        return Err(Problem::new(&NO_SERVICE_ACCOUNT).at("account"));
                    }
                }
                let application = Application {
                    name: values::label("name", &new.name)?,
                    redirects,
                    rights: rights::names(rights::named(&new.rights)?),
                    secret: secret.as_ref().map(|s| hex::encode(s.hash)),
                    account: new.account,
                    openid: new.openid,
                    logout_redirects,
                    pushed: new.require_pushed_authorization_requests,
                    bound: new.dpop_bound_access_tokens,
                    device: new.device_authorization,
                    backchannel,
                    state: ApplicationState::Pending,
                };
                tx.insert(id, &application).map_err(taken)?;
                let application = shown(&mut tx.view(), id)?;
                tx.commit(permit, Entry::of(id), ApplicationIssued { application, secret: secret.map(|s| s.text) })
            })
            .await
    }

    /// One application.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn application(&self, cx: &Cx, id: ApplicationId) -> Answer<ApplicationView> {
        let act = under(Right::CLIENTS_READ, &event::APPLICATION_READ, Target::tenant(cx.tenant), id);
        self.vault().look(cx, act, move |view| shown(view, id)).await
    }

    /// A page of applications.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn applications(
        &self,
        cx: &Cx,
        page: After<ApplicationKind>,
    ) -> Answer<Listed<ApplicationView, ApplicationId>> {
        let act = under(Right::CLIENTS_READ, &event::APPLICATION_LIST, Target::tenant(cx.tenant), "applications");
        self.vault()
            .look(cx, act, move |view| {
                let after = page.after.map(ApplicationId::cast);
                let (rows, next) =
                    guard::page(view, &Page { after, limit: page_size(page.limit), ..Page::default() }, |_| true)?;
                let items = rows.into_iter().map(application_view).collect::<Answer<_>>()?;
                Ok(Listed { items, next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Approves an application, or stops one; what a stopped one holds ends at once on every node. Whoever approves has
    /// every right that it may ask for.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4013`, `SK-4014`.
    #[boxed]
    pub async fn decide_application(&self, cx: &Cx, id: ApplicationId, approve: bool) -> Answer<ApplicationView> {
        let (tenant, reach) = (cx.tenant, self.reach(cx));
        let (right, event) = match approve {
            true => (Right::CLIENTS_APPROVE, &event::APPLICATION_APPROVE),
            false => (Right::CLIENTS_WRITE, &event::APPLICATION_STOP),
        };
        let decided = self
            .vault()
            .act(cx, under(right, event, Target::tenant(tenant), id), move |tx, permit| {
                let found = tx.get::<Application>(id)?.ok_or_else(missing)?;
                let mut entry = Entry::of(id);
                if approve {
                    reach.gives(rights::known(&found.body.rights), None)?;
                    if let Some(account) = found.body.account
                        && let Some(person) = rights::person(&mut tx.view(), tenant, account)?
                    {
                        reach.above(&person)?;
                    }
                } else {
                    entry = entry.with("ended", grants::end_all(tx, tenant, ("application_id", id.into()))?);
                    tx.keep(&sql::SIGNAL_EMPTY, &[id.into()])?;
                }
                let state = if approve { ApplicationState::Approved } else { ApplicationState::Stopped };
                tx.update(id, found.version, &Application { state, ..found.body })?;
                let now = shown(&mut tx.view(), id)?;
                tx.commit(permit, entry, now)
            })
            .await?;
        self.0.origins.forget(tenant);
        // Its key is published before anybody signs in to it.
        if approve && decided.openid {
            self.signer(cx).await?;
        }
        Ok(decided)
    }

    /// Deletes an application with every consent and token.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`.
    #[boxed]
    pub async fn delete_application(&self, cx: &Cx, id: ApplicationId, version: Option<i64>) -> Answer<()> {
        let tenant = cx.tenant;
        let act = under(Right::CLIENTS_WRITE, &event::APPLICATION_DELETE, Target::tenant(tenant), id);
        let gone = self
            .vault()
            .act(cx, act, move |tx, permit| {
                let found = tx.get::<Application>(id)?.ok_or_else(missing)?;
                if version.is_some_and(|v| v != found.version) {
                    return Err(Problem::new(&CONFLICT));
                }
                let ended = grants::end_all(tx, tenant, ("application_id", id.into()))?;
                tx.keep(&sql::SIGNAL_EMPTY, &[id.into()])?;
                for consent in consents_of(tx, id)? {
                    tx.delete::<Consent>(consent.id)?;
                }
                tx.delete::<Application>(id)?;
                tx.commit(permit, Entry::of(id).with("ended", ended), ())
            })
            .await;
        self.0.origins.forget(tenant);
        gone
    }

    /// Which applications act for oneself, oldest consent first.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`.
    #[boxed]
    pub async fn consents(&self, cx: &Cx) -> Answer<Vec<ConsentView>> {
        let (user, _) = who(cx)?;
        self.vault()
            .look(cx, own(cx, &event::CONSENT_LIST, user), move |view| {
                let mut out = Vec::new();
                for consent in people::of_user::<Consent>(view, user)? {
                    let Some(application) = view.get::<Application>(consent.body.application)? else { continue };
                    out.push(ConsentView {
                        id: consent.id(),
                        version: consent.version,
                        created: consent.created,
                        updated: consent.updated,
                        application: consent.body.application,
                        name: application.body.name,
                        rights: consent.body.rights,
                        person: consent.body.person,
                    });
                }
                Ok(out)
            })
            .await
    }

    /// Withdraws a consent; what the application holds for oneself ends at once on every node.
    ///
    /// # Errors
    /// `NOT_FOUND` for anybody else's.
    #[boxed]
    pub async fn withdraw(&self, cx: &Cx, id: ConsentId) -> Answer<()> {
        let (user, _) = who(cx)?;
        let tenant = cx.tenant;
        self.vault()
            .act(cx, own(cx, &event::CONSENT_WITHDRAW, id), move |tx, permit| {
                let consent = tx.get::<Consent>(id)?.filter(|c| c.body.user == user).ok_or_else(missing)?;
                let application = consent.body.application;
                let ended = grants::end_of(tx, tenant, user, application)?;
                tx.delete::<Consent>(id)?;
                tx.commit(permit, Entry::of(id).with("application", application).with("ended", ended), ())
            })
            .await
    }
}

pub fn missing() -> Problem {
    Problem::new(&NOT_FOUND)
}

fn consents_of(tx: &mut Tx<'_>, id: ApplicationId) -> Answer<Vec<Stored<Consent>>> {
    tx.list::<Consent>(&Page { limit: Page::MOST, eq: &[("application_id", id.into())], ..Page::default() })
}

/// The consent of a person to an application.
pub fn consent_of(view: &mut View<'_>, user: UserId, application: ApplicationId) -> Answer<Option<Stored<Consent>>> {
    Ok(people::of_user::<Consent>(view, user)?.into_iter().find(|c| c.body.application == application))
}

/// Takes away every consent and token of a person.
pub fn drop_person(tx: &mut Tx<'_>, tenant: TenantId, user: UserId) -> Answer<u32> {
    for consent in people::of_user::<Consent>(&mut tx.view(), user)? {
        tx.delete::<Consent>(consent.id)?;
    }
    grants::end_all(tx, tenant, ("user_id", user.into()))
}

/// Where a new application wants to be told that a session has ended (OpenID Connect Back-Channel Logout §2.2).
fn told(tx: &mut Tx<'_>, new: &NewApplication) -> Answer<Option<Backchannel>> {
    let place = "backchannel_logout_uri";
    let given = new.backchannel_logout_uri.as_deref().map(str::trim).filter(|uri| !uri.is_empty());
    let Some(uri) = given else {
        return match new.backchannel_logout_session_required {
            true => Err(Problem::new(&INVALID).at(place)),
            false => Ok(None),
        };
    };
    if !new.openid {
        return Err(Problem::new(&INVALID).at(place).detail(Text::new(
            "人がサインインするアプリケーションだけが、サインアウトの通知を受け取れます。",
            "Only an application that people sign in to is told of signing out.",
        )));
    }
    tx.keep(&sql::TENANT_HOLD, &[])?;
    let known = tx.list::<Application>(&Page { limit: Page::MOST, ..Page::default() })?;
    if known.iter().filter(|a| a.body.backchannel.is_some()).count() >= MOST_TOLD {
        return Err(Problem::new(&TOO_MANY_RECORDS));
    }
    let session_required = new.backchannel_logout_session_required;
    Ok(Some(Backchannel { uri: signals::address(place, uri)?, session_required }))
}

fn shown(view: &mut View<'_>, id: ApplicationId) -> Answer<ApplicationView> {
    application_view(view.get::<Application>(id)?.ok_or_else(missing)?)
}

fn application_view(a: Stored<Application>) -> Answer<ApplicationView> {
    let logouts = LogoutsView {
        sent: a.int("sent")?,
        dropped: a.int("dropped")? + a.int("overflow")?,
        failing: a.int("failing")?,
        trouble: a.column("trouble")?.code().map(str::to_owned),
    };
    Ok(ApplicationView {
        id: a.id(),
        version: a.version,
        created: a.created,
        updated: a.updated,
        confidential: a.body.secret.is_some(),
        name: a.body.name,
        redirect_uris: a.body.redirects,
        rights: a.body.rights,
        account: a.body.account,
        openid: a.body.openid,
        post_logout_redirect_uris: a.body.logout_redirects,
        require_pushed_authorization_requests: a.body.pushed,
        dpop_bound_access_tokens: a.body.bound,
        device_authorization: a.body.device,
        backchannel_logout_session_required: a.body.backchannel.as_ref().is_some_and(|b| b.session_required),
        backchannel_logout_uri: a.body.backchannel.map(|b| b.uri),
        logouts,
        state: a.body.state,
    })
}

/// A secret that was handed out, against its hash.
pub fn secret_right(application: &Application, given: Option<&Secret<String>>) -> bool {
    match (&application.secret, given) {
        (Some(hash), Some(given)) => {
            let given = token::hash(given.reveal()).map(hex::encode).unwrap_or_default();
            subtle::ConstantTimeEq::ct_eq(hash.as_bytes(), given.as_bytes()).into()
        }
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_https_on_443_and_nothing_else() {
        for good in ["https://app.example/cb", "https://app.example:443/cb?x=1", "https://app.example"] {
            assert!(redirect(good).is_ok(), "{good}");
        }
        for bad in [
            "http://app.example/cb",
            "https://app.example:8443/cb",
            "https://app.example:80/cb",
            "https://app.example/#x",
            "https://user@app.example/",
            "https://192.0.2.1/",
            "https://[::1]/",
            "https://APP.example/",
            "https://",
            "app:/cb",
            "https://app.example\\@evil.example/",
            "https://app.example/ x",
            "https://app.example:443:443/",
            "javascript:alert(1)",
            "https://app.example:/cb",
            "https:///cb",
            "//app.example/cb",
        ] {
            assert!(redirect(bad).is_err(), "{bad}");
        }
    }
}
