//! What answers look like, in JSON Schema 2020-12. A test holds every real answer against these.

use sekisho_kernel::{Function, Outcome, Right, claim::Verdict};
use serde_json::{Map, Value, json};

/// A field of an answer.
fn of(kind: &str) -> Value {
    match kind {
        "time" => json!({ "type": "string", "format": "date-time" }),
        "time?" => json!({ "type": ["string", "null"], "format": "date-time" }),
        "text" => json!({ "type": "string" }),
        "text?" => json!({ "type": ["string", "null"] }),
        "int" => json!({ "type": "integer" }),
        "int?" => json!({ "type": ["integer", "null"] }),
        "bool" => json!({ "type": "boolean" }),
        "any" => json!({}),
        "texts" => json!({ "type": "array", "items": { "type": "string" } }),
        "both" => json!({ "$ref": "#/components/schemas/Text" }),
        "both?" => json!({ "anyOf": [{ "$ref": "#/components/schemas/Text" }, { "type": "null" }] }),
        _ => match kind.split_once(':') {
            Some(("id", prefix)) => json!({ "type": "string", "pattern": format!("^{prefix}_[0-9a-f]{{32}}$") }),
            Some(("id?", prefix)) => {
                json!({ "type": ["string", "null"], "pattern": format!("^{prefix}_[0-9a-f]{{32}}$") })
            }
            Some(("list", name)) => {
                json!({ "type": "array", "items": { "$ref": format!("#/components/schemas/{name}") } })
            }
            Some(("ref?", name)) => {
                json!({ "anyOf": [{ "$ref": format!("#/components/schemas/{name}") }, { "type": "null" }] })
            }
            Some(("ref", name)) => json!({ "$ref": format!("#/components/schemas/{name}") }),
            _ => json!({ "type": "string", "enum": kind.split('|').collect::<Vec<_>>() }),
        },
    }
}

/// Where a person may go on.
fn onward() -> Value {
    let mut out = object(&[("to", "text")]);
    out["description"] = json!(
        "Where a person who is signed out here may go on to sign out at their SAML provider. With `fields`, a form that holds them is posted to `to`; without, the browser just goes there."
    );
    out["properties"]["fields"] = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    out["required"] = json!(["to", "fields"]);
    out
}

