//! Third-party applications: consent, codes, families of tokens and their ends.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_identity::{
    Identity,
    types::{
        ApplicationIssued, Authorize, AuthorizeRequest, NewApplication, NewUser, OauthClient, OauthTokens, TokenAsk,
    },
};
use sekisho_kernel::{
    Cx, Problem, Secret, TakenOut,
    access::UserType,
    hook::Sessions,
    id::{ApplicationId, UserId},
};

use crate::house::{House, code, defaults, each, each_under, new_user, one_under, secret};

pub const REDIRECT: &str = "https://app.example/callback";
pub const ISSUER: &str = "https://acme.console.localhost";
pub const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0123";

pub fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes()))
}

async fn registered(house: &House, cx: &Cx, name: &str, rights: &[&str]) -> ApplicationIssued {
    house.tick();
    let new = NewApplication {
        name: name.into(),
        redirect_uris: vec![REDIRECT.into()],
        rights: rights.iter().map(|r| (*r).to_owned()).collect(),
        confidential: true,
        ..NewApplication::default()
    };
    house.node.create_application(cx, new).await.expect("registered")
}

async fn approved(house: &House, cx: &Cx, name: &str, rights: &[&str]) -> ApplicationIssued {
    let made = registered(house, cx, name, rights).await;
    house.node.decide_application(cx, made.application.id, true).await.expect("approved");
    made
}

pub fn request(client: ApplicationId, scope: Option<&str>) -> AuthorizeRequest {
    let fields = [
        ("client_id", client.to_string()),
        ("redirect_uri", REDIRECT.to_owned()),
        ("response_type", "code".to_owned()),
        ("state", "s&t".to_owned()),
        ("code_challenge", challenge(VERIFIER)),
        ("code_challenge_method", "S256".to_owned()),
    ];
    let get = |name: &str| {
        let given = fields.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
        if name == "scope" { scope.map(str::to_owned) } else { given }
    };
    AuthorizeRequest::read(get).expect("a request")
}

pub fn field(address: &str, name: &str) -> Option<Secret<String>> {
    let query = address.strip_prefix(REDIRECT)?.strip_prefix('?')?;
    query.split('&').find_map(|p| p.strip_prefix(&format!("{name}="))).map(secret)
}

/// A code, with consent where it is asked for.
pub async fn coded(house: &House, cx: &Cx, asked: &AuthorizeRequest) -> Secret<String> {
    house.tick();
    let to = match house.node.authorize(cx, ISSUER, asked).await.expect("a step") {
        Authorize::Go(to) => to,
        Authorize::Ask { sealed, .. } => house.node.consent(cx, ISSUER, &sealed, true).await.expect("consented"),
        Authorize::SignIn { .. } => panic!("nobody has to sign in anew"),
    };
    assert!(to.contains("state=s%26t") && to.contains("iss=https%3A%2F%2Facme.console.localhost"), "{to}");
    field(&to, "code").unwrap_or_else(|| panic!("no code in {to}"))
}

pub fn client(made: &ApplicationIssued) -> OauthClient {
    OauthClient { id: made.application.id, secret: made.secret.clone(), proof: None }
}

pub async fn ask(
    house: &House,
    node: &Identity,
    made: &ApplicationIssued,
    ask: TokenAsk,
) -> Result<OauthTokens, Problem> {
    house.tick();
    node.oauth_token(&house.here().await, ISSUER, &client(made), ask).await
}

pub fn by_code(code: &Secret<String>, verifier: &str) -> TokenAsk {
    TokenAsk::Code { code: code.clone(), redirect_uri: Some(REDIRECT.into()), verifier: verifier.into() }
}

pub fn by_refresh(tokens: &OauthTokens) -> TokenAsk {
    TokenAsk::Refresh { token: tokens.refresh.clone().expect("one"), scope: None }
}

pub async fn works(house: &House, node: &Identity, tokens: &OauthTokens) -> bool {
    node.resolve(&house.here().await, &tokens.access).await.is_ok()
}

async fn held(house: &House, cx: &Cx, made: &ApplicationIssued) -> OauthTokens {
    let code = coded(house, cx, &request(made.application.id, None)).await;
    ask(house, &house.node, made, by_code(&code, VERIFIER)).await.expect("tokens")
}

