//! A `tower` layer that examines requests before the service sees them.
//!
//! It shows the order of the calls; a server would also bound the time that a body may take to arrive, and hand responses in.

use http::{Request, Response, StatusCode};
use sekisho_waf::{Client, Files, LoadError, Options, Outcome, RequestHead, RuleSet};
use std::{
    error::Error,
    io::Write,
    net::Ipv4Addr,
    sync::Arc,
    task::{Context, Poll},
};
use tower::{BoxError, Layer, Service, ServiceExt, service_fn};

/// Puts a firewall before a service.
#[derive(Clone)]
struct Firewall {
    rules: Arc<RuleSet>,
    client: Client,
}

impl<S> Layer<S> for Firewall {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { firewall: self.clone(), inner }
    }
}

#[derive(Clone)]
struct Guarded<S> {
    firewall: Firewall,
    inner: S,
}

impl Firewall {
    fn examine(&self, request: &Request<Vec<u8>>) -> Outcome {
        let headers: Vec<(&[u8], &[u8])> =
            request.headers().iter().map(|(n, v)| (n.as_str().as_bytes(), v.as_bytes())).collect();
        let target = request.uri().to_string();
        let protocol = format!("{:?}", request.version());
        let head = RequestHead {
            method: request.method().as_str().as_bytes(),
            target: target.as_bytes(),
            protocol: protocol.as_bytes(),
            headers: &headers,
        };
        let mut transaction = self.rules.transaction(&self.client);
        for outcome in
            [transaction.request(&head), transaction.append_request_body(request.body()), transaction.request_body()]
        {
            if outcome.blocked().is_some() {
                return outcome;
            }
        }
        Outcome::Pass
    }
}

impl<S> Service<Request<Vec<u8>>> for Guarded<S>
where
    S: Service<Request<Vec<u8>>, Response = Response<Vec<u8>>, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response<Vec<u8>>;
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Vec<u8>>) -> Self::Future {
        match self.firewall.examine(&request) {
            Outcome::Pass => Box::pin(self.inner.call(request)),
            Outcome::Block(blocked) => Box::pin(async move {
                let status = StatusCode::from_u16(blocked.status)?;
                Ok(Response::builder()
                    .status(status)
                    .body(format!("blocked by rule {}\n", blocked.rule).into_bytes())?)
            }),
        }
    }
}

/// Rules of this program need no files; those of a rule set would be read here.
struct NoFiles;

impl Files for NoFiles {
    fn read(&mut self, _: &str, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("{path}: no files here"))
    }

    fn expand(&mut self, _: &str, pattern: &str) -> Result<Vec<String>, String> {
        Err(format!("{pattern}: no files here"))
    }
}

fn rules() -> Result<RuleSet, LoadError> {
    let text = r#"
SecRuleEngine On
SecRule ARGS "@detectSQLi" "id:1,phase:2,t:none,t:urlDecodeUni,deny,msg:'SQL injection in %{MATCHED_VAR_NAME}'"
SecRule ARGS "@detectXSS" "id:2,phase:2,t:none,t:urlDecodeUni,t:htmlEntityDecode,deny,msg:'XSS in %{MATCHED_VAR_NAME}'"
"#;
    RuleSet::from_text(&mut NoFiles, "tower.conf", text, &Options::default())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let local = Ipv4Addr::LOCALHOST.into();
    let client = Client {
        address: local,
        port: 40_000,
        server: local,
        server_port: 80,
        time: 1_700_000_000,
        unique_id: "example".into(),
    };
    let firewall = Firewall { rules: Arc::new(rules()?), client };
    let application = service_fn(|_: Request<Vec<u8>>| async { Ok::<_, BoxError>(Response::new(b"hello\n".to_vec())) });
    let service = firewall.layer(application);
    let mut out = std::io::stdout();
    for target in ["/?name=Mary+O'Brien", "/?id=1'+or+'1'='1", "/?q=<script>alert(1)</script>"] {
        let encoded = target.replace('<', "%3C").replace('>', "%3E");
        let response = service.clone().oneshot(Request::get(encoded).body(Vec::new())?).await?;
        write!(out, "{target}: {} {}", response.status(), String::from_utf8_lossy(response.body()))?;
    }
    Ok(())
}
