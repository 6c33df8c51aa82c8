//! `sekisho serve`

use std::sync::Arc;

use sekisho_kernel::{Lang, SystemRng, event};
use tokio::signal::unix::{SignalKind, signal};

use super::{DONE, NO_INSTANCE, WRONG, bad_policy, complain, finish, host, paths, print, root};
use crate::{
    cli::Place,
    instance::{Instance, Spec},
    policies, settings, socket,
};

/// Serves until SIGTERM or SIGINT; SIGHUP reads the policy again.
pub async fn run(place: Place, lang: Lang) -> u8 {
    let paths = paths(&place);
    if !paths.policy.exists() {
        return finish(Err(sekisho_kernel::Problem::new(&NO_INSTANCE).at(paths.data.display().to_string())), lang);
    }
    let policy = match policies::from_file(&settings::schema(), &paths.policy, lang) {
        Ok(policy) => Arc::new(policy),
        Err(unreadable) => return finish(Ok(bad_policy(unreadable)), lang),
    };
    let root = match root(&place, &paths) {
        Ok(root) => root,
        Err(problem) => return finish(Err(problem), lang),
    };
    let spec = Spec { root, paths, policy, rng: Arc::new(SystemRng) };
    match Instance::serve(spec).await {
        Ok(instance) => until_stopped(instance, lang, |_| String::new()).await,
        Err(problem) => finish(Err(problem), lang),
    }
}

/// Runs the jobs and the command socket until the process is told to stop.
pub async fn until_stopped(instance: Instance, lang: Lang, greet: impl FnOnce(&Instance) -> String) -> u8 {
    let data = instance.paths.data.clone();
    let instance = Arc::new(instance);
    let socket = match socket::listen(&data, Arc::new(host::Host(instance.clone()))) {
        Ok(socket) => socket,
        Err(e) => {
            complain(&format!("{}: {e}\n", socket::path(&data).display()));
            return WRONG;
        }
    };
    let jobs = instance.jobs.clone();
    let running = tokio::spawn(async move { jobs.run().await });
    let greeting = greet(&instance);
    if greeting.is_empty() {
        for (kind, at) in
            instance.nodes.iter().filter_map(|n| n.gateway.as_ref()).flat_map(sekisho_gateway::Gateway::bound)
        {
            print(&format!("{} {at}\n", format!("{kind:?}").to_lowercase()));
        }
    } else {
        print(&greeting);
    }
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()));
    let (Ok(mut term), Ok(mut int), Ok(mut hup)) = signals else {
        complain("the process cannot hear signals\n");
        return WRONG;
    };
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = int.recv() => break,
            _ = hup.recv() => {
                let outcome = host::run(&instance, vec![lang.tag().into(), "reload".into()], None).await;
                print(&outcome.stdout);
                complain(&outcome.stderr);
            }
        }
    }
    running.abort();
    drop(socket);
    if let Err(problem) = instance.note(&event::INSTANCE_STOP).await {
        tracing::error!(?problem, "the stop could not be entered");
    }
    // Commands still under way hold the instance for a moment.
    for _ in 0..50 {
        if Arc::strong_count(&instance) == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    match Arc::try_unwrap(instance) {
        Ok(mut instance) => instance.stop(host::GRACE).await,
        Err(shared) => shared.store.close(),
    }
    DONE
}
