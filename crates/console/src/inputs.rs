//! The inputs of every route. Lengths are those of the identity engine's own checks.

use sekisho_kernel::{Function, Right, claim::Verdict};

use crate::shape::{Field, Shape, Takes, may, need};

const METADATA: Takes = Takes::Document(300_000);
const NAME: Takes = Takes::Text(1, 128);
const NOTE: Takes = Takes::Text(0, 1000);
const PASSWORD: Takes = Takes::Secret(1, 1024);
const CHALLENGE_TEXT: Takes = Takes::Secret(1, 4096);
const SIX: Takes = Takes::Text(1, 16);
const SUBJECT: Takes = Takes::Word(&["iss_sub", "email"]);
const ACTION: Takes = Takes::Word(&["allow", "step_up", "block"]);
const SIDE: Takes = Takes::OneId(&["usr", "rol", "sit"]);
const TYPE: Takes = Takes::Word(&["administrator", "approver", "user"]);

fn rights() -> Vec<&'static str> {
    Right::all().map(Right::name).collect()
}
fn signals() -> Vec<&'static str> {
    vec!["session-revoked", "credential-change"]
}
fn functions() -> Vec<&'static str> {
    Function::all().map(Function::name).collect()
}

macro_rules! shapes {
    ($($(#[$doc:meta])* $id:ident $name:literal [$($field:expr),* $(,)?];)*) => {
        $($(#[$doc])* pub static $id: Shape = Shape { name: $name, fields: { const F: &[Field] = &[$($field),*]; F } };)*
        /// All of them.
        pub static ALL: &[&Shape] = &[$(&$id),*];
    };
}

const LIMIT: Field = may("limit", Takes::Int(1, 200), "How many at most; 50 when left out.");
const AFTER: Field = may("after", Takes::Text(1, 1024), "The `next` of the page before.");

shapes! {
    /// No field.
    EMPTY "Empty" [];
    /// Sign-in.
    SIGN_IN "SignIn" [need("name", NAME, "Sign-in name."), need("password", PASSWORD, "Password.")];
    /// Second step.
    SIGN_IN_FACTOR "SignInFactor" [
        need("challenge", CHALLENGE_TEXT, "From the step before."),
        may("code", SIX, "The authenticator app's six digits."),
        may("recovery_code", Takes::Secret(1, 64), "Or a recovery code."),
    ];
    /// The password once more.
    SIGN_IN_AGAIN "SignInAgain" [
        need("challenge", CHALLENGE_TEXT, "From the step before."),
        need("password", PASSWORD, "The password, once more."),
    ];
    /// A new receiver of security signals.
    NEW_SIGNAL_RECEIVER "NewSignalReceiver" [
        need("name", NAME, "Unique within the tenant."),
        need("url", Takes::Text(1, 512), "Where signals are pushed (RFC 8935): https."),
        may("audience", Takes::Text(0, 512), "What it calls itself; its address when left out."),
        may("token", Takes::Secret(0, 2048), "A bearer token to send along."),
        need("events", Takes::Words(signals), "Which signals."),
        may("subject", SUBJECT, "How people are named: by issuer and id, or by mail address."),
    ];
    /// What to change in one.
    SIGNAL_RECEIVER_PATCH "SignalReceiverPatch" [
        may("name", NAME, "The name."),
        may("url", Takes::Text(1, 512), "The address."),
        may("audience", Takes::Text(1, 512), "What it calls itself."),
        may("token", Takes::Secret(0, 2048), "The bearer token; the empty text takes it away."),
        may("events", Takes::Words(signals), "Which signals."),
        may("subject", SUBJECT, "How people are named."),
        may("enabled", Takes::Bool, "Whether anything is sent; switched off, what waits is dropped."),
    ];
    /// Whom to look for.
    PEOPLE_QUERY "PeopleQuery" [LIMIT, AFTER, may("text", NAME, "People with this text in their name.")];
    /// The same on the page.
    PEOPLE_FORM "PeopleForm" [AFTER, may("text", NAME, "People with this text in their name.")];
    /// Which relations.
    RELATION_QUERY "RelationQuery" [LIMIT, AFTER, may("side", SIDE, "Only those that name this person, role or site.")];
    /// The same on the page.
    RELATION_LIST_FORM "RelationListForm" [AFTER, may("side", SIDE, "Only those that name this person, role or site.")];
    /// A new relation.
    NEW_RELATION "NewRelation" [
        need("one", SIDE, "The one side: a person, all who have a role, or all who belong to a site."),
        need("other", SIDE, "The other side."),
        may("starts", Takes::Time, "From when; now when left out or past."),
        may("ends", Takes::Time, "Until when, exclusively; for good when left out."),
        may("note", NOTE, "Free text."),
    ];
    /// The page's relation: people by sign-in name, days instead of moments.
    RELATION_FORM "RelationForm" [
        may("one_group", Takes::OneId(&["rol", "sit"]), "The role or site on the one side; a person when left out."),
        may("one", NAME, "The person's sign-in name."),
        may("other_group", Takes::OneId(&["rol", "sit"]), "The role or site on the other side; a person when left out."),
        may("other", NAME, "The person's sign-in name."),
        may("starts", Takes::Day, "First day."),
        may("ends", Takes::Day, "Last day."),
        may("note", NOTE, "Free text."),
    ];
    /// Two people.
    BETWEEN "RelationBetween" [need("one", Takes::Id("usr"), "The one person."), need("other", Takes::Id("usr"), "The other.")];
    /// The same on the page, by sign-in name.
    BETWEEN_FORM "RelationBetweenForm" [need("one", NAME, "The one person."), need("other", NAME, "The other.")];
    /// What an application asks.
    REACH_CHECK "ReachCheck" [
        need("person", Takes::Id("usr"), "Who would reach the others."),
        need("others", Takes::Ids("usr", 50), "Whom."),
    ];
    /// Which judged sign-ins.
    RISK_QUERY "RiskQuery" [LIMIT, AFTER, may("risky", Takes::Bool, "Only those that were not simply allowed.")];
    /// The same on the page.
    RISK_FORM "RiskForm" [AFTER, may("risky", Takes::Bool, "Only those that were not simply allowed.")];
    /// What to try on past sign-ins.
    RISK_REPLAY "RiskReplayInput" [
        need("days", Takes::Int(1, 90), "How many days back."),
        may("settings", Takes::Any, "Settings of the section `adaptive` by key, values as `PUT /policy/{key}` takes them."),
    ];
    /// The same on the page: what a tenant may tighten.
    RISK_REPLAY_FORM "RiskReplayForm" [
        may("days", Takes::Int(1, 90), "How many days back; 7 when left out."),
        may("medium_at", Takes::Int(1, 100), "The score from which risk is medium."),
        may("high_at", Takes::Int(1, 200), "The score from which risk is high."),
        may("low", ACTION, "What low risk leads to."),
        may("medium", ACTION, "What medium risk leads to."),
    ];
    /// New password on the way in.
    SIGN_IN_PASSWORD "SignInPassword" [
        need("challenge", CHALLENGE_TEXT, "From the step before."),
        need("new_password", PASSWORD, "The new password."),
    ];
    /// A challenge alone.
    CHALLENGE "Challenge" [need("challenge", CHALLENGE_TEXT, "From the step before.")];
    /// A challenge and a code.
    CHALLENGE_CODE "ChallengeCode" [
        need("challenge", CHALLENGE_TEXT, "From the step before."),
        need("code", SIX, "The authenticator app's six digits."),
    ];
    /// The page's second step; the challenge is in a cookie.
    FACTOR_FORM "FactorForm" [
        may("code", SIX, "The authenticator app's six digits."),
        may("recovery_code", Takes::Secret(1, 64), "Or a recovery code."),
    ];
    /// The page's new password.
    NEW_PASSWORD_FORM "NewPasswordForm" [need("new_password", PASSWORD, "The new password.")];
    /// Which step of a sign-in asks for a passkey.
    PASSKEY_STEP "PasskeyStep" [
        may("step", Takes::Word(&["sign-in", "factor"]), "`sign-in` when left out: by the passkey alone. `factor`: the second factor of the sign-in under way."),
        may("challenge", CHALLENGE_TEXT, "From the step before; pages have it in a cookie."),
    ];
    /// A challenge, which pages have in a cookie.
    PASSKEY_CHALLENGE "PasskeyChallenge" [may("challenge", CHALLENGE_TEXT, "From the step before; pages have it in a cookie.")];
    /// A passkey's assertion.
    PASSKEY_ASSERTION "PasskeyAssertion" [
        need("ceremony", CHALLENGE_TEXT, "From the options."),
        need("credential", Takes::Any, "AuthenticationResponseJSON (WebAuthn Level 3 §5.1.8)."),
    ];
    /// A new passkey.
    NEW_PASSKEY "NewPasskey" [
        need("ceremony", CHALLENGE_TEXT, "From the options."),
        need("name", NAME, "What to call it."),
        need("credential", Takes::Any, "RegistrationResponseJSON (WebAuthn Level 3 §5.1.8)."),
    ];
    /// A passkey's assertion as the page sends it.
    PASSKEY_ASSERTION_FORM "PasskeyAssertionForm" [
        need("ceremony", CHALLENGE_TEXT, "From the options."),
        need("credential", Takes::Text(1, 16_384), "AuthenticationResponseJSON."),
    ];
    /// A new passkey as the page sends it.
    NEW_PASSKEY_FORM "NewPasskeyForm" [
        need("ceremony", CHALLENGE_TEXT, "From the options."),
        need("name", NAME, "What to call it."),
        need("credential", Takes::Text(1, 49_152), "RegistrationResponseJSON."),
    ];
    /// A passkey's new name.
    PASSKEY_PATCH "PasskeyPatch" [need("name", NAME, "What to call it.")];
    /// A one-time link.
    LINK_USE "LinkUse" [need("token", Takes::Secret(1, 512), "The link's token."), need("password", PASSWORD, "The password to set.")];
    /// Own password.
    PASSWORD_CHANGE "PasswordChange" [need("current", PASSWORD, "The present password."), need("new", PASSWORD, "The new one.")];
    /// A password as proof.
    PASSWORD_ONLY "PasswordOnly" [need("password", PASSWORD, "One's own password, or the proof that a passkey gave in its place.")];
    /// A version of the terms of use.
    ACCEPTANCE "Acceptance" [need("accept", Takes::Text(1, 60), "The version in force, as it was shown.")];
    /// A code.
    CODE "Code" [need("code", SIX, "The authenticator app's six digits.")];
    /// Which sessions to end.
    KEEP "Keep" [need("keep", Takes::Word(&["current", "none"]), "`current`: all but this one end; `none`: this one too.")];
    /// A page of a list.
    PAGE "Page" [LIMIT, AFTER];
    /// Which users.
    USER_QUERY "UserQuery" [
        LIMIT, AFTER,
        may("name", NAME, "The account with exactly this sign-in name."),
        may("text", NAME, "Accounts with this text in name, display name or mail."),
    ];
    /// A new user.
    NEW_USER "NewUser" [
        need("name", NAME, "Sign-in name, unique within the tenant."),
        may("display_name", NAME, "What people call them; the name when left out."),
        may("mail", Takes::Mail, "Mail address, unique within the tenant."),
        need("type", TYPE, "The built-in type."),
        may("site", Takes::Id("sit"), "The site the person belongs to."),
        may("password", PASSWORD, "A first password; without one an invitation link is made."),
        may("service", Takes::Bool, "A service account: no person, no password, API tokens alone."),
    ];
    /// What to change in a user.
    USER_PATCH "UserPatch" [
        may("name", NAME, "Sign-in name."),
        may("display_name", NAME, "What people call them."),
        may("mail", Takes::Mail, "Mail address; null takes it away.").or_null(),
        may("type", TYPE, "The built-in type."),
        may("site", Takes::Id("sit"), "The site; null takes it away.").or_null(),
    ];
    /// Functions switched off.
    OFF "Off" [need("off", Takes::Words(functions), "The functions that are off; all others are on.")];
    /// A new role.
    NEW_ROLE "NewRole" [need("name", NAME, "Unique within the tenant."), need("rights", Takes::Words(rights), "Rights of the catalogue.")];
    /// What to change in a role.
    ROLE_PATCH "RolePatch" [may("name", NAME, "The name."), may("rights", Takes::Words(rights), "The rights, all of them anew.")];
    /// Which grants.
    GRANT_QUERY "GrantQuery" [
        LIMIT, AFTER,
        may("user", Takes::Id("usr"), "Only this person's."),
        may("role", Takes::Id("rol"), "Only of this role."),
    ];
    /// A new grant.
    NEW_GRANT "NewGrant" [
        need("user", Takes::Id("usr"), "To whom."),
        need("role", Takes::Id("rol"), "What."),
        may("site", Takes::Id("sit"), "For one site only; the whole tenant when left out."),
    ];
    /// The page's grant; the user is in the path.
    GRANT_FORM "GrantForm" [need("role", Takes::Id("rol"), "What."), may("site", Takes::Id("sit"), "For one site only.")];
    /// A new site.
    NEW_SITE "NewSite" [need("name", NAME, "Unique within the tenant."), may("note", NOTE, "Free text.")];
    /// What to change in a site.
    SITE_PATCH "SitePatch" [may("name", NAME, "The name."), may("note", NOTE, "Free text.")];
    /// A new address rule.
    NEW_ADDRESS_RULE "NewAddressRule" [need("network", Takes::Network, "An address or a network in CIDR form."), may("note", NOTE, "Free text.")];
    /// What to change in an address rule.
    ADDRESS_RULE_PATCH "AddressRulePatch" [may("network", Takes::Network, "The network."), may("note", NOTE, "Free text.")];
    /// A new application.
    NEW_APPLICATION "NewApplication" [
        need("name", NAME, "Unique within the tenant."),
        may("redirect_uris", Takes::Addresses(10), "https on port 443, compared to the letter."),
        may("rights", Takes::Words(rights), "What it may ask people for."),
        may("confidential", Takes::Bool, "Whether it keeps a secret."),
        may("account", Takes::Id("usr"), "The service account as which it acts when it acts for nobody."),
        may("openid", Takes::Bool, "Whether people may sign in to it (OpenID Connect)."),
        may("post_logout_redirect_uris", Takes::Addresses(10), "Addresses for after signing out; https on port 443, compared to the letter."),
        may("require_pushed_authorization_requests", Takes::Bool, "Whether it must push its requests for authorisation (RFC 9126)."),
        may("dpop_bound_access_tokens", Takes::Bool, "Whether its tokens must be bound to a key of its own (RFC 9449)."),
        may("device_authorization", Takes::Bool, "Whether devices without a browser may ask for it (RFC 8628)."),
        may("backchannel_logout_uri", Takes::Text(0, 512), "Where it is told that a session has ended (OpenID Connect Back-Channel Logout): https."),
        may("backchannel_logout_session_required", Takes::Bool, "Whether it needs to be told which session; every logout token names it."),
    ];
    /// How the keys that sign are turned.
    TURN_KEYS "TurnSigningKeys" [need("withdraw", Takes::Bool, "Whether the keys before are withdrawn at once: what they have signed is worth nothing any more.")];
    /// A new connection of an identity provider.
    NEW_CONNECTION "NewConnection" [
        need("name", NAME, "What the identity provider is called."),
        may("networks", Takes::Networks(20), "Addresses or networks from which it comes; any when left out."),
        need("days", Takes::Int(1, 3_650), "Days until its token runs out."),
        may("subject_provider", Takes::Id("idp"), "The OpenID provider whose subjects its externalIds are: whom it makes comes in there at once."),
    ];
    /// Which role a provisioned group gives.
    GROUP_MAP "GroupMap" [
        may("role", Takes::Id("rol"), "The role; none takes it away.").or_null(),
        may("site", Takes::Id("sit"), "For one site only; the whole tenant when left out.").or_null(),
    ];
    /// A token of one's own.
    NEW_OWN_TOKEN "NewOwnApiToken" [
        need("name", NAME, "What it is for."),
        may("rights", Takes::Words(rights), "Its scope; it never does more than its owner may."),
        may("networks", Takes::Networks(20), "Addresses or networks from which it may be used; any when left out."),
        need("days", Takes::Int(1, 3_650), "Days until it runs out."),
        need("password", PASSWORD, "One's own password."),
    ];
    /// A token of a service account.
    NEW_TOKEN "NewApiToken" [
        need("user", Takes::Id("usr"), "The service account."),
        need("name", NAME, "What it is for."),
        may("rights", Takes::Words(rights), "Its scope; it never does more than its account may."),
        may("networks", Takes::Networks(20), "Addresses or networks from which it may be used; any when left out."),
        need("days", Takes::Int(1, 3_650), "Days until it runs out."),
    ];
    /// Which tokens.
    TOKEN_QUERY "ApiTokenQuery" [LIMIT, AFTER, may("user", Takes::Id("usr"), "Only of this account.")];
    /// A sign-in by unique ID and signature.
    SIGN_IN_SIGNATURE "SignInSignature" [
        need("client", Takes::Id("cli"), "The client's id."),
        need("unique_id", Takes::Text(1, 255), "The person's ID in the application, to the letter."),
        need("timestamp", Takes::Int(0, 253_402_300_799), "Seconds since 1970 (UTC) at which it was signed."),
        need("nonce", Takes::Text(16, 64), "Letters, digits, `-` and `_`; used once."),
        need("signature", Takes::Secret(43, 43), "HMAC-SHA-256 over the six lines, base64url without padding."),
    ];
    /// A new identity provider.
    NEW_PROVIDER "NewProvider" [
        need("name", NAME, "Unique within the tenant; the sign-in page shows it."),
        need("issuer", Takes::Text(1, 512), "https, to the letter as the provider writes it; never changed later."),
        need("client_id", Takes::Text(1, 256), "Our name there."),
        may("client_secret", Takes::Secret(0, 512), "Our secret there."),
    ];
    /// A new SAML provider.
    NEW_SAML_PROVIDER "NewSamlProvider" [
        need("name", NAME, "Unique within the tenant; the sign-in page shows it."),
        may("metadata_url", Takes::Text(0, 1_024), "Where its metadata is, https; or:"),
        may("metadata", METADATA, "Its metadata (SAML 2.0) itself: XML, or that in base64, which no firewall takes for an attack."),
    ];
    /// A SAML provider's metadata, anew; one of the two.
    SAML_METADATA "SamlMetadata" [
        may("metadata_url", Takes::Text(0, 1_024), "Where its metadata is, https; or:"),
        may("metadata", METADATA, "Its metadata (SAML 2.0) itself: XML, or that in base64, which no firewall takes for an attack."),
    ];
    /// What to change in an identity provider.
    PROVIDER_PATCH "ProviderPatch" [
        may("name", NAME, "The name."),
        may("client_id", Takes::Text(1, 256), "Our name there."),
        may("client_secret", Takes::Secret(0, 512), "Our secret there; the empty text takes it away."),
        may("scopes", Takes::Any, "A list of scopes that are asked for beside `openid`."),
        may("userinfo", Takes::Bool, "Whether its userinfo endpoint is asked too."),
        may("enabled", Takes::Bool, "Whether it signs anybody in."),
        may("button", Takes::Bool, "Whether the sign-in page has a button for it."),
        may("create_users", Takes::Bool, "Whether somebody who has no account gets one."),
        may("trusts_factor", Takes::Bool, "Whether its word (`amr` with `mfa`) is taken for a second factor."),
        may("name_claim", Takes::Text(1, 256), "The claim with the sign-in name of a new account."),
        may("display_name_claim", Takes::Text(1, 256), "The claim with the display name."),
        may("mail_claim", Takes::Text(1, 256), "The claim with the mail address."),
        may("rules", Takes::Any, "A list of `{claim, value, role}`: which claims give which roles, all of them anew."),
        may("metadata_url", Takes::Text(0, 1_024), "Where a SAML provider's metadata is read anew, https; or:"),
        may("metadata", METADATA, "Its metadata itself, XML or that in base64. The entity id never changes."),
        may("signed", Takes::Word(&["assertion", "response", "both"]), "Which signatures a SAML provider's answers must carry."),
        may("encrypted", Takes::Bool, "Whether a SAML provider must encrypt its assertions."),
        may("unsolicited", Takes::Bool, "Whether a SAML provider may begin (IdP-initiated sign-in)."),
        may("single_logout", Takes::Bool, "Whether who signs out here signs out at a SAML provider that takes that."),
    ];
    /// The page's rule; the provider is in the path.
    ROLE_RULE "RoleRule" [
        need("claim", Takes::Text(1, 256), "The claim, or a path with dots."),
        need("value", NAME, "Its value, to the letter."),
        need("role", Takes::Id("rol"), "The role that it gives."),
    ];
    /// A new mail domain.
    NEW_MAIL_DOMAIN "NewMailDomain" [
        need("domain", Takes::Text(1, 253), "What follows `@` in the mail addresses."),
        need("provider", Takes::Id("idp"), "The provider to which it leads."),
    ];
    /// The page's mail domain; the provider is in the path.
    MAIL_DOMAIN_FORM "MailDomainForm" [need("domain", Takes::Text(1, 253), "What follows `@` in the mail addresses.")];
    /// Which mail domains.
    MAIL_DOMAIN_QUERY "MailDomainQuery" [LIMIT, AFTER, may("provider", Takes::Id("idp"), "Only of this provider.")];
    /// Which identities.
    IDENTITY_QUERY "IdentityQuery" [
        LIMIT, AFTER,
        may("provider", Takes::Id("idp"), "Only of this provider."),
        may("user", Takes::Id("usr"), "Only of this person."),
    ];
    /// What proves who is there, where a passkey is registered.
    PROVEN "Proven" [may("password", PASSWORD, "One's own password, or the proof that a passkey gave in its place. Left out in the browser that has just confirmed at a provider.")];
    /// Which provider, chosen on a page.
    PROVIDER_CHOICE "ProviderChoice" [need("provider", Takes::Id("idp"), "The provider.")];
    /// A mail address, for the way that it leads.
    MAIL_CHOICE "MailChoice" [need("mail", Takes::Mail, "One's own mail address.")];
    /// A new signing client.
    NEW_CLIENT "NewSigningClient" [need("name", NAME, "Unique within the tenant."), may("note", NOTE, "Free text.")];
    /// What to change in a signing client.
    CLIENT_PATCH "SigningClientPatch" [
        may("name", NAME, "The name."),
        may("note", NOTE, "Free text."),
        may("disabled", Takes::Bool, "Whether it signs nobody in for now."),
    ];
    /// A new unique ID.
    NEW_UNIQUE_ID "NewUniqueId" [
        need("client", Takes::Id("cli"), "The client."),
        need("user", Takes::Id("usr"), "The person."),
        need("unique_id", Takes::Text(1, 255), "As the application writes it; unique within the client."),
    ];
    /// The page's unique ID: the person by sign-in name.
    UNIQUE_ID_FORM "UniqueIdForm" [
        need("user", NAME, "The person's sign-in name."),
        need("unique_id", Takes::Text(1, 255), "As the application writes it; unique within the client."),
    ];
    /// Which unique IDs.
    UNIQUE_ID_QUERY "UniqueIdQuery" [
        LIMIT, AFTER,
        may("client", Takes::Id("cli"), "Only of this client."),
        may("user", Takes::Id("usr"), "Only of this person."),
    ];
    /// A setting's value.
    SETTING "SettingValue" [need("value", Takes::Any, "As the policy file would write it (`\"30m\"`), or a number, a truth value, a list of strings.")];
    /// A setting of the firewall to be tried.
    FIREWALL_TRIAL "FirewallTrial" [
        may("paranoia", Takes::Int(1, 4), "Another paranoia level."),
        may("threshold", Takes::Int(1, 100), "Another blocking score."),
        may("exclusion", Takes::Text(1, 500), "One more exclusion, as `waf.exclusions` has it."),
    ];
    /// The page's setting to be tried.
    FIREWALL_TRY "FirewallTry" [
        may("paranoia", Takes::Int(1, 4), "Another paranoia level."),
        may("threshold", Takes::Int(1, 100), "Another blocking score."),
    ];
    /// A narrow exclusion.
    NEW_EXCLUSION "NewExclusion" [
        need("rule", Takes::Int(1, 4_294_967_295), "The rule's id."),
        need("part", Takes::Text(1, 128), "The one part it does not look at, such as `ARGS:comment`."),
        need("path", Takes::Text(1, 256), "On paths that begin so."),
        need("until", Takes::Day, "Its last day (UTC), within 90 days."),
        need("reason", Takes::Text(3, 200), "Why."),
    ];
    /// Which entries.
    HISTORY_QUERY "HistoryQuery" [
        LIMIT, AFTER,
        may("from", Takes::Time, "Not earlier than this."),
        may("to", Takes::Time, "Earlier than this."),
        may("actor", NAME, "`usr_…`, `system:…` or `stranger`."),
        may("action", NAME, "`object.verb`, or `object.` for all of an object's."),
        may("result", Takes::Word(&["success", "refused", "failed"]), "How it ended."),
        may("target", Takes::Text(1, 512), "What it was done to."),
        may("text", NAME, "Anywhere in the entry; at most 10,000 entries of the chosen days are searched."),
    ];
    /// The page's filter: days instead of moments.
    HISTORY_FORM "HistoryForm" [
        AFTER,
        may("from", Takes::Day, "First day."),
        may("to", Takes::Day, "Last day."),
        may("actor", NAME, "Who."),
        may("action", NAME, "What."),
        may("result", Takes::Word(&["success", "refused", "failed"]), "How it ended."),
        may("target", Takes::Text(1, 512), "What it was done to."),
        may("text", NAME, "Anywhere in the entry."),
    ];
    /// Which export.
    EXPORT "Export" [
        may("format", Takes::Word(&["log", "csv", "jsonl"]), "`log` when left out: verifiable offline."),
        may("from", Takes::Time, "Not earlier than this (csv, jsonl)."),
        may("to", Takes::Time, "Earlier than this (csv, jsonl)."),
    ];
    /// Which claims.
    CLAIM_QUERY "ClaimQuery" [
        may("paper", Takes::Word(&["netmeister", "mist", "moxtra", "dxsuite", "idoperation"]), "Of one paper."),
        may("verdict", Takes::Word(VERDICTS), "With this verdict."),
        may("kind", Takes::Word(&["enforced", "attested", "inherited"]), "Of this kind."),
    ];
    /// The page's filter.
    CLAIM_FORM "ClaimForm" [
        may("paper", Takes::Word(&["all", "netmeister", "mist", "moxtra", "dxsuite", "idoperation"]), "Of one paper."),
        may("verdict", Takes::Word(VERDICTS), "With this verdict."),
        may("kind", Takes::Word(&["enforced", "attested", "inherited"]), "Of this kind."),
    ];
}

/// The names of [`Verdict`].
pub const VERDICTS: &[&str] = &{
    let mut names = [""; Verdict::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = Verdict::ALL[at].name();
        at += 1;
    }
    names
};
