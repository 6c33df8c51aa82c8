//! Mail domains that lead to a provider. A domain leads nowhere before control of it is proven, by a DNS record or by an
//! operator's command, and then for one tenant only.

use sekisho_kernel::{
    Cx, Effective, Job, Problem, Target, Text,
    access::Right,
    event,
    id::{MailDomainId, MailDomainKind, ProviderId, TenantId},
    problem::{CONFLICT, INVALID, NOT_FOUND},
};
use sekisho_vault::{Act, Entry, Page, Scope, Stored, Tx};

use crate::{
    Answer, Identity, boxed, by_job, guard, page_size,
    problems::{DOMAIN_ELSEWHERE, DOMAIN_UNPROVEN, TOO_MANY_RECORDS},
    records::{IdentityProvider, MailDomain},
    token,
    types::{After, Listed, MailDomainView, NewMailDomain},
    under, values,
};

/// The label before the domain at which the record stands.
const LABEL: &str = "_sekisho-challenge";
/// What the record's text begins with.
const PREFIX: &str = "sekisho-domain-verification=";
/// Most mail domains of a tenant.
const MOST: u64 = 200;
/// What makes the pointer of a proven domain.
const POINTER: &str = "mail-domain";

fn missing() -> Problem {
    Problem::new(&NOT_FOUND)
}

/// The domain of a mail address, as it is compared.
pub fn of_mail(mail: &str) -> Option<String> {
    let mail = values::mail(mail).ok()?;
    let domain = mail.rsplit_once('@')?.1.to_ascii_lowercase();
    values::host(&domain).is_ok().then_some(domain)
}

impl Identity {
    /// Registers a mail domain; it leads nowhere before it is verified.
    ///
    /// # Errors
    /// `INVALID`, `NOT_FOUND` (provider), `CONFLICT` (registered already), `SK-4027`.
    #[boxed]
    pub async fn create_domain(&self, cx: &Cx, new: NewMailDomain) -> Answer<MailDomainView> {
        let id: MailDomainId = self.id();
        let proof = token::new(self.rng()).text.reveal().clone();
        let act = under(Right::FEDERATION_WRITE, &event::MAIL_DOMAIN_CREATE, Target::tenant(cx.tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let domain = new.domain.trim().trim_start_matches('@').to_ascii_lowercase();
                if values::host(&domain).is_err() || !domain.contains('.') || domain.len() > 253 - LABEL.len() - 1 {
                    return Err(Problem::new(&INVALID).at("domain").detail(Text::new(
                        "「example.co.jp」のように、メールアドレスの「@」より後を入力してください。",
                        "Give what follows “@” in the mail addresses, such as example.co.jp.",
                    )));
                }
                if tx.count::<MailDomain>(&[])? >= MOST {
                    return Err(Problem::new(&TOO_MANY_RECORDS));
                }
                tx.get::<IdentityProvider>(new.provider)?.ok_or_else(|| missing().at("provider"))?;
                let record = MailDomain { domain, provider: new.provider, proof, verified: None };
                tx.insert(id, &record).map_err(already)?;
                let made = shown(tx, id)?;
                tx.commit(permit, Entry::of(id).with("provider", made.provider), made)
            })
            .await
    }

