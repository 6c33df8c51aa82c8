//! Commands on an instance's host: run by the instance itself, for whoever reaches its command socket. Each is an entry.

use std::{net::IpAddr, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use sekisho_kernel::{
    Cx, Effective, Job, Lang, Outcome, Problem, Secret, Text, event,
    hook::Directory,
    id::TenantId,
    problem::{INVALID, NOT_FOUND},
    world::CommandOutcome,
};
use sekisho_prober::Evidence;

use super::{FAILED, WRONG, ledger, refused, said, unreadable, write_private};
use crate::{
    instance::Instance,
    policies,
    provision::{Provision, console_of},
    settings,
    socket::Commands,
};

/// The running instance behind its command socket.
pub struct Host(pub Arc<Instance>);

#[async_trait]
impl Commands for Host {
    async fn command(&self, args: Vec<String>, input: Option<String>) -> CommandOutcome {
        run(&self.0, args, input).await
    }
}

/// Runs one command: the language's tag, then words.
pub async fn run(instance: &Instance, args: Vec<String>, input: Option<String>) -> CommandOutcome {
    let (lang, words) = match args.split_first().and_then(|(tag, rest)| Some((Lang::from_tag(tag)?, rest.to_vec()))) {
        Some(split) => split,
        None => (Lang::En, args),
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = act(instance, &words, input, lang).await;
    // What a command shows is for the terminal; the entry names the command, never its secrets.
    let name = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
    let result = match &outcome {
        Ok(o) if o.code == 0 => Outcome::Success,
        _ => Outcome::Failed,
    };
    if let Err(problem) = note(instance, &name, result).await {
        return refused(FAILED, format!("{} {}\n", problem.kind.code, problem.message(lang)));
    }
    outcome.unwrap_or_else(|problem| {
        tracing::warn!(?problem, command = name, "a command failed");
        refused(FAILED, format!("{} {}\n", problem.kind.code, problem.message(lang)))
    })
}

async fn note(instance: &Instance, name: &str, outcome: Outcome) -> Result<(), Problem> {
    let policy = Effective::platform(instance.policy());
    let cx = Cx::job(TenantId::NIL, Job::Command, policy, &*instance.rng);
    instance.vault.enter(&cx, &event::COMMAND_RUN, outcome, name, Vec::new()).await
}

fn tenant_id(text: &str) -> Result<TenantId, Problem> {
    let detail = Text::new(
        "組織の識別子は `ten_` に 32 桁の 16 進数が続きます。`sekisho tenant list` で確かめられます。",
        "An organisation's id is `ten_` and 32 hex digits; `sekisho tenant list` shows them.",
    );
    text.parse().map_err(|_| Problem::new(&INVALID).at(text.to_owned()).detail(detail))
}

async fn act(
    instance: &Instance,
    words: &[&str],
    input: Option<String>,
    lang: Lang,
) -> Result<CommandOutcome, Problem> {
    let identity = &instance.nodes[0].identity;
    let loopback: IpAddr = [127, 0, 0, 1].into();
    let provision = Provision { identity, rng: &*instance.rng, peer: loopback };
    match words {
        ["status"] => Ok(said(status(instance, lang).await?)),
        ["reload"] => reload(instance, lang).await,
        ["tenant", "create", name, console, application] => {
            let (tenant, link) = provision.tenant(Job::Command, name, console, application).await?;
            Ok(said(link_text(instance, tenant, &link, lang).await?))
        }
        ["tenant", "list"] => {
            let mut out = String::new();
            for (tenant, name) in identity.tenants().await? {
                let host = identity.console_host(tenant).await?.map_or_else(String::new, |h| h.host.clone());
                out.push_str(&format!("{tenant}  {host}  {name}\n"));
            }
            Ok(said(out))
        }
        ["admin", "recover", tenant] => {
            let tenant = tenant_id(tenant)?;
            let (_, link) = identity.recover_admin(tenant).await?;
            Ok(said(link_text(instance, tenant, &link, lang).await?))
        }
        ["user", "unlock", tenant, name] => {
            let user = identity.unlock(tenant_id(tenant)?, name).await?;
            Ok(said(match lang {
                Lang::Ja => format!("{user} のロックを解除しました。\n"),
                Lang::En => format!("{user} is unlocked.\n"),
            }))
        }
        ["domain", "verify", tenant, domain] => {
            let verified = identity.vouch_domain(tenant_id(tenant)?, domain).await?.domain;
            Ok(said(match lang {
                Lang::Ja => format!("{verified} の管理を確認済みにしました。\n"),
                Lang::En => format!("{verified} now counts as controlled by the organisation.\n"),
            }))
        }
        ["key", "rotate", tenant] => {
            let version = instance.vault.rotate_key(&command_cx(instance, tenant_id(tenant)?)).await?;
            Ok(said(match lang {
                Lang::Ja => format!("鍵の第 {version} 版を作り、データ鍵を包み直しました。\n"),
                Lang::En => format!("Key version {version} is made and the data keys are wrapped under it.\n"),
            }))
        }
        ["key", "turn", tenant, before @ ("keep" | "withdraw")] => {
            let keys = identity.turn_signing_keys_of(tenant_id(tenant)?, *before == "withdraw").await?;
            let kid = keys.last().map_or("", |k| k.kid.as_str());
            Ok(said(match lang {
                Lang::Ja => format!("鍵 {kid} が署名を始めました。公開中の鍵は {} 件です。\n", keys.len()),
                Lang::En => format!("The key {kid} signs from now on. Keys published: {}.\n", keys.len()),
            }))
        }
        ["key", "shred", tenant, confirm] => {
            let tenant = tenant_id(tenant)?;
            let named = identity.tenants().await?.into_iter().any(|(id, name)| id == tenant && name == *confirm);
            if !named {
                let detail = Text::new(
                    "確認のため、`sekisho tenant list` にある組織の名前をそのまま指定してください。",
                    "To be sure, give the organisation's name exactly as `sekisho tenant list` shows it.",
                );
                return Err(Problem::new(&INVALID).at("--confirm").detail(detail));
            }
            instance.vault.delete_tenant(&command_cx(instance, tenant)).await?;
            Ok(said(match lang {
                Lang::Ja => format!("{tenant} の鍵を破棄しました。この組織のデータは二度と読めません。\n"),
                Lang::En => format!("The key of {tenant} is destroyed. Its data can never be read again.\n"),
            }))
        }
        ["relation", name, tenant, rest @ ..] => {
            let done = super::relation::act(identity, name, tenant_id(tenant)?, rest, lang).await?;
            Ok(done.unwrap_or_else(|| unknown(words, lang)))
        }
        ["waf", "feed", "status"] => Ok(said(super::waf::status(&instance.firewall, lang))),
        ["waf", "feed", "fetch"] if !instance.firewall.has_feed() => Ok(super::waf::none(lang)),
        ["waf", "feed", "fetch"] => Ok(said(super::waf::fetch(instance, lang).await?)),
        ["ledger", "verify"] => ledger::on_instance(instance, lang).await,
        ["ledger", "export", log] => {
            ledger::export(instance, if *log == "platform" { TenantId::NIL } else { tenant_id(log)? }).await
        }
        ["evidence", "enter"] => {
            let given: Vec<Evidence> = serde_json::from_str(&input.unwrap_or_default())
                .map_err(|e| Problem::new(&INVALID).at("evidence").log(e))?;
            for evidence in given {
                instance.shelf.enter(evidence).await?;
            }
            Ok(said(""))
        }
        ["evidence", "list"] => {
            let worth = instance.shelf.worth().await?;
            Ok(said(serde_json::to_string(&worth).map_err(|e| Problem::new(&INVALID).log(e))?))
        }
        ["canary", "make", password] => canary(instance, &provision, password).await,
        ["canary", "end", tenants @ ..] => {
            for tenant in tenants {
                instance.vault.delete_tenant(&command_cx(instance, tenant_id(tenant)?)).await?;
            }
            Ok(said(""))
        }
        _ => Ok(unknown(words, lang)),
    }
}

fn unknown(words: &[&str], lang: Lang) -> CommandOutcome {
    let words = words.join(" ");
    refused(
        WRONG,
        match lang {
            Lang::Ja => format!("このコマンドはありません: {words}\n"),
            Lang::En => format!("There is no such command: {words}\n"),
        },
    )
}

fn command_cx(instance: &Instance, tenant: TenantId) -> Cx {
    Cx::job(tenant, Job::Command, Effective::platform(instance.policy()), &*instance.rng)
}

async fn status(instance: &Instance, lang: Lang) -> Result<String, Problem> {
    let policy = instance.policy();
    let tenants = instance.vault.tenants().await?.len();
    let bound: Vec<String> = instance
        .nodes
        .iter()
        .filter_map(|n| n.gateway.as_ref())
        .flat_map(|g| g.bound().iter().map(|(kind, at)| format!("{kind:?} {at}").to_lowercase()))
        .collect();
    let (build, digest, key) = (crate::process::build(), policy.digest(), instance.vault.verifier_key()?);
    let (name, bound) = (policy.name(), bound.join(", "));
    Ok(match lang {
        Lang::Ja => format!(
            "ポリシー: {name} {digest}\nビルド: {build}\n待ち受け: {bound}\n組織: {tenants}\n記録の検証鍵: {key}\n"
        ),
        Lang::En => format!(
            "policy: {name} {digest}\nbuild: {build}\nlistening: {bound}\norganisations: {tenants}\nlog verifier key: {key}\n"
        ),
    })
}

async fn reload(instance: &Instance, lang: Lang) -> Result<CommandOutcome, Problem> {
    match policies::from_file(&settings::schema(), &instance.paths.policy, lang) {
        Ok(policy) => {
            let digest = policy.digest();
            instance.reload(policy).await?;
            Ok(said(match lang {
                Lang::Ja => format!("新しいポリシーが有効になりました: {digest}\n"),
                Lang::En => format!("The new policy is in force: {digest}\n"),
            }))
        }
        Err(unreadable) => {
            let kept = match lang {
                Lang::Ja => "ポリシーファイルに誤りがあるため、これまでのポリシーのまま動作を続けます。\n",
                Lang::En => "The policy file is not right; the old policy stays in force.\n",
            };
            Ok(refused(FAILED, format!("{}\n{kept}", unreadable.0)))
        }
    }
}

async fn link_text(
    instance: &Instance,
    tenant: TenantId,
    link: &Secret<String>,
    lang: Lang,
) -> Result<String, Problem> {
    let host = console_of(&instance.nodes[0].identity, tenant).await?;
    let port = instance.nodes[0].gateway.as_ref().and_then(sekisho_gateway::Gateway::https).map_or(443, |a| a.port());
    let origin = if port == 443 { host.host.clone() } else { format!("{}:{port}", host.host) };
    let url = format!("https://{origin}/link#{}", link.reveal());
    Ok(match lang {
        Lang::Ja => format!("組織: {tenant}\n管理者のリンク（1 時間、1 回限り）:\n{url}\n"),
        Lang::En => format!("organisation: {tenant}\nadministrator's link (one hour, once):\n{url}\n"),
    })
}

async fn canary(instance: &Instance, provision: &Provision<'_>, password: &str) -> Result<CommandOutcome, Problem> {
    let mut out = Vec::new();
    for _ in 0..2 {
        let label = hex::encode(sekisho_kernel::rng::bytes::<6>(&*instance.rng));
        let (console, application) =
            (format!("canary-{label}.console.localhost"), format!("canary-{label}.app.localhost"));
        let canary = provision.organisation(&format!("Canary {label}"), &console, &application, password).await?;
        out.push(serde_json::json!({
            "tenant": canary.tenant,
            "name": canary.name,
            "console": canary.console,
            "application": canary.application,
            "user": canary.admin.user,
            "admin": canary.admin.name,
        }));
    }
    let gateway = instance.nodes[0].gateway.as_ref().ok_or_else(|| Problem::new(&NOT_FOUND).at("door"))?;
    let find = |kind| gateway.bound().iter().find(|(k, _)| *k == kind).map(|(_, at)| at.to_string());
    let answer = serde_json::json!({
        "canaries": out,
        "https": find(sekisho_gateway::Entrance::Https),
        "http": find(sekisho_gateway::Entrance::Http),
        "trust": gateway.trust(),
        "build": crate::process::build(),
    });
    Ok(said(answer.to_string()))
}

/// Puts the link of an outcome into a 0600 file, when one was asked for.
///
/// # Errors
/// The file cannot be written.
pub fn deliver_link(mut outcome: CommandOutcome, file: Option<&Path>, lang: Lang) -> Result<CommandOutcome, Problem> {
    if let (Some(file), 0) = (file, outcome.code) {
        write_private(file, &outcome.stdout).map_err(|e| unreadable(file, &e))?;
        outcome.stdout = match lang {
            Lang::Ja => format!("リンクを {} に書きました（本人だけが読めます）。\n", file.display()),
            Lang::En => format!("The link is in {} (readable by its owner alone).\n", file.display()),
        };
    }
    Ok(outcome)
}

/// Puts an exported log, which came as hex, into its file.
///
/// # Errors
/// The file cannot be written.
pub fn save_export(outcome: CommandOutcome, file: &Path, lang: Lang) -> Result<CommandOutcome, Problem> {
    if outcome.code != 0 {
        return Ok(outcome);
    }
    let bytes = hex::decode(outcome.stdout.trim()).map_err(|e| Problem::new(&INVALID).at("export").log(e))?;
    std::fs::write(file, &bytes).map_err(|e| unreadable(file, &e))?;
    let shown = file.display();
    Ok(said(match lang {
        Lang::Ja => format!("{shown} に書きました。`sekisho ledger verify --export {shown}` で検証できます。\n"),
        Lang::En => format!("Written to {shown}. Verify it with `sekisho ledger verify --export {shown}`.\n"),
    }))
}

/// How long a stopping instance waits for what has begun.
pub const GRACE: Duration = Duration::from_secs(20);