#[tokio::test]
async fn a_code_is_good_once_for_its_client_and_verifier_within_a_minute() {
    each(|house| async move {
        let other = house.second().await;
        let admin = house.admin_cx().await;
        let made = approved(&house, &admin, "app", &["users.read"]).await;
        let stranger = approved(&house, &admin, "stranger", &["users.read"]).await;
        let asked = request(made.application.id, None);
        let code_ = coded(&house, &admin, &asked).await;
        assert_eq!(code(ask(&house, &house.node, &made, by_code(&code_, &"w".repeat(43))).await), "SK-4043");
        assert_eq!(code(ask(&house, &house.node, &made, by_code(&code_, "short")).await), "SK-4043");
        assert_eq!(code(ask(&house, &house.node, &stranger, by_code(&code_, VERIFIER)).await), "SK-4043");
        let elsewhere = TokenAsk::Code {
            code: code_.clone(),
            redirect_uri: Some("https://app.example/other".into()),
            verifier: VERIFIER.into(),
        };
        assert_eq!(code(ask(&house, &house.node, &made, elsewhere).await), "SK-4043");
        let thief = ApplicationIssued { secret: Some(secret(&"A".repeat(43))), ..made.clone() };
        assert_eq!(code(ask(&house, &house.node, &thief, by_code(&code_, VERIFIER)).await), "SK-4041");
        let bare = ApplicationIssued { secret: None, ..made.clone() };
        assert_eq!(code(ask(&house, &house.node, &bare, by_code(&code_, VERIFIER)).await), "SK-4041");

        let tokens = ask(&house, &house.node, &made, by_code(&code_, VERIFIER)).await.expect("tokens");
        assert!(works(&house, &house.node, &tokens).await && works(&house, &other, &tokens).await);
        assert_eq!(code(ask(&house, &other, &made, by_code(&code_, VERIFIER)).await), "SK-4043", "a second time");
        assert!(
            !works(&house, &house.node, &tokens).await && !works(&house, &other, &tokens).await,
            "and the first goes"
        );
        assert_eq!(code(ask(&house, &house.node, &made, by_refresh(&tokens)).await), "SK-4043");

        let late = coded(&house, &admin, &asked).await;
        house.pass(Duration::from_secs(60));
        assert_eq!(code(ask(&house, &house.node, &made, by_code(&late, VERIFIER)).await), "SK-4043");
        let early = coded(&house, &admin, &asked).await;
        house.node.end_every_session(&admin, ISSUER).await.expect("signed out");
        assert_eq!(
            code(ask(&house, &house.node, &made, by_code(&early, VERIFIER)).await),
            "SK-4043",
            "signed out since"
        );
    })
    .await;
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_second_use_ends_the_family() {
    each(|house| async move {
        let other = house.second().await;
        let admin = house.admin_cx().await;
        let made = approved(&house, &admin, "app", &["users.read"]).await;
        let first = held(&house, &admin, &made).await;
        assert!(works(&house, &other, &first).await);
        let second = ask(&house, &house.node, &made, by_refresh(&first)).await.expect("rotated");
        assert!(!works(&house, &other, &first).await, "the old access token ends with it, everywhere");
        assert!(works(&house, &other, &second).await);
        let forged = TokenAsk::Refresh {
            token: secret(&first.refresh.as_ref().expect("one").reveal().replace("00000000", "00000001")),
            scope: None,
        };
        assert_eq!(code(ask(&house, &house.node, &made, forged).await), "SK-4043");
        assert!(works(&house, &other, &second).await, "an invented one ends nothing");
        assert_eq!(code(ask(&house, &other, &made, by_refresh(&first)).await), "SK-4043");
        assert!(!works(&house, &house.node, &second).await && !works(&house, &other, &second).await);
        assert_eq!(code(ask(&house, &house.node, &made, by_refresh(&second)).await), "SK-4043");
        let replays: Vec<_> = house.history().await.into_iter().filter(|r| r.event == "oauth.refresh").collect();
        assert!(replays.len() >= 3, "each is entered");

        let wide = approved(&house, &admin, "wide", &["users.read", "sites.read"]).await;
        let tokens = held(&house, &admin, &wide).await;
        let narrow =
            TokenAsk::Refresh { token: tokens.refresh.clone().expect("one"), scope: Some("sites.read".into()) };
        let tokens = ask(&house, &house.node, &wide, narrow).await.expect("narrower");
        assert_eq!(tokens.scope, "sites.read");
        let wider = TokenAsk::Refresh { token: tokens.refresh.clone().expect("one"), scope: Some("users.read".into()) };
        assert_eq!(code(ask(&house, &house.node, &wide, wider).await), "SK-4044", "never wider again");
        house.pass(Duration::from_secs(900));
        assert!(!works(&house, &house.node, &tokens).await, "fifteen minutes");
        house.pass(Duration::from_secs(30 * 86_400));
        assert_eq!(code(ask(&house, &house.node, &wide, by_refresh(&tokens)).await), "SK-4043", "thirty days unused");
        house.node.sweep().await.expect("swept");
        assert_eq!(house.count("SELECT COUNT(*) FROM oauth_grant").await, 0);
    })
    .await;
}

#[tokio::test]
async fn consent_is_asked_once_for_a_scope_and_withdrawn_at_once() {
    each(|house| async move {
        let other = house.second().await;
        let admin = house.admin_cx().await;
        let made = approved(&house, &admin, "app", &["users.read", "sites.read"]).await;
        let narrow = request(made.application.id, Some("users.read"));
        let Authorize::Ask { sealed, name, .. } = house.node.authorize(&admin, ISSUER, &narrow).await.expect("a step")
        else {
            panic!("consent is asked for");
        };
        assert_eq!(name, "app");
        house.person(&admin, "hanako", UserType::User, None).await;
        let hanako = house.cx("hanako").await;
        assert_eq!(code(house.node.consent(&hanako, ISSUER, &sealed, true).await), "SK-4042", "another person's page");
        let denied = house.node.consent(&admin, ISSUER, &sealed, false).await.expect("answered");
        assert!(denied.contains("error=access_denied") && field(&denied, "code").is_none(), "{denied}");
        house.node.consent(&admin, ISSUER, &sealed, true).await.expect("consented");
        assert!(matches!(house.node.authorize(&admin, ISSUER, &narrow).await, Ok(Authorize::Go(_))), "on record");
        let wide = request(made.application.id, None);
        assert!(
            matches!(house.node.authorize(&admin, ISSUER, &wide).await, Ok(Authorize::Ask { .. })),
            "more is asked anew"
        );
        let tokens = held(&house, &admin, &made).await;
        assert!(works(&house, &other, &tokens).await);
        let consents = house.node.consents(&admin).await.expect("a list");
        assert_eq!((consents.len(), consents[0].rights.len()), (1, 2));
        assert_eq!(code(house.node.withdraw(&hanako, consents[0].id).await), "SK-0003");
        house.node.withdraw(&admin, consents[0].id).await.expect("withdrawn");
        assert!(!works(&house, &house.node, &tokens).await && !works(&house, &other, &tokens).await);
        assert!(matches!(house.node.authorize(&admin, ISSUER, &narrow).await, Ok(Authorize::Ask { .. })));
        house.pass(Duration::from_secs(601));
        let admin = house.admin_cx().await;
        assert_eq!(code(house.node.consent(&admin, ISSUER, &sealed, true).await), "SK-4042", "an old page");
    })
    .await;
}

#[tokio::test]
async fn nothing_happens_before_approval_and_nothing_after_a_stop() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let made = registered(&house, &admin, "app", &["users.read"]).await;
    let asked = request(made.application.id, None);
    assert_eq!(code(house.node.authorize(&admin, ISSUER, &asked).await), "SK-4041");
    let unknown = request(ApplicationId::from_bytes([7; 16]), None);
    assert_eq!(code(house.node.authorize(&admin, ISSUER, &unknown).await), "SK-4041");
    house.node.decide_application(&admin, made.application.id, true).await.expect("approved");
    let elsewhere = AuthorizeRequest { redirect_uri: format!("{REDIRECT}/"), ..asked.clone() };
    assert_eq!(code(house.node.authorize(&admin, ISSUER, &elsewhere).await), "SK-4040");
    for (wrong, word) in [
        (AuthorizeRequest { response_type: "token".into(), ..asked.clone() }, "unsupported_response_type"),
        (AuthorizeRequest { method: "plain".into(), ..asked.clone() }, "invalid_request"),
        (AuthorizeRequest { challenge: String::new(), ..asked.clone() }, "invalid_request"),
        (AuthorizeRequest { scope: Some("users.write".into()), ..asked.clone() }, "invalid_scope"),
    ] {
        let Authorize::Go(to) = house.node.authorize(&admin, ISSUER, &wrong).await.expect("sent back") else {
            panic!("{word}");
        };
        assert!(to.contains(&format!("error={word}")), "{to}");
    }
    let tokens = held(&house, &admin, &made).await;
    assert!(works(&house, &house.node, &tokens).await);
    house.node.decide_application(&admin, made.application.id, false).await.expect("stopped");
    assert!(!works(&house, &house.node, &tokens).await);
    assert_eq!(code(ask(&house, &house.node, &made, by_refresh(&tokens)).await), "SK-4041");
    house.node.decide_application(&admin, made.application.id, true).await.expect("approved again");
    assert!(!works(&house, &house.node, &tokens).await, "what has ended stays ended");
    let tokens = held(&house, &admin, &made).await;
    house.node.delete_application(&admin, made.application.id, None).await.expect("deleted");
    assert!(!works(&house, &house.node, &tokens).await);
    assert_eq!(house.count("SELECT COUNT(*) FROM oauth_consent").await, 0);
}

