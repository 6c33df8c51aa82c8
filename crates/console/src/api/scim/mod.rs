//! SCIM 2.0 (RFC 7644): what an identity provider calls. Bodies are `application/scim+json`, errors those of §3.12.

mod bulk;

use std::sync::Arc;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sekisho_identity::{
    problems::SCIM_SYNTAX,
    scim::{
        names,
        patch::field,
        schema::{GROUPS, ResourceType, USERS, resource_types, schemas},
    },
    types::{ScimList, ScimPrecondition, ScimQuery, ScimResource, ScimShape},
};
use sekisho_kernel::{
    Problem,
    id::{ScimGroupId, UserId},
    problem::NOT_FOUND,
};
use serde_json::{Value, json};

use super::oauth::issuer;
use crate::{
    call::Call,
    problem::{Fault, SCIM_NOT_IMPLEMENTED},
    serve::defect,
};

pub use bulk::bulk;

/// The largest body, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// Where SCIM lives at this host.
pub(crate) fn base(call: &Call) -> String {
    format!("{}/scim/v2", issuer(call))
}

/// The body as JSON.
fn body(call: &Call) -> Result<Value, Fault> {
    serde_json::from_slice(&call.body).map_err(|e| Fault::own(Problem::new(&SCIM_SYNTAX).log(e)))
}

fn expected(call: &Call) -> ScimPrecondition {
    let text = |name| call.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    ScimPrecondition { matches: text(header::IF_MATCH) }
}