    /// A page of mail domains.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn domains(
        &self,
        cx: &Cx,
        page: After<MailDomainKind>,
        provider: Option<ProviderId>,
    ) -> Answer<Listed<MailDomainView, MailDomainId>> {
        let act = under(Right::FEDERATION_READ, &event::MAIL_DOMAIN_LIST, Target::tenant(cx.tenant), "mail-domains");
        self.vault()
            .look(cx, act, move |view| {
                let (after, limit) = (page.after.map(MailDomainId::cast), page_size(page.limit));
                let mut eq = Vec::new();
                eq.extend(provider.map(|p| ("provider_id", p.into())));
                let (rows, next) = guard::page(view, &Page { after, limit, eq: &eq, ..Page::default() }, |_| true)?;
                Ok(Listed { items: rows.into_iter().map(domain_view).collect(), next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Looks for the DNS record that proves control of the domain; from then on it leads to its provider.
    ///
    /// # Errors
    /// `NOT_FOUND`; `SK-4057` without the record, with what was found; `SK-4058` when it is another tenant's.
    #[boxed]
    pub async fn verify_domain(&self, cx: &Cx, id: MailDomainId) -> Answer<MailDomainView> {
        let act = || under(Right::FEDERATION_WRITE, &event::MAIL_DOMAIN_VERIFY, Target::tenant(cx.tenant), id);
        // Whoever lacks the right makes us ask nobody.
        if !self.reach(cx).has(Right::FEDERATION_WRITE, None) {
            return self.verified(cx, act(), id, "dns").await;
        }
        let found = self.vault().peek(&Scope::of(cx), move |view| view.get::<MailDomain>(id)).await?;
        let Some(domain) = found else { return Err(self.stop(cx, act(), missing()).await) };
        let name = format!("{LABEL}.{}", domain.body.domain);
        let wanted = format!("{PREFIX}{}", domain.body.proof);
        let unproven = match self.0.outside.txt(&name).await {
            Ok(texts) if texts.contains(&wanted) => return self.verified(cx, act(), id, "dns").await,
            Ok(texts) if texts.is_empty() => Text::owned(
                format!("{name} に TXT レコードがありません。反映までに時間がかかることがあります。"),
                format!("{name} has no TXT record. It may take a while to be seen."),
            ),
            Ok(_) => Text::owned(
                format!("{name} の TXT レコードの値が違います。"),
                format!("{name} has a TXT record with another value."),
            ),
            Err(why) => {
                let why = why.text();
                Text::owned(
                    format!("DNS に問い合わせできません。{}", why.ja),
                    format!("DNS cannot be asked. {}", why.en),
                )
            }
        };
        Err(self.stop(cx, act(), Problem::new(&DOMAIN_UNPROVEN).at("domain").detail(unproven)).await)
    }

    /// An operator vouches for a domain.
    ///
    /// # Errors
    /// `NOT_FOUND`; `SK-4058`.
    #[boxed]
    pub async fn vouch_domain(&self, tenant: TenantId, domain: &str) -> Answer<MailDomainView> {
        let cx = Cx::job(tenant, Job::Command, Effective::platform(self.platform()), self.rng());
        let domain = domain.to_ascii_lowercase();
        let found = self.vault().peek(&Scope::of(&cx), move |view| view.find::<MailDomain>("domain", &domain)).await?;
        let id: MailDomainId = found.first().map(Stored::id).ok_or_else(missing)?;
        let act = by_job(&cx, Job::Command, &event::MAIL_DOMAIN_VERIFY, id);
        self.verified(&cx, act, id, "operator").await
    }

    async fn verified(&self, cx: &Cx, act: Act, id: MailDomainId, by: &'static str) -> Answer<MailDomainView> {
        let now = self.now();
        self.vault()
            .act(cx, act, move |tx, permit| {
                let found = tx.get::<MailDomain>(id)?.ok_or_else(missing)?;
                if found.body.verified.is_none() {
                    let elsewhere = |p: Problem| {
                        if p.is(&CONFLICT) { Problem::new(&DOMAIN_ELSEWHERE).at("domain") } else { p }
                    };
                    tx.point(POINTER, &key(&found.body.domain), id, None).map_err(elsewhere)?;
                    tx.update(id, found.version, &MailDomain { verified: Some(now), ..found.body })?;
                }
                let view = shown(tx, id)?;
                tx.commit(permit, Entry::of(id).with("by", by), view)
            })
            .await
    }

    /// Deletes a mail domain; it leads nowhere any more and is free for whoever controls it.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn delete_domain(&self, cx: &Cx, id: MailDomainId) -> Answer<()> {
        let act = under(Right::FEDERATION_WRITE, &event::MAIL_DOMAIN_DELETE, Target::tenant(cx.tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let found = tx.get::<MailDomain>(id)?.ok_or_else(missing)?;
                drop_one(tx, &found)?;
                tx.commit(permit, Entry::of(id).with("provider", found.body.provider), ())
            })
            .await
    }
}

fn key(domain: &str) -> [u8; 32] {
    token::sha256(&[domain.as_bytes()])
}

fn drop_one(tx: &mut Tx<'_>, domain: &Stored<MailDomain>) -> Answer<()> {
    if domain.body.verified.is_some() {
        tx.unpoint(POINTER, &key(&domain.body.domain))?;
    }
    tx.delete::<MailDomain>(domain.id)?;
    Ok(())
}

/// Takes every domain of a provider away.
pub fn drop_of(tx: &mut Tx<'_>, provider: ProviderId) -> Answer<()> {
    let eq = [("provider_id", provider.into())];
    for domain in tx.list::<MailDomain>(&Page { limit: 1_000, eq: &eq, ..Page::default() })? {
        drop_one(tx, &domain)?;
    }
    Ok(())
}

fn already(problem: Problem) -> Problem {
    if !problem.is(&CONFLICT) {
        return problem;
    }
    Problem::new(&CONFLICT)
        .at("domain")
        .detail(Text::new("このメールドメインはすでに登録されています。", "This mail domain is registered already."))
}

fn shown(tx: &mut Tx<'_>, id: MailDomainId) -> Answer<MailDomainView> {
    tx.get::<MailDomain>(id)?.map(domain_view).ok_or_else(missing)
}

fn domain_view(d: Stored<MailDomain>) -> MailDomainView {
    MailDomainView {
        id: d.id(),
        version: d.version,
        created: d.created,
        updated: d.updated,
        record_name: format!("{LABEL}.{}", d.body.domain),
        record_value: format!("{PREFIX}{}", d.body.proof),
        domain: d.body.domain,
        provider: d.body.provider,
        verified_at: d.body.verified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_of_an_address() {
        assert_eq!(of_mail("Hanako@Example.CO.JP").as_deref(), Some("example.co.jp"));
        for bad in ["", "hanako", "a@b", "a@b@c.jp", "a@例え.jp", "a@-b.jp"] {
            assert_eq!(of_mail(bad), None, "{bad}");
        }
    }
}
