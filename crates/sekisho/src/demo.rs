//! `sekisho demo`: a whole instance in a scratch directory, a sample application behind it, two organisations with people
//! in them.

use std::{path::PathBuf, sync::Arc};

use sekisho_kernel::{
    Lang, Problem, Rng, SystemRng,
    access::UserType,
    policy::Value,
    rng,
    world::{Account, Canary},
};
use sekisho_keys::{RootFile, RootSource};

use crate::{
    commands::{bad_policy, complain, finish, serve, unreadable},
    instance::{Instance, Spec},
    place::Paths,
    policies,
    provision::{Person, Provision},
    sample, settings,
};

const PORT: u16 = 8443;

struct Organisation {
    canary: Canary,
    people: Vec<(Account, &'static str)>,
}

/// Runs it until stopped.
pub async fn run(port: Option<u16>, data: Option<PathBuf>, lang: Lang) -> u8 {
    let scratch = data.is_none();
    let dir = data.unwrap_or_else(|| {
        std::env::temp_dir().join(format!("sekisho-demo-{}", hex::encode(rng::bytes::<6>(&SystemRng))))
    });
    let code = match start(port, dir.clone(), lang).await {
        Ok((instance, organisations, application)) => {
            let code = serve::until_stopped(instance, lang, |instance| greeting(instance, &organisations, lang)).await;
            drop(application);
            code
        }
        Err(Stopped::Problem(problem)) => finish(Err(problem), lang),
        Err(Stopped::Policy(unreadable)) => finish(Ok(bad_policy(unreadable)), lang),
    };
    if scratch
        && let Err(e) = std::fs::remove_dir_all(&dir)
        && e.kind() != std::io::ErrorKind::NotFound
    {
        complain(&format!("{}: {e}\n", dir.display()));
    }
    code
}

enum Stopped {
    Problem(Problem),
    Policy(policies::Unreadable),
}

impl From<Problem> for Stopped {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

async fn start(
    port: Option<u16>,
    dir: PathBuf,
    lang: Lang,
) -> Result<(Instance, Vec<Organisation>, sample::Sample), Stopped> {
    let file = |e: std::io::Error| unreadable(&dir, &e);
    if dir.exists() {
        return Err(file(std::io::ErrorKind::AlreadyExists.into()).into());
    }
    let paths = Paths::around(&dir.join("data"));
    std::fs::create_dir_all(&paths.data).map_err(file)?;
    RootFile::create(&paths.root_key, &SystemRng)?;
    let application = sample::start().await.map_err(file)?;
    let port = match port {
        Some(port) => port,
        // The demo asks for the usual port and takes any when somebody has it.
        None if sample::is_free(PORT) => PORT,
        None => 0,
    };
    let text = format!(
        "name = \"netmeister\"\nextends = \"netmeister\"\n\n[listen]\nhttps = [\"127.0.0.1:{port}\"]\n\n[door]\nupstream = \"http://{}\"\n\n[waf]\ntenant_exclusions = 20\n",
        application.address
    );
    std::fs::write(&paths.policy, &text).map_err(file)?;
    let policy: sekisho_kernel::Policy =
        policies::from_file(&settings::schema(), &paths.policy, lang).map_err(Stopped::Policy)?;
    debug_assert!(matches!(policy.value(&sekisho_gateway::settings::UPSTREAM), Value::Str(_)));
    let rng: Arc<dyn Rng> = Arc::new(SystemRng);
    let spec = Spec { root: RootSource::File(paths.root_key.clone()), paths, policy: Arc::new(policy), rng };
    let instance = Instance::serve(spec).await?;
    let provision = Provision { identity: &instance.nodes[0].identity, rng: &SystemRng, peer: [127, 0, 0, 1].into() };
    let (first, second) = tokio::try_join!(
        organisation(&provision, "暁精機", "akatsuki", ["佐藤 花子", "鈴木 一郎", "高橋 美咲"]),
        organisation(&provision, "Blue Harbour Ltd.", "harbour", ["Alice Grant", "Ben Ito", "Carla Diaz"]),
    )?;
    Ok((instance, vec![first, second], application))
}

async fn organisation(
    provision: &Provision<'_>,
    name: &str,
    label: &str,
    names: [&str; 3],
) -> Result<Organisation, Problem> {
    let (console, app) = (format!("{label}.console.localhost"), format!("{label}.app.localhost"));
    let password = |who: &str| format!("Sekisho-{who}-Michi-7");
    let canary = provision.organisation(name, &console, &app, &password("admin")).await?;
    let desk = provision.sign_in(&console, &canary.admin).await?;
    let mut people = Vec::new();
    for (kind, display_name) in [UserType::Approver, UserType::User].into_iter().zip(&names[1..]) {
        let who = kind.name();
        let person = Person { name: who, display_name, kind, site: None, password: &password(who) };
        people.push((provision.person(&desk, person).await?, who));
    }
    provision.leave(desk).await?;
    Ok(Organisation { canary, people })
}

fn greeting(instance: &Instance, organisations: &[Organisation], lang: Lang) -> String {
    let port = instance.nodes[0].gateway.as_ref().and_then(sekisho_gateway::Gateway::https).map_or(PORT, |a| a.port());
    let data = instance.paths.data.display();
    let mut out = match lang {
        Lang::Ja => String::from("Sekisho（関所）のデモが動いています。止めるには Ctrl-C。\n"),
        Lang::En => String::from("The Sekisho demo is running. Ctrl-C stops it.\n"),
    };
    for organisation in organisations {
        let c = &organisation.canary;
        let (app, console) = match lang {
            Lang::Ja => ("アプリケーション", "コンソール"),
            Lang::En => ("application", "console"),
        };
        out.push_str(&format!(
            "\n{}\n  {app}: https://{}:{port}/\n  {console}: https://{}:{port}/\n",
            c.name, c.application, c.console
        ));
        let admin = (&c.admin, "administrator");
        for (account, kind) in std::iter::once(admin).chain(organisation.people.iter().map(|(a, k)| (a, *k))) {
            out.push_str(&format!("  {kind:<14} {:<14} {}\n", account.name, account.password.reveal()));
        }
    }
    let (db, verify) = (instance.paths.data.join("sekisho.db"), format!("sekisho ledger verify --data {data}"));
    let db = db.display();
    out.push_str(&match lang {
        Lang::Ja => format!(
            "\nデモ用の認証局はブラウザーに知られていないため、最初に警告が出ます（{data}/authority.pem）。\n\
             試してみてください:\n\
             \x20 1. アプリケーションを開き、利用者としてサインインする。アプリケーション自身はサインインを知りません。\n\
             \x20 2. パスワードを 3 回間違える。30 分間、正しいパスワードも通りません（解除: sekisho user unlock）。\n\
             \x20 3. コンソールで操作履歴を見る。時刻は誰が見ても JST です。\n\
             \x20 4. データベースを手で書き換え（sqlite3 {db}）、検証する: {verify}\n\
             \x20 5. 約束を破ろうとしてみる: sekisho prove\n"
        ),
        Lang::En => format!(
            "\nBrowsers do not know the demo's certificate authority and will warn once ({data}/authority.pem).\n\
             Try this:\n\
             \x20 1. Open an application and sign in as a user. The application itself knows nothing of sign-in.\n\
             \x20 2. Give a wrong password three times. For 30 minutes the right one is refused too (sekisho user unlock).\n\
             \x20 3. Read the operation history in the console. Its times are JST for everyone.\n\
             \x20 4. Edit the database by hand (sqlite3 {db}) and verify it: {verify}\n\
             \x20 5. Try to break the promises: sekisho prove\n"
        ),
    });
    out
}