/// JSON of SCIM.
fn answer(status: StatusCode, value: &Value) -> Result<Response, Fault> {
    let bytes = serde_json::to_vec(value).map_err(defect)?;
    Ok((status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/scim+json"))], bytes).into_response())
}

/// What of a resource the query asks for.
fn shape(call: &Call) -> ScimShape {
    let list = |name: &str| -> Vec<String> {
        let all = call.query().into_iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let names = all.flat_map(|(_, v)| v.split(',').map(|n| n.trim().to_owned()).collect::<Vec<_>>());
        names.filter(|n| !n.is_empty()).take(100).collect()
    };
    ScimShape { only: list("attributes"), without: list("excludedAttributes") }
}

/// A resource with its version and address.
fn resource(
    call: &Call,
    of: &'static ResourceType,
    status: StatusCode,
    found: ScimResource,
) -> Result<Response, Fault> {
    let unchanged = call
        .headers
        .get(header::IF_NONE_MATCH)
        .filter(|_| !call.route.verb.mutates())
        .and_then(|v| v.to_str().ok())
        .is_some_and(|given| names(given, &found.etag));
    let mut body = found.body;
    shape(call).cut(of, &mut body);
    let mut response = match unchanged {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => answer(status, &Value::Object(body))?,
    };
    for (name, text) in [(header::ETAG, &found.etag), (header::LOCATION, &found.location)] {
        if let Ok(value) = HeaderValue::from_str(text) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

fn listed(found: ScimList) -> Result<Response, Fault> {
    answer(
        StatusCode::OK,
        &json!({
            "schemas": [LIST], "totalResults": found.total, "startIndex": found.start,
            "itemsPerPage": found.resources.len(), "Resources": found.resources,
        }),
    )
}

/// The query of a list's address.
fn asked(call: &Call) -> ScimQuery {
    let text = |name: &str| {
        let found = call.query().into_iter().find(|(n, v)| n.eq_ignore_ascii_case(name) && !v.is_empty());
        found.map(|(_, v)| v)
    };
    let number = |name: &str| text(name).and_then(|v| v.parse().ok());
    ScimQuery {
        filter: text("filter"),
        start: number("startIndex"),
        count: number("count"),
        sort_by: text("sortBy"),
        descending: text("sortOrder").is_some_and(|o| o.eq_ignore_ascii_case("descending")),
        shape: shape(call),
    }
}

/// The query of a search's body (RFC 7644 §3.4.3).
fn sought(call: &Call) -> Result<ScimQuery, Fault> {
    let body = body(call)?;
    if !body.is_object() {
        return Err(Fault::own(Problem::new(&SCIM_SYNTAX)));
    }
    let text = |name: &str| field(&body, name).and_then(Value::as_str).map(str::to_owned);
    let number = |name: &str| field(&body, name).and_then(Value::as_i64);
    let list = |name: &str| -> Vec<String> {
        let all = field(&body, name).and_then(Value::as_array);
        all.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).take(100).collect()
    };
    Ok(ScimQuery {
        filter: text("filter"),
        start: number("startIndex"),
        count: number("count"),
        sort_by: text("sortBy"),
        descending: text("sortOrder").is_some_and(|o| o.eq_ignore_ascii_case("descending")),
        shape: ScimShape { only: list("attributes"), without: list("excludedAttributes") },
    })
}

/// GET /Users
pub async fn users(call: Arc<Call>) -> Result<Response, Fault> {
    listed(call.parts.identity.scim_users(call.cx()?, &base(&call), asked(&call)).await?)
}

/// POST /Users/.search
pub async fn search_users(call: Arc<Call>) -> Result<Response, Fault> {
    listed(call.parts.identity.scim_users(call.cx()?, &base(&call), sought(&call)?).await?)
}

/// POST /Users
pub async fn create_user(call: Arc<Call>) -> Result<Response, Fault> {
    let made = call.parts.identity.scim_create_user(call.cx()?, &base(&call), &body(&call)?).await?;
    resource(&call, &USERS, StatusCode::CREATED, made)
}

/// GET /Users/{id}
pub async fn user(call: Arc<Call>) -> Result<Response, Fault> {
    let found = call.parts.identity.scim_user(call.cx()?, &base(&call), call.id("id")?).await?;
    resource(&call, &USERS, StatusCode::OK, found)
}

/// PUT /Users/{id}
pub async fn replace_user(call: Arc<Call>) -> Result<Response, Fault> {
    let (id, body): (UserId, _) = (call.id("id")?, body(&call)?);
    let done = call.parts.identity.scim_replace_user(call.cx()?, &base(&call), id, &expected(&call), &body).await?;
    resource(&call, &USERS, StatusCode::OK, done)
}

/// PATCH /Users/{id}
pub async fn patch_user(call: Arc<Call>) -> Result<Response, Fault> {
    let (id, body): (UserId, _) = (call.id("id")?, body(&call)?);
    let done = call.parts.identity.scim_patch_user(call.cx()?, &base(&call), id, &expected(&call), &body).await?;
    resource(&call, &USERS, StatusCode::OK, done)
}

/// DELETE /Users/{id}
pub async fn delete_user(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.scim_delete_user(call.cx()?, call.id("id")?, &expected(&call)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// GET /Groups
pub async fn groups(call: Arc<Call>) -> Result<Response, Fault> {
    listed(call.parts.identity.scim_groups(call.cx()?, &base(&call), asked(&call)).await?)
}

/// POST /Groups/.search
pub async fn search_groups(call: Arc<Call>) -> Result<Response, Fault> {
    listed(call.parts.identity.scim_groups(call.cx()?, &base(&call), sought(&call)?).await?)
}

/// POST /Groups
pub async fn create_group(call: Arc<Call>) -> Result<Response, Fault> {
    let made = call.parts.identity.scim_create_group(call.cx()?, &base(&call), &body(&call)?).await?;
    resource(&call, &GROUPS, StatusCode::CREATED, made)
}

/// GET /Groups/{id}
pub async fn group(call: Arc<Call>) -> Result<Response, Fault> {
    let members = shape(&call).shows("members");
    let found = call.parts.identity.scim_group(call.cx()?, &base(&call), call.id("id")?, members).await?;
    resource(&call, &GROUPS, StatusCode::OK, found)
}

/// PUT /Groups/{id}
pub async fn replace_group(call: Arc<Call>) -> Result<Response, Fault> {
    let (id, body): (ScimGroupId, _) = (call.id("id")?, body(&call)?);
    let done = call.parts.identity.scim_replace_group(call.cx()?, &base(&call), id, &expected(&call), &body).await?;
    resource(&call, &GROUPS, StatusCode::OK, done)
}

/// PATCH /Groups/{id}. The members are sent back only where they are asked for: they may be thousands.
pub async fn patch_group(call: Arc<Call>) -> Result<Response, Fault> {
    let (id, body): (ScimGroupId, _) = (call.id("id")?, body(&call)?);
    let done = call.parts.identity.scim_patch_group(call.cx()?, &base(&call), id, &expected(&call), &body).await?;
    let whole = !shape(&call).only.is_empty();
    let mut response = resource(&call, &GROUPS, StatusCode::OK, done)?;
    if !whole {
        *response.status_mut() = StatusCode::NO_CONTENT;
        *response.body_mut() = axum::body::Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    Ok(response)
}

/// DELETE /Groups/{id}
pub async fn delete_group(call: Arc<Call>) -> Result<Response, Fault> {
    call.parts.identity.scim_delete_group(call.cx()?, call.id("id")?, &expected(&call)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// GET /ServiceProviderConfig (RFC 7643 §5)
pub async fn config(call: Arc<Call>) -> Result<Response, Fault> {
    let base = base(&call);
    answer(
        StatusCode::OK,
        &json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "patch": { "supported": true },
            "bulk": { "supported": true, "maxOperations": bulk::MOST, "maxPayloadSize": MAX_BODY },
            "filter": { "supported": true, "maxResults": sekisho_identity::scim::MOST_LISTED },
            "changePassword": { "supported": false },
            "sort": { "supported": true },
            "etag": { "supported": true },
            "authenticationSchemes": [{
                "type": "oauthbearertoken", "name": "API token", "primary": true,
                "description": "The token that an administrator makes on the console's page for provisioning.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
            }],
            "meta": { "resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig") },
        }),
    )
}

fn discovered(all: Vec<Value>) -> Result<Response, Fault> {
    let total = u64::try_from(all.len()).unwrap_or(0);
    answer(
        StatusCode::OK,
        &json!({ "schemas": [LIST], "totalResults": total, "startIndex": 1, "itemsPerPage": total, "Resources": all }),
    )
}

fn one_of(call: &Call, all: Vec<Value>) -> Result<Response, Fault> {
    let wanted = call.param("name");
    let found = all.into_iter().find(|v| v["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(wanted)));
    answer(StatusCode::OK, &found.ok_or_else(|| Fault::own(Problem::new(&NOT_FOUND)))?)
}

/// GET /ResourceTypes
pub async fn types(call: Arc<Call>) -> Result<Response, Fault> {
    discovered(resource_types(&base(&call)))
}

/// GET /ResourceTypes/{name}
pub async fn one_type(call: Arc<Call>) -> Result<Response, Fault> {
    one_of(&call, resource_types(&base(&call)))
}

/// GET /Schemas
pub async fn all_schemas(call: Arc<Call>) -> Result<Response, Fault> {
    discovered(schemas(&base(&call)))
}

/// GET /Schemas/{name}
pub async fn one_schema(call: Arc<Call>) -> Result<Response, Fault> {
    one_of(&call, schemas(&base(&call)))
}

/// What SCIM knows and this service does not do: `/Me`, and searches over all types at once.
pub async fn not_here(call: Arc<Call>) -> Result<Response, Fault> {
    let _ = call;
    Err(Fault::own(Problem::new(&SCIM_NOT_IMPLEMENTED)))
}
