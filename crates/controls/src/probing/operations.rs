//! The API's own list of operations, from the document that it publishes.

use sekisho_kernel::{
    claim::Trouble,
    world::{Ask, World},
};
use serde_json::Value;

use super::{person::API, told};

/// One operation of the OpenAPI document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    pub method: String,
    /// Below `/api/v1`, parameters in braces.
    pub path: String,
    /// Names of the query's parameters.
    pub query: Vec<String>,
    /// The kind of id that the path takes, by its prefix.
    pub takes: Option<String>,
}

impl Operation {
    /// `GET /users/{id}`.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
    /// Whether the path has a parameter.
    pub fn has_parameter(&self) -> bool {
        self.path.contains('{')
    }
    /// The path with its parameter filled in.
    pub fn filled(&self, value: &str) -> String {
        match (self.path.split_once('{'), self.path.split_once('}')) {
            (Some((before, _)), Some((_, after))) => format!("{before}{value}{after}"),
            _ => self.path.clone(),
        }
    }
}

/// Every operation, in the document's order.
///
/// # Errors
/// When there is no document or it lists nothing.
pub async fn operations(world: &dyn World, host: &str) -> Result<Vec<Operation>, Trouble> {
    let got = world.send(Ask::new("GET", host, &format!("{API}/openapi.json"))).await?;
    let out = read(&got.json());
    if out.is_empty() {
        return Err(Trouble(format!("the OpenAPI document was answered {} and lists no operation", told(&got))));
    }
    Ok(out)
}

fn read(document: &Value) -> Vec<Operation> {
    let mut out = Vec::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let shared = item.get("parameters");
        for method in ["get", "post", "put", "patch", "delete"] {
            let Some(operation) = item.get(method) else { continue };
            let lists = [shared, operation.get("parameters")].into_iter().flatten().filter_map(Value::as_array);
            let parameters: Vec<&Value> = lists.flatten().collect();
            let within = |place: &'static str| parameters.iter().filter(move |p| p["in"] == place);
            let query = within("query").filter_map(|p| p["name"].as_str().map(str::to_owned)).collect();
            let pattern = within("path").find_map(|p| p["schema"]["pattern"].as_str());
            let takes = pattern.and_then(|p| p.strip_prefix('^')?.split_once('_')).map(|(kind, _)| kind.to_owned());
            let path = path.strip_prefix(API).unwrap_or(path).to_owned();
            out.push(Operation { method: method.to_uppercase(), path, query, takes });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_methods_are_listed() {
        let document = serde_json::json!({"paths": {
            "/api/v1/users": {"get": {"parameters": [{"in": "query", "name": "name"}]}, "post": {}},
            "/api/v1/users/{id}/disable": {"post": {"parameters": [
                {"name": "id", "in": "path", "schema": {"type": "string", "pattern": "^usr_[0-9a-f]{32}$"}},
            ]}},
        }});
        let names: Vec<String> = read(&document).iter().map(Operation::name).collect();
        assert_eq!(names, ["GET /users", "POST /users", "POST /users/{id}/disable"]);
        assert_eq!(read(&document)[0].query, ["name"]);
        assert_eq!((read(&document)[0].takes.as_deref(), read(&document)[2].takes.as_deref()), (None, Some("usr")));
        assert_eq!(read(&document)[2].filled("usr_1"), "/users/usr_1/disable");
        assert!(!read(&document)[0].has_parameter());
    }
}