/// An object: `name kind`; a name with `?` may be left out.
fn object(fields: &[(&str, &str)]) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, kind) in fields {
        let bare = name.trim_end_matches('?');
        properties.insert(bare.into(), of(kind));
        if bare.len() == name.len() {
            required.push(bare);
        }
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

fn list(of: &str) -> Value {
    json!({
        "type": "object",
        "properties": {
            "items": { "type": "array", "items": { "$ref": format!("#/components/schemas/{of}") } },
            "next": { "type": ["string", "null"], "description": "Give it back as `after` for the next page." },
        },
        "required": ["items", "next"],
    })
}

fn record(prefix: &str, own: &[(&str, &str)]) -> Value {
    let id = format!("id:{prefix}");
    let mut fields = vec![("id", id.as_str()), ("version", "int"), ("created", "time"), ("updated", "time")];
    fields.extend_from_slice(own);
    object(&fields)
}

const USER: &[(&str, &str)] = &[
    ("name", "text"),
    ("display_name", "text"),
    ("mail", "text?"),
    ("type", "administrator|approver|user"),
    ("site", "id?:sit"),
    ("state", "active|invited|disabled"),
    ("locked_until", "time?"),
    ("has_factor", "bool"),
    ("functions_off", "texts"),
    ("service", "bool"),
    ("terms", "ref?:Accepted"),
];

const CLAIM: &[(&str, &str)] = &[
    ("id", "text"),
    ("paper", "netmeister|mist|moxtra|dxsuite|idoperation"),
    ("says", "both"),
    ("kind", "enforced|attested|inherited"),
    ("area", "text"),
    ("verdict", "ref:Verdict"),
    ("stage", "ref:Stage"),
    ("at", "time?"),
    ("age_seconds", "int?"),
    ("fresh_until", "time?"),
];

/// Every schema of an answer, by name.
pub fn all() -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |name: &str, schema: Value| {
        out.insert(name.to_owned(), schema);
    };
    put("Text", object(&[("ja", "text"), ("en", "text")]));
    put(
        "Problem",
        object(&[
            ("type", "text"),
            ("title", "text"),
            ("status", "int"),
            ("detail", "text"),
            ("code", "text"),
            ("trace", "text"),
            ("remedy", "text"),
            ("place?", "text"),
            ("retry_after?", "int"),
            ("errors?", "list:FieldError"),
        ]),
    );
    put("FieldError", object(&[("place", "text"), ("detail", "text")]));
    put(
        "SignInStep",
        object(&[
            ("state", "signed-in|second-factor|password-again|password-change|enrol-factor"),
            ("challenge?", "text"),
            ("factors?", "texts"),
            ("token?", "text"),
            ("session?", "id:ses"),
            ("user?", "ref:User"),
            ("csrf?", "text"),
            ("idle_ends_at?", "time?"),
            ("ends_at?", "time"),
            ("recovery_codes?", "texts"),
        ]),
    );
    put("Enrolment", object(&[("id", "id:fac"), ("secret", "text"), ("uri", "text"), ("qr_svg", "text")]));
    put(
        "SessionState",
        object(&[
            ("session", "id:ses"),
            ("user", "ref:User"),
            ("idle_ends_at", "time?"),
            ("ends_at", "time"),
            ("now", "time"),
            ("csrf", "text"),
        ]),
    );
    put("LinkUsed", object(&[("state", "password-set"), ("user", "id:usr"), ("name", "text")]));
    put("Link", object(&[("link", "text")]));
    put(
        "Me",
        object(&[
            ("user", "ref:User"),
            ("session", "id:ses"),
            ("has_password", "bool"),
            ("rights", "texts"),
            ("site_rights", "texts"),
        ]),
    );
    put("Accepted", object(&[("version", "text"), ("at", "time")]));
    put(
        "Terms",
        object(&[
            ("version", "text?"),
            ("address", "text?"),
            ("privacy_address", "text?"),
            ("due", "bool"),
            ("accepted", "list:Accepted"),
        ]),
    );
    put("User", record("usr", USER));
    let mut made = record("usr", USER);
    made["properties"]["link"] = json!({ "type": "string", "description": "The invitation link's token, shown once." });
    put("NewUserMade", made);
    put("UserList", list("User"));
    put(
        "Factor",
        object(&[
            ("id", "id:fac"),
            ("version", "int"),
            ("created", "time"),
            ("kind", "totp"),
            ("confirmed", "bool"),
            ("recovery_left", "int"),
        ]),
    );
    put("FactorList", list("Factor"));
    let passkey = [
        ("name", "text"),
        ("last_used", "time?"),
        ("authenticator", "text"),
        ("attestation", "none|unread|own|certificate|trusted"),
        ("backed_up", "bool"),
        ("recovery_left", "int"),
    ];
    put("Passkey", record("pky", &passkey));
    put("PasskeyList", list("Passkey"));
    let mut made = record("pky", &passkey);
    made["properties"]["recovery_codes"] = json!({
        "type": "array", "items": { "type": "string" }, "description": "Recovery codes, where the account had none; shown once.",
    });
    put("PasskeyMade", made);
    put("PasskeyProof", object(&[("proof", "text")]));
    put("ProviderErrand", object(&[("to", "text"), ("fields", "any")]));
    put("PasskeyOptions", object(&[("ceremony", "text"), ("public_key", "any")]));
    put("RecoveryCodes", object(&[("recovery_codes", "texts")]));
    put(
        "Session",
        object(&[
            ("id", "id:ses"),
            ("user", "id:usr"),
            ("created", "time"),
            ("last_used", "time"),
            ("ends_at", "time"),
            ("address", "text"),
            ("browser", "text"),
            ("current", "bool"),
        ]),
    );
    put("SessionList", list("Session"));
    put("Ended", object(&[("ended", "int"), ("onward?", "ref?:Onward")]));
    put("SignedOut", object(&[("onward", "ref?:Onward")]));
    put("Onward", onward());
    let rights: Vec<_> = Right::all().map(Right::name).collect();
    put(
        "Right",
        object(&[("name", &rights.join("|")), ("text", "both"), ("function", "ref:FunctionName"), ("by_site", "bool")]),
    );
    put("RightList", list("Right"));
    let functions: Vec<_> = Function::all().map(Function::name).collect();
    put("FunctionName", json!({ "type": "string", "enum": functions }));
    put("Function", object(&[("name", "ref:FunctionName"), ("text", "both"), ("off", "bool")]));
    put("Functions", object(&[("functions", "list:Function")]));
    put("Role", record("rol", &[("name", "text"), ("rights", "texts")]));
    put("RoleList", list("Role"));
    put(
        "Grant",
        record(
            "gra",
            &[("user", "id:usr"), ("role", "id:rol"), ("site", "id?:sit"), ("direct", "bool"), ("groups", "texts")],
        ),
    );
    put("GrantList", list("Grant"));
    put("Site", record("sit", &[("name", "text"), ("note", "text")]));
    put("SiteList", list("Site"));
    put(
        "SignalReceiver",
        record(
            "sgr",
            &[
                ("name", "text"),
                ("url", "text"),
                ("audience", "text"),
                ("has_token", "bool"),
                ("events", "texts"),
                ("subject", "iss_sub|email"),
                ("enabled", "bool"),
                ("waiting", "int"),
                ("sent", "int"),
                ("dropped", "int"),
                ("last_sent", "time?"),
                ("failing", "int"),
                ("trouble", "text?"),
            ],
        ),
    );
    put("SignalReceiverList", list("SignalReceiver"));
    put("RelationSide", object(&[("id", "text"), ("name", "text")]));
    let relation = [
        ("one", "ref:RelationSide"),
        ("other", "ref:RelationSide"),
        ("note", "text"),
        ("starts", "time"),
        ("ends", "time?"),
        ("state", "planned|current|ended"),
    ];
    put("Relation", record("rel", &relation));
    put("RelationList", list("Relation"));
    put(
        "Between",
        object(&[
            ("one", "ref:RelationSide"),
            ("other", "ref:RelationSide"),
            ("may", "bool"),
            ("why", "everyone|related|not-related|not-active|one-person"),
            ("relations", "list:Relation"),
        ]),
    );
    put("ReachedPerson", object(&[("user", "id:usr"), ("may", "bool")]));
    put("Reach", object(&[("person", "id:usr"), ("others", "list:ReachedPerson")]));
    put("PersonCard", object(&[("id", "id:usr"), ("display_name", "text"), ("site", "text?")]));
    put("PersonCardList", list("PersonCard"));
    put("SignalTest", object(&[("good", "bool"), ("checks", "list:ProviderCheck")]));
    put("RiskSources", object(&["places", "networks", "listed"].map(|n| (n, "none|read|unreadable"))));
    let decision = [
        ("id", "id:ent"),
        ("at", "time"),
        ("user", "id:usr"),
        ("address", "text"),
        ("level", "low|medium|high"),
        ("score", "int"),
        ("action", "allow|step_up|block"),
        ("advised", "allow|step_up|block"),
        ("reasons", "texts"),
        ("facts", "ref:RiskFacts"),
    ];
    put(
        "RiskFacts",
        object(&[
            ("first?", "bool"),
            ("device?", "bool"),
            ("network?", "bool"),
            ("travel?", "any"),
            ("account?", "int"),
            ("address?", "int"),
            ("names?", "int"),
            ("sprayed?", "bool"),
            ("listed?", "bool"),
            ("blind?", "bool"),
        ]),
    );
    put("RiskDecision", object(&decision));
    put("RiskDecisionList", list("RiskDecision"));
    put("RiskTally", object(&["allow", "step_up", "block"].map(|n| (n, "int"))));
    let mut change = decision.to_vec();
    change.extend([
        ("new_level", "low|medium|high"),
        ("new_score", "int"),
        ("new_action", "allow|step_up|block"),
        ("new_reasons", "texts"),
    ]);
    put("RiskChange", object(&change));
    put(
        "RiskReplay",
        object(&[
            ("days", "int"),
            ("decisions", "int"),
            ("complete", "bool"),
            ("was", "ref:RiskTally"),
            ("would", "ref:RiskTally"),
            ("people", "int"),
            ("changes", "list:RiskChange"),
        ]),
    );
    let application = [
        ("name", "text"),
        ("redirect_uris", "texts"),
        ("rights", "texts"),
        ("confidential", "bool"),
        ("account", "id?:usr"),
        ("openid", "bool"),
        ("post_logout_redirect_uris", "texts"),
        ("require_pushed_authorization_requests", "bool"),
        ("dpop_bound_access_tokens", "bool"),
        ("device_authorization", "bool"),
        ("backchannel_logout_uri", "text?"),
        ("backchannel_logout_session_required", "bool"),
        ("logouts", "ref:Logouts"),
        ("state", "pending|approved|stopped"),
    ];
    let logouts = [("sent", "int"), ("dropped", "int"), ("failing", "int"), ("trouble", "text?")];
    put("Logouts", object(&logouts));
    put("Application", record("app", &application));
    put("ApplicationList", list("Application"));
    let key = [("kid", "text"), ("alg", "text"), ("state", "next|signing|past"), ("starts", "time"), ("ends", "time?")];
    put("SigningKey", object(&key));
    put("SigningKeyList", list("SigningKey"));
    let mut issued = record("app", &application);
    issued["properties"]["secret"] = json!({ "type": "string", "description": "Its secret, shown once." });
    put("ApplicationIssued", issued);
    put(
        "Consent",
        record("cns", &[("application", "id:app"), ("name", "text"), ("rights", "texts"), ("person", "texts")]),
    );
    put("ConsentList", list("Consent"));
    let token = [
        ("user", "id:usr"),
        ("name", "text"),
        ("rights", "texts"),
        ("networks", "texts"),
        ("last_used", "time?"),
        ("expires_at", "time"),
        ("ends_unused_at", "time"),
    ];
    put("ApiToken", record("tok", &token));
    put("ApiTokenList", list("ApiToken"));
    let mut issued = record("tok", &token);
    issued["properties"]["token"] = json!({ "type": "string", "description": "The token, shown once." });
    put("ApiTokenIssued", issued);
    let connection = [
        ("user", "id:usr"),
        ("created", "time"),
        ("name", "text"),
        ("active", "bool"),
        ("subject_provider", "id?:idp"),
        ("tokens", "list:ApiToken"),
    ];
    put("Connection", object(&connection));
    put("Provisioning", object(&[("address", "text"), ("open", "bool"), ("connections", "list:Connection")]));
    put("Group", record("grp", &[("name", "text"), ("members", "int"), ("role", "id?:rol"), ("site", "id?:sit")]));
    put("GroupList", list("Group"));
    let client = [("name", "text"), ("note", "text"), ("disabled", "bool")];
    put("SigningClient", record("cli", &client));
    put("SigningClientList", list("SigningClient"));
    let mut issued = record("cli", &client);
    issued["properties"]["key"] = json!({ "type": "string", "description": "The key of its signatures, shown once." });
    put("SigningClientIssued", issued);
    put("UniqueId", record("uid", &[("client", "id:cli"), ("user", "id:usr"), ("unique_id", "text")]));
    put("UniqueIdList", list("UniqueId"));
    let provider = [
        ("name", "text"),
        ("protocol", "oidc|saml"),
        ("issuer", "text"),
        ("client_id", "text"),
        ("has_secret", "bool"),
        ("scopes", "texts"),
        ("userinfo", "bool"),
        ("enabled", "bool"),
        ("button", "bool"),
        ("create_users", "bool"),
        ("trusts_factor", "bool"),
        ("claims", "ref:ClaimNames"),
        ("rules", "list:RoleRuleRow"),
        ("saml", "ref?:SamlProvider"),
    ];
    put("SamlCertificate", object(&[("fingerprint", "text"), ("not_after", "time")]));
    let saml = [
        ("certificates", "list:SamlCertificate"),
        ("sign_on", "text"),
        ("metadata_url", "text?"),
        ("read_at", "time"),
        ("valid_until", "time?"),
        ("signed", "assertion|response|both"),
        ("encrypted", "bool"),
        ("unsolicited", "bool"),
        ("logout", "text?"),
        ("single_logout", "bool"),
        ("look", "ref?:SamlLook"),
    ];
    put("Says", object(&[("ja", "text"), ("en", "text")]));
    let look =
        [("at", "time"), ("found", "same|taken|waiting|failed"), ("certificates", "texts"), ("says", "ref?:Says")];
    put("SamlLook", object(&look));
    put("SamlProvider", object(&saml));
    let key = [("stage", "next|current|old"), ("fingerprint", "text"), ("not_after", "time"), ("due", "bool")];
    put("SamlKey", record("smk", &key));
    put("SamlKeyList", list("SamlKey"));
    put("ClaimNames", object(&[("name", "text"), ("display_name", "text"), ("mail", "text")]));
    put("RoleRuleRow", object(&[("claim", "text"), ("value", "text"), ("role", "id:rol")]));
    put("Provider", record("idp", &provider));
    put("ProviderList", list("Provider"));
    put("ProviderCheck", object(&[("name", "text"), ("good", "bool"), ("says", "both")]));
    put("ProviderTest", object(&[("good", "bool"), ("callback", "text"), ("checks", "list:ProviderCheck")]));
    let domain = [
        ("domain", "text"),
        ("provider", "id:idp"),
        ("record_name", "text"),
        ("record_value", "text"),
        ("verified_at", "time?"),
    ];
    put("MailDomain", record("dom", &domain));
    put("MailDomainList", list("MailDomain"));
    let identity =
        [("provider", "id:idp"), ("provider_name", "text"), ("user", "id:usr"), ("subject", "text"), ("name", "text")];
    put("Identity", record("idn", &identity));
    put("IdentityList", list("Identity"));
    put("AddressRule", record("adr", &[("network", "text"), ("note", "text")]));
    put("AddressRuleList", list("AddressRule"));
    put(
        "Setting",
        object(&[
            ("key", "text"),
            ("platform", "any"),
            ("platform_text", "text"),
            ("tenant", "any"),
            ("tenant_text", "text?"),
            ("effective", "any"),
            ("effective_text", "text"),
            ("choices", "texts"),
            ("movement", "fixed|inner|min|max|subset|beside"),
            ("kind", "bool|int|span|choice|str|zone|networks|socket|sockets|origin|path|list"),
            ("doc", "both"),
            ("claims", "texts"),
        ]),
    );
    put("Policy", object(&[("name", "text"), ("digest", "text"), ("settings", "list:Setting")]));
    let outcomes = [Outcome::Success, Outcome::Refused, Outcome::Failed].map(Outcome::name).join("|");
    let mut entry = object(&[
        ("id", "id:ent"),
        ("at", "time"),
        ("local_time", "text"),
        ("event", "text"),
        ("actor", "text"),
        ("actor_name?", "text"),
        ("target", "text"),
        ("outcome", &outcomes),
        ("address", "text"),
        ("via", "text"),
        ("trace", "text"),
        ("state", "accepted|sequenced|protected"),
    ]);
    entry["properties"]["detail"] = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    put("HistoryEntry", entry);
    put("History", object(&[("entries", "list:HistoryEntry"), ("next", "text?")]));
    put("Verdict", json!({ "type": "string", "enum": Verdict::ALL.map(Verdict::name) }));
    put("Stage", json!({ "enum": ["rehearsal", "live", null] }));
    put("ClaimRow", object(CLAIM));
    put("ClaimList", object(&[("claims", "list:ClaimRow")]));
    put(
        "Step",
        object(&[
            ("clause", "text"),
            ("kind", "positive|forbidden|absent|missing"),
            ("tried", "text"),
            ("expected", "text"),
            ("seen", "text"),
            ("result", "pass|fail|error"),
        ]),
    );
    let mut fields = CLAIM.to_vec();
    fields.extend_from_slice(&[
        ("probe", "both?"),
        ("note", "both?"),
        ("build", "text?"),
        ("policy", "text?"),
        ("steps", "list:Step"),
    ]);
    put("Claim", object(&fields));
    put(
        "CatalogueRow",
        object(&[
            ("name", "text"),
            ("text", "both"),
            ("class", "text"),
            ("class_text", "both"),
            ("protection", "sealed|clear"),
            ("retention", "until-deleted|until-expiry|setting"),
            ("retention_setting", "text?"),
            ("indexed", "texts"),
            ("clear", "texts"),
        ]),
    );
    put("Catalogue", list("CatalogueRow"));
    put(
        "RuleSet",
        object(&[
            ("name", "text"),
            ("version", "int"),
            ("origin", "base|folder|feed"),
            ("made", "time"),
            ("loaded", "time"),
            ("age_seconds", "int"),
            ("out_of_date", "bool"),
            ("rules", "int"),
            ("tests", "int"),
        ]),
    );
    put("Exclusion", object(&[("text", "text"), ("own", "bool"), ("until", "time"), ("active", "bool")]));
    put("FirewallExclusion", object(&[("text", "text")]));
    put(
        "Firewall",
        object(&[
            ("rule_set", "ref:RuleSet"),
            ("mode", "off|detect|on"),
            ("paranoia", "int"),
            ("threshold", "int"),
            ("exclusions", "list:Exclusion"),
            ("own_exclusions_allowed", "int"),
        ]),
    );
    put("Ranked", object(&[("name", "text"), ("says", "text"), ("count", "int")]));
    let match_of = [
        ("at", "time"),
        ("local_time", "text"),
        ("address", "text"),
        ("method", "text"),
        ("path", "text"),
        ("rules", "texts"),
        ("part", "text"),
        ("matched", "text"),
        ("score", "text"),
        ("trace", "text"),
    ];
    let mut fields = vec![("id", "id:ent"), ("blocked", "bool"), ("message", "text")];
    fields.extend_from_slice(&match_of);
    put("Blocked", object(&fields));
    let mut figures = object(&[
        ("blocked", "int"),
        ("detected", "int"),
        ("by_rule", "list:Ranked"),
        ("by_path", "list:Ranked"),
        ("by_address", "list:Ranked"),
        ("newest", "list:Blocked"),
        ("more", "bool"),
    ]);
    figures["properties"]["by_hour"] = json!({ "type": "array", "items": { "type": "integer" } });
    put("FirewallFigures", figures);
    let mut fields = vec![("change", "blocked|passes")];
    fields.extend_from_slice(&match_of);
    put("ReplayedMatch", object(&fields));
    put(
        "FirewallReplay",
        object(&[
            ("tried", "int"),
            ("blocked_before", "int"),
            ("blocked_after", "int"),
            ("newly_blocked", "int"),
            ("newly_passing", "int"),
            ("examples", "list:ReplayedMatch"),
        ]),
    );
    put("Document", json!({ "type": "object" }));
    out
}