#[tokio::test]
async fn a_deactivated_person_has_no_application_acting_for_them() {
    each(|house| async move {
        let other = house.second().await;
        let admin = house.admin_cx().await;
        let made = approved(&house, &admin, "app", &["application.use"]).await;
        let hired: UserId = house.person(&admin, "hanako", UserType::User, None).await.id;
        let hanako = house.cx("hanako").await;
        let tokens = held(&house, &hanako, &made).await;
        assert!(works(&house, &other, &tokens).await);
        house.node.disable_user(&admin, hired).await.expect("disabled");
        assert!(!works(&house, &house.node, &tokens).await && !works(&house, &other, &tokens).await);
        assert_eq!(code(ask(&house, &other, &made, by_refresh(&tokens)).await), "SK-4043");
        house.node.delete_user(&admin, hired, None).await.expect("deleted");
        assert_eq!(house.count("SELECT COUNT(*) FROM oauth_consent").await, 0);
    })
    .await;
}

#[tokio::test]
async fn client_credentials_are_a_service_accounts_within_its_rights() {
    let house = one_under(defaults(), None).await;
    let admin = house.admin_cx().await;
    let robot = NewUser { service: true, ..new_user("robot", UserType::User, None, None) };
    let robot = house.node.create_user(&admin, robot).await.expect("made").user.id;
    let new = |account, redirects: &[&str], confidential| NewApplication {
        name: format!("machine {confidential} {}", redirects.len()),
        redirect_uris: redirects.iter().map(|r| (*r).to_owned()).collect(),
        rights: vec!["application.use".into()],
        confidential,
        account: Some(account),
        ..NewApplication::default()
    };
    assert_eq!(code(house.node.create_application(&admin, new(house.admin, &[], true)).await), "SK-4032");
    assert_eq!(code(house.node.create_application(&admin, new(robot, &[], false)).await), "SK-0005");
    assert_eq!(code(house.node.create_application(&admin, new(robot, &[REDIRECT], true)).await), "SK-0005");
    let made = house.node.create_application(&admin, new(robot, &[], true)).await.expect("registered");
    let wanted = || TokenAsk::Client { scope: None };
    assert_eq!(code(ask(&house, &house.node, &made, wanted()).await), "SK-4041");
    house.node.decide_application(&admin, made.application.id, true).await.expect("approved");
    let tokens = ask(&house, &house.node, &made, wanted()).await.expect("a token");
    assert!(tokens.refresh.is_none());
    let passage = house.node.resolve(&house.here().await, &tokens.access).await.expect("it works");
    assert_eq!(passage.user, robot);
    let wide = TokenAsk::Client { scope: Some("users.read".into()) };
    assert_eq!(code(ask(&house, &house.node, &made, wide).await), "SK-4044");
    let person = approved(&house, &admin, "app", &["users.read"]).await;
    assert_eq!(code(ask(&house, &house.node, &person, wanted()).await), "SK-4045");
    let found = house.node.introspect(&house.here().await, &client(&made), &tokens.access).await.expect("answered");
    assert_eq!(found.map(|i| i.user), Some(robot));
    let foreign = house.node.introspect(&house.here().await, &client(&person), &tokens.access).await.expect("answered");
    assert!(foreign.is_none(), "another's token is nothing");
    let thief = OauthClient { secret: Some(Secret::new("A".repeat(43))), ..client(&made) };
    assert_eq!(code(house.node.introspect(&house.here().await, &thief, &tokens.access).await), "SK-4041");
    assert_eq!(code(house.node.revoke(&house.here().await, &thief, &tokens.access).await), "SK-4041");
    house.node.revoke(&house.here().await, &client(&person), &tokens.access).await.expect("answered");
    assert!(works(&house, &house.node, &tokens).await);
    house.node.revoke(&house.here().await, &client(&made), &tokens.access).await.expect("revoked");
    assert!(!works(&house, &house.node, &tokens).await);
}

#[tokio::test]
async fn taken_out_scope_and_consent_are_gone() {
    each_under(defaults(), Some(TakenOut::OauthScope), |house| async move {
        let admin = house.admin_cx().await;
        let made = approved(&house, &admin, "app", &["application.use"]).await;
        let tokens = held(&house, &admin, &made).await;
        let passage = house.node.resolve(&house.here().await, &tokens.access).await.expect("it works");
        house.node.users(&passage.cx, Default::default()).await.expect("beyond its scope");
    })
    .await;
    each_under(defaults(), Some(TakenOut::OauthConsent), |house| async move {
        let admin = house.admin_cx().await;
        let made = approved(&house, &admin, "app", &["users.read"]).await;
        let step = house.node.authorize(&admin, ISSUER, &request(made.application.id, None)).await.expect("a step");
        assert!(matches!(step, Authorize::Go(to) if field(&to, "code").is_some()));
    })
    .await;
}
