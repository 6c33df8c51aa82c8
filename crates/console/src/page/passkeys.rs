//! The pages' forms of passkeys. The script fills them with what the browser's authenticator has said.

use std::sync::Arc;

use axum::response::Response;
use sekisho_identity::types::{PasskeyAnswer, PasskeyPatch};
use sekisho_kernel::Problem;
use serde::Deserialize;

use super::{account, again, sign_in};
use crate::{
    api::{Hidden, PasswordInput, passkeys::known_party},
    call::Call,
    page,
    problem::{Fault, MALFORMED},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    ceremony: Hidden,
    credential: String,
    #[serde(default)]
    name: String,
}

fn answer(call: &Call) -> Result<PasskeyAnswer, Fault> {
    let form: Form = call.input()?;
    let broken = |e: serde_json::Error| Fault::own(Problem::new(&MALFORMED).at("credential").log(e));
    let credential = serde_json::from_str(&form.credential).map_err(broken)?;
    Ok(PasskeyAnswer { ceremony: form.ceremony.0, credential, name: form.name })
}

/// POST /sign-in/passkey
pub async fn sign_in(call: Arc<Call>) -> Result<Response, Fault> {
    let factor = sign_in::challenge(&call).is_some() && call.field("step") == "factor";
    let step = match answer(&call) {
        Ok(given) => {
            let identity = &call.parts.identity;
            let party = known_party(&call);
            identity.sign_in_passkey(&call.knock(true), &call.browser(), &party, given).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match step {
        Ok(step) => sign_in::go_on(&call, step),
        Err(fault) if factor => again(&call, "passkey", fault, sign_in::show_factor_with).await,
        Err(fault) => again(&call, "passkey", fault, sign_in::show_start).await,
    }
}

/// POST /sign-in/enrol/passkey
pub async fn enrol(call: Arc<Call>) -> Result<Response, Fault> {
    let step = match answer(&call) {
        Ok(given) => {
            let identity = &call.parts.identity;
            let party = known_party(&call);
            identity.enrol_passkey(&call.knock(true), &call.browser(), &party, given).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match step {
        Ok(step) => sign_in::go_on(&call, step),
        Err(fault) => again(&call, "passkey", fault, sign_in::show_enrol_with).await,
    }
}

/// POST /account/passkeys
pub async fn create(call: Arc<Call>) -> Result<Response, Fault> {
    let made = match answer(&call) {
        Ok(given) => {
            let identity = &call.parts.identity;
            identity.create_passkey(call.cx()?, &known_party(&call), given).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match made {
        Ok(made) if made.recovery_codes.is_empty() => page::done("/account", "passkey-added"),
        Ok(made) => account::shown(&call, &made.recovery_codes),
        Err(fault) => again(&call, "passkey", fault, account::show_with).await,
    }
}

/// POST /account/passkeys/{id}
pub async fn rename(call: Arc<Call>) -> Result<Response, Fault> {
    let form = format!("rename-{}", call.param("id"));
    let renamed = match call.input::<PasskeyPatch>() {
        Ok(patch) => {
            let version = call.needed_version()?;
            let identity = &call.parts.identity;
            identity.rename_passkey(call.cx()?, call.id("id")?, version, patch).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match renamed {
        Ok(_) => page::done("/account", "saved"),
        Err(fault) => again(&call, &form, fault, account::show_with).await,
    }
}

/// POST /account/passkeys/{id}/delete
pub async fn remove(call: Arc<Call>) -> Result<Response, Fault> {
    let form = format!("forget-{}", call.param("id"));
    let removed = match call.input::<PasswordInput>() {
        Ok(given) => {
            let identity = &call.parts.identity;
            identity.delete_passkey(call.cx()?, call.id("id")?, given.password.0).await.map_err(Fault::from)
        }
        Err(fault) => Err(fault),
    };
    match removed {
        Ok(()) => page::done("/account", "passkey-removed"),
        Err(fault) => again(&call, &form, fault, account::show_with).await,
    }
}
