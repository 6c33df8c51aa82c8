//! The one route list. Router, API document, permission matrix and the sweeps over all routes follow from it; a route
//! that is not here does not exist.

mod info;
mod kinds;

use sekisho_kernel::{Right as R, event as e};

pub use info::RouteInfo;
pub use kinds::{Access, Gives, Surface, Verb};

use crate::{api, files, inputs as i, page, serve};

macro_rules! h {
    ($handler:path) => {
        |call| Box::pin($handler(call))
    };
}

macro_rules! route {
    ($verb:ident $path:literal $name:literal $access:expr, $event:expr, $handler:path) => {
        RouteInfo::new(Verb::$verb, $path, $name, $access, $event, h!($handler))
    };
}

const fn right(right: R) -> Access {
    Access::Right(right)
}
const OWN: Access = Access::Own;
const PUBLIC: Access = Access::Public;

/// What stands in for a route where there is none: the API's answer, the page, and SCIM's answer.
pub static UNKNOWN: [RouteInfo; 3] = [
    route!(Get "/api/{*rest}" "unknownApi" PUBLIC, None, serve::nothing_here),
    route!(Get "/{*rest}" "unknownPage" PUBLIC, None, serve::nothing_here).page(),
    route!(Get "/scim/{*rest}" "unknownScim" PUBLIC, None, serve::nothing_here).scim(),
];

static ROUTES: &[RouteInfo] = &[
    // --- sign-in
    route!(Post "/api/v1/sign-in" "signIn" PUBLIC, Some(&e::SESSION_SIGN_IN), api::sign_in::start)
        .says("Signs in with name and password.").body(&i::SIGN_IN).gives(200, "SignInStep"),
    route!(Post "/api/v1/sign-in/factor" "signInFactor" PUBLIC, Some(&e::SESSION_SIGN_IN), api::sign_in::factor)
        .says("Goes on with a code or a recovery code.").body(&i::SIGN_IN_FACTOR).gives(200, "SignInStep"),
    route!(Post "/api/v1/sign-in/again" "signInAgain" PUBLIC, Some(&e::SESSION_SIGN_IN), api::sign_in::again)
        .says("Goes on with the password once more, where the sign-in was stepped up and the account has no second factor.").body(&i::SIGN_IN_AGAIN).gives(200, "SignInStep"),
    route!(Post "/api/v1/sign-in/password" "signInPassword" PUBLIC, Some(&e::SESSION_SIGN_IN), api::sign_in::password)
        .says("Goes on with a new password, where the old one has run out.").body(&i::SIGN_IN_PASSWORD).gives(200, "SignInStep"),
    route!(Post "/api/v1/sign-in/enrol" "signInEnrol" PUBLIC, Some(&e::FACTOR_CREATE), api::sign_in::enrol)
        .says("Begins to set up the second factor that the policy requires.").body(&i::CHALLENGE).gives(200, "Enrolment"),
    route!(Post "/api/v1/sign-in/enrol/confirm" "signInEnrolConfirm" PUBLIC, Some(&e::FACTOR_CONFIRM), api::sign_in::confirm)
        .says("Confirms it with a code, and signs in.").body(&i::CHALLENGE_CODE).gives(200, "SignInStep"),
    route!(Post "/api/v1/sign-in/signature" "signInSignature" PUBLIC, Some(&e::SESSION_SIGN_IN), api::sign_in::signature)
        .says("Signs a person in by an application's unique ID and signature; each signature once.").body(&i::SIGN_IN_SIGNATURE).gives(200, "SignInStep"),
    route!(Post "/api/v1/sign-in/passkey/options" "signInPasskeyOptions" PUBLIC, None, api::passkeys::sign_in_options)
        .says("What a browser needs to sign in by a passkey (PublicKeyCredentialRequestOptionsJSON).").body(&i::PASSKEY_STEP).gives(200, "PasskeyOptions"),
    route!(Post "/api/v1/sign-in/passkey" "signInPasskey" PUBLIC, Some(&e::SESSION_SIGN_IN), api::passkeys::sign_in)
        .says("Signs in by a passkey, alone or as second factor; each challenge once.").body(&i::PASSKEY_ASSERTION).gives(200, "SignInStep"),
    route!(Post "/api/v1/sign-in/enrol/passkey/options" "signInEnrolPasskeyOptions" PUBLIC, None, api::passkeys::enrol_options)
        .says("What a browser needs to set up a passkey as the second factor that is asked for.").body(&i::PASSKEY_CHALLENGE).gives(200, "PasskeyOptions"),
    route!(Post "/api/v1/sign-in/enrol/passkey" "signInEnrolPasskey" PUBLIC, Some(&e::PASSKEY_CREATE), api::passkeys::enrol)
        .says("Registers it, and signs in.").body(&i::NEW_PASSKEY).gives(200, "SignInStep"),
    route!(Post "/api/v1/sign-out" "signOut" OWN, Some(&e::SESSION_SIGN_OUT), api::sign_in::out)
        .says("Ends this session, and tells where the person may go on to sign out at the SAML provider by which they came.").gives(200, "SignedOut").before_terms(),
    route!(Get "/api/v1/session" "readSession" OWN, None, api::sign_in::session)
        .says("This session and its ends. Never prolongs it.").gives(200, "SessionState").idle().before_terms(),
    route!(Post "/api/v1/links/use" "useLink" PUBLIC, Some(&e::LINK_USE), api::sign_in::link)
        .says("Sets a password with a one-time link.").body(&i::LINK_USE).gives(200, "LinkUsed"),
    // --- one's own account
    route!(Get "/api/v1/me" "readMe" OWN, Some(&e::USER_READ), api::me::read)
        .says("One's own account and rights.").gives(200, "Me"),
    route!(Get "/api/v1/me/terms" "readTerms" OWN, Some(&e::TERMS_READ), api::terms::read)
        .says("The terms of use in force, and what one has accepted.").gives(200, "Terms").before_terms(),
    route!(Post "/api/v1/me/terms" "acceptTerms" OWN, Some(&e::TERMS_ACCEPT), api::terms::accept)
        .says("Accepts the version in force, after which one goes on.").body(&i::ACCEPTANCE).gives(200, "Terms").before_terms(),
    route!(Put "/api/v1/me/password" "changePassword" OWN, Some(&e::PASSWORD_CHANGE), api::me::password)
        .says("Changes one's own password.").body(&i::PASSWORD_CHANGE),
    route!(Post "/api/v1/me/reauthenticate" "reauthenticate" OWN, Some(&e::SESSION_REAUTHENTICATE), api::me::reauthenticate)
        .says("Proves again who is at the keyboard.").body(&i::PASSWORD_ONLY),
    route!(Post "/api/v1/me/reauthenticate/passkey/options" "reauthenticatePasskeyOptions" OWN, None, api::passkeys::confirm_options)
        .says("What a browser needs to prove by a passkey who is at the keyboard.").body(&i::EMPTY).gives(200, "PasskeyOptions"),
    route!(Post "/api/v1/me/reauthenticate/passkey" "reauthenticatePasskey" OWN, Some(&e::SESSION_REAUTHENTICATE), api::passkeys::confirm)
        .says("Proves it; gives a proof that stands in for the password, once, within five minutes, in this session.").body(&i::PASSKEY_ASSERTION).gives(200, "PasskeyProof"),
    route!(Post "/api/v1/me/reauthenticate/provider" "reauthenticateProvider" OWN, None, api::federation::confirm)
        .says("Where a browser goes (with `fields`, by a form) to sign in anew at a linked provider. It comes back to the account's page and may then register a first passkey, within five minutes; for accounts without password and passkey.").body(&i::PROVIDER_CHOICE).gives(200, "ProviderErrand"),
    route!(Get "/api/v1/me/factors" "listFactors" OWN, Some(&e::FACTOR_LIST), api::me::factors)
        .says("One's own second factors.").gives(200, "FactorList"),
    route!(Post "/api/v1/me/factors" "createFactor" OWN, Some(&e::FACTOR_CREATE), api::me::enrol)
        .says("Begins to set up an authenticator app.").body(&i::EMPTY).gives(201, "Enrolment"),
    route!(Post "/api/v1/me/factors/{id}/confirm" "confirmFactor" OWN, Some(&e::FACTOR_CONFIRM), api::me::confirm)
        .says("Confirms it with a code; gives recovery codes.").id("fac").body(&i::CODE).gives(200, "RecoveryCodes"),
    route!(Delete "/api/v1/me/factors/{id}" "deleteFactor" OWN, Some(&e::FACTOR_DELETE), api::me::remove)
        .says("Removes a second factor; needs the password.").id("fac").body(&i::PASSWORD_ONLY),
    route!(Post "/api/v1/me/recovery-codes" "createRecoveryCodes" OWN, Some(&e::RECOVERY_CREATE), api::me::codes)
        .says("New recovery codes; the old ones end.").body(&i::PASSWORD_ONLY).gives(200, "RecoveryCodes"),
    route!(Get "/api/v1/me/passkeys" "listPasskeys" OWN, Some(&e::PASSKEY_LIST), api::passkeys::list)
        .says("One's own passkeys.").gives(200, "PasskeyList"),
    route!(Post "/api/v1/me/passkeys/options" "passkeyOptions" OWN, Some(&e::SESSION_REAUTHENTICATE), api::passkeys::options)
        .says("What a browser needs to make a passkey (PublicKeyCredentialCreationOptionsJSON); needs the password, or what stands in for it.").body(&i::PROVEN).gives(200, "PasskeyOptions"),
    route!(Post "/api/v1/me/passkeys" "createPasskey" OWN, Some(&e::PASSKEY_CREATE), api::passkeys::create)
        .says("Registers it; gives recovery codes where there are none.").body(&i::NEW_PASSKEY).gives(201, "PasskeyMade"),
    route!(Patch "/api/v1/me/passkeys/{id}" "updatePasskey" OWN, Some(&e::PASSKEY_UPDATE), api::passkeys::rename)
        .says("Renames a passkey.").id("pky").body(&i::PASSKEY_PATCH).gives(200, "Passkey").version(true),
    route!(Delete "/api/v1/me/passkeys/{id}" "deletePasskey" OWN, Some(&e::PASSKEY_DELETE), api::passkeys::remove)
        .says("Removes a passkey; needs the password.").id("pky").body(&i::PASSWORD_ONLY),
    route!(Get "/api/v1/me/sessions" "listOwnSessions" OWN, Some(&e::SESSION_LIST), api::me::sessions)
        .says("One's own sessions.").gives(200, "SessionList"),
    route!(Delete "/api/v1/me/sessions/{id}" "endOwnSession" OWN, Some(&e::SESSION_END), api::me::end)
        .says("Ends one of them.").id("ses"),
    route!(Delete "/api/v1/me/sessions" "endOtherSessions" OWN, Some(&e::SESSION_END), api::me::end_many)
        .says("Signs out everywhere else, or everywhere.").query(&i::KEEP).gives(200, "Ended"),
    route!(Get "/api/v1/me/tokens" "listOwnTokens" OWN, Some(&e::TOKEN_LIST), api::tokens::own)
        .says("One's own API tokens.").gives(200, "ApiTokenList"),
    route!(Post "/api/v1/me/tokens" "createOwnToken" OWN, Some(&e::TOKEN_CREATE), api::tokens::create_own)
        .says("A new one; needs the password; its text comes back, once.").body(&i::NEW_OWN_TOKEN).gives(201, "ApiTokenIssued"),
    route!(Delete "/api/v1/me/tokens/{id}" "endOwnToken" OWN, Some(&e::TOKEN_END), api::tokens::end_own)
        .says("Ends one of them at once.").id("tok"),
    // --- tokens of the organisation
    route!(Get "/api/v1/tokens" "listTokens" right(R::TOKENS_READ), Some(&e::TOKEN_LIST), api::tokens::list)
        .says("Every API token of the organisation, oldest first.").query(&i::TOKEN_QUERY).gives(200, "ApiTokenList"),
    route!(Post "/api/v1/tokens" "createToken" right(R::TOKENS_WRITE), Some(&e::TOKEN_CREATE), api::tokens::create)
        .says("A new token of a service account; its text comes back, once.").body(&i::NEW_TOKEN).gives(201, "ApiTokenIssued"),
    route!(Delete "/api/v1/tokens/{id}" "endToken" right(R::TOKENS_WRITE), Some(&e::TOKEN_END), api::tokens::end)
        .says("Ends anybody's token at once.").id("tok"),
    // --- provisioning
    route!(Get "/api/v1/provisioning" "listConnections" right(R::CLIENTS_READ), Some(&e::PROVISIONING_READ), api::provisioning::list)
        .says("Identity providers that provision by SCIM, with their tokens, and the address to give them.").gives(200, "Provisioning"),
    route!(Post "/api/v1/provisioning" "createConnection" right(R::TOKENS_WRITE), Some(&e::PROVISIONING_CREATE), api::provisioning::create)
        .says("A new one; its token comes back, once.").body(&i::NEW_CONNECTION).gives(201, "ApiTokenIssued"),
    route!(Get "/api/v1/provisioning/groups" "listGroups" right(R::CLIENTS_READ), Some(&e::GROUP_LIST), api::provisioning::groups)
        .says("Provisioned groups, oldest first, and the role that each gives.").query(&i::PAGE).gives(200, "GroupList"),
    route!(Put "/api/v1/provisioning/groups/{id}" "mapGroup" right(R::GRANTS_WRITE), Some(&e::GROUP_MAP), api::provisioning::map)
        .says("Which role a group gives to its members; none takes it away.").id("grp").body(&i::GROUP_MAP).gives(200, "Group").version(false),
    // --- users
    route!(Get "/api/v1/users" "listUsers" right(R::USERS_READ), Some(&e::USER_LIST), api::users::list)
        .says("Accounts, oldest first.").query(&i::USER_QUERY).gives(200, "UserList"),
    route!(Post "/api/v1/users" "createUser" right(R::USERS_WRITE), Some(&e::USER_CREATE), api::users::create)
        .says("A new account; without a password an invitation link comes back, once.").body(&i::NEW_USER).gives(201, "NewUserMade"),
    route!(Get "/api/v1/users/{id}" "readUser" right(R::USERS_READ), Some(&e::USER_READ), api::users::read)
        .says("One account.").id("usr").gives(200, "User"),
    route!(Patch "/api/v1/users/{id}" "updateUser" right(R::USERS_WRITE), Some(&e::USER_UPDATE), api::users::update)
        .says("Changes an account; what is left out stays.").id("usr").body(&i::USER_PATCH).gives(200, "User").version(true),
    route!(Delete "/api/v1/users/{id}" "deleteUser" right(R::USERS_WRITE), Some(&e::USER_DELETE), api::users::delete)
        .says("Deletes an account and ends its sessions.").id("usr").version(false),
    route!(Post "/api/v1/users/{id}/disable" "disableUser" right(R::USERS_WRITE), Some(&e::USER_DISABLE), api::users::disable)
        .says("Disables an account and ends its sessions.").id("usr").body(&i::EMPTY).gives(200, "User"),
    route!(Post "/api/v1/users/{id}/enable" "enableUser" right(R::USERS_WRITE), Some(&e::USER_ENABLE), api::users::enable)
        .says("Enables it again.").id("usr").body(&i::EMPTY).gives(200, "User"),
    route!(Post "/api/v1/users/{id}/unlock" "unlockUser" right(R::USERS_WRITE), Some(&e::ACCOUNT_UNLOCK), api::users::unlock)
        .says("Forgets its failed tries.").id("usr").body(&i::EMPTY).gives(200, "User"),
    route!(Post "/api/v1/users/{id}/invite" "inviteUser" right(R::USERS_WRITE), Some(&e::USER_INVITE), api::users::invite)
        .says("A one-time link by which the person sets a password; shown once.").id("usr").body(&i::EMPTY).gives(200, "Link"),
    route!(Put "/api/v1/users/{id}/functions" "switchUser" right(R::USERS_WRITE), Some(&e::USER_SWITCH), api::users::switch)
        .says("Which functions are off for this person.").id("usr").body(&i::OFF).gives(200, "User"),
    route!(Get "/api/v1/users/{id}/sessions" "listUserSessions" right(R::SESSIONS_READ), Some(&e::SESSION_LIST), api::users::sessions)
        .says("Somebody's sessions.").id("usr").gives(200, "SessionList"),
    route!(Delete "/api/v1/users/{id}/sessions" "endUserSessions" right(R::SESSIONS_END), Some(&e::SESSION_END), api::users::end)
        .says("Ends all of somebody's sessions.").id("usr").gives(200, "Ended"),
    // --- roles and grants
    route!(Get "/api/v1/rights" "listRights" right(R::ROLES_READ), Some(&e::ROLE_LIST), api::roles::rights)
        .says("The rights catalogue.").gives(200, "RightList"),
    route!(Get "/api/v1/roles" "listRoles" right(R::ROLES_READ), Some(&e::ROLE_LIST), api::roles::list)
        .says("Roles, oldest first.").query(&i::PAGE).gives(200, "RoleList"),
    route!(Post "/api/v1/roles" "createRole" right(R::ROLES_WRITE), Some(&e::ROLE_CREATE), api::roles::create)
        .says("A new role.").body(&i::NEW_ROLE).gives(201, "Role"),
    route!(Get "/api/v1/roles/{id}" "readRole" right(R::ROLES_READ), Some(&e::ROLE_READ), api::roles::read)
        .says("One role.").id("rol").gives(200, "Role"),
    route!(Patch "/api/v1/roles/{id}" "updateRole" right(R::ROLES_WRITE), Some(&e::ROLE_UPDATE), api::roles::update)
        .says("Changes a role, for everybody who holds it, at once.").id("rol").body(&i::ROLE_PATCH).gives(200, "Role").version(true),
    route!(Delete "/api/v1/roles/{id}" "deleteRole" right(R::ROLES_WRITE), Some(&e::ROLE_DELETE), api::roles::delete)
        .says("Deletes a role and its grants.").id("rol").version(false),
    route!(Get "/api/v1/grants" "listGrants" right(R::ROLES_READ), Some(&e::GRANT_LIST), api::roles::grants)
        .says("Who holds which role.").query(&i::GRANT_QUERY).gives(200, "GrantList"),
    route!(Post "/api/v1/grants" "createGrant" right(R::GRANTS_WRITE), Some(&e::GRANT_CREATE), api::roles::grant)
        .says("Grants a role to a person, for the tenant or one site.").body(&i::NEW_GRANT).gives(201, "Grant"),
    route!(Delete "/api/v1/grants/{id}" "deleteGrant" right(R::GRANTS_WRITE), Some(&e::GRANT_DELETE), api::roles::revoke)
        .says("Takes it back.").id("gra"),
    // --- sites
    route!(Get "/api/v1/sites" "listSites" right(R::SITES_READ), Some(&e::SITE_LIST), api::sites::list)
        .says("Sites, oldest first.").query(&i::PAGE).gives(200, "SiteList"),
    route!(Post "/api/v1/sites" "createSite" right(R::SITES_WRITE), Some(&e::SITE_CREATE), api::sites::create)
        .says("A new site.").body(&i::NEW_SITE).gives(201, "Site"),
    route!(Get "/api/v1/sites/{id}" "readSite" right(R::SITES_READ), Some(&e::SITE_READ), api::sites::read)
        .says("One site.").id("sit").gives(200, "Site"),
    route!(Patch "/api/v1/sites/{id}" "updateSite" right(R::SITES_WRITE), Some(&e::SITE_UPDATE), api::sites::update)
        .says("Changes a site.").id("sit").body(&i::SITE_PATCH).gives(200, "Site").version(true),
    route!(Delete "/api/v1/sites/{id}" "deleteSite" right(R::SITES_WRITE), Some(&e::SITE_DELETE), api::sites::delete)
        .says("Deletes a site.").id("sit").version(false),
    // --- address rules
    route!(Get "/api/v1/address-rules" "listAddressRules" right(R::ADDRESSES_READ), Some(&e::ADDRESS_RULE_LIST), api::addresses::list)
        .says("Networks from which people may come; none admits all.").query(&i::PAGE).gives(200, "AddressRuleList"),
    route!(Post "/api/v1/address-rules" "createAddressRule" right(R::ADDRESSES_WRITE), Some(&e::ADDRESS_RULE_CREATE), api::addresses::create)
        .says("A new rule.").body(&i::NEW_ADDRESS_RULE).gives(201, "AddressRule"),
    route!(Get "/api/v1/address-rules/{id}" "readAddressRule" right(R::ADDRESSES_READ), Some(&e::ADDRESS_RULE_LIST), api::addresses::read)
        .says("One rule.").id("adr").gives(200, "AddressRule"),
    route!(Patch "/api/v1/address-rules/{id}" "updateAddressRule" right(R::ADDRESSES_WRITE), Some(&e::ADDRESS_RULE_UPDATE), api::addresses::update)
        .says("Changes a rule.").id("adr").body(&i::ADDRESS_RULE_PATCH).gives(200, "AddressRule").version(true),
    route!(Delete "/api/v1/address-rules/{id}" "deleteAddressRule" right(R::ADDRESSES_WRITE), Some(&e::ADDRESS_RULE_DELETE), api::addresses::delete)
        .says("Removes a rule.").id("adr").version(false),
    route!(Get "/api/v1/me/applications" "listConsents" OWN, Some(&e::CONSENT_LIST), api::applications::consents)
        .says("Which applications act for oneself.").gives(200, "ConsentList"),
    route!(Delete "/api/v1/me/applications/{id}" "withdrawConsent" OWN, Some(&e::CONSENT_WITHDRAW), api::applications::withdraw)
        .says("Withdraws a consent; what the application holds ends at once.").id("cns"),
    // --- third-party applications
    route!(Get "/api/v1/applications" "listApplications" right(R::CLIENTS_READ), Some(&e::APPLICATION_LIST), api::applications::list)
        .says("Third-party applications, oldest first.").query(&i::PAGE).gives(200, "ApplicationList"),
    route!(Post "/api/v1/applications" "createApplication" right(R::CLIENTS_WRITE), Some(&e::APPLICATION_CREATE), api::applications::create)
        .says("Registers an application; it waits for approval. A secret comes back, once.").body(&i::NEW_APPLICATION).gives(201, "ApplicationIssued"),
    route!(Get "/api/v1/applications/{id}" "readApplication" right(R::CLIENTS_READ), Some(&e::APPLICATION_READ), api::applications::read)
        .says("One application.").id("app").gives(200, "Application"),
    route!(Post "/api/v1/applications/{id}/approve" "approveApplication" right(R::CLIENTS_APPROVE), Some(&e::APPLICATION_APPROVE), api::applications::approve)
        .says("Lets it act.").id("app").body(&i::EMPTY).gives(200, "Application"),
    route!(Get "/api/v1/signing-keys" "listSigningKeys" right(R::CLIENTS_READ), Some(&e::OAUTH_KEY_LIST), api::applications::keys)
        .says("The published keys that sign tokens and security signals, oldest first.").gives(200, "SigningKeyList"),
    route!(Post "/api/v1/signing-keys/turn" "turnSigningKeys" right(R::CLIENTS_WRITE), Some(&e::OAUTH_KEY_TURN), api::applications::turn_keys)
        .says("Makes a new key sign at once; those before it are withdrawn at once, or published for as long as any that has turned.").body(&i::TURN_KEYS).gives(200, "SigningKeyList"),
    route!(Post "/api/v1/applications/{id}/stop" "stopApplication" right(R::CLIENTS_WRITE), Some(&e::APPLICATION_STOP), api::applications::stop)
        .says("Stops it; what it holds ends at once.").id("app").body(&i::EMPTY).gives(200, "Application"),
    route!(Delete "/api/v1/applications/{id}" "deleteApplication" right(R::CLIENTS_WRITE), Some(&e::APPLICATION_DELETE), api::applications::delete)
        .says("Deletes it with every consent and token.").id("app").version(false),
    // --- signing clients
    route!(Get "/api/v1/signing-clients" "listSigningClients" right(R::CLIENTS_READ), Some(&e::CLIENT_LIST), api::clients::list)
        .says("Applications that sign their users in, oldest first.").query(&i::PAGE).gives(200, "SigningClientList"),
    route!(Post "/api/v1/signing-clients" "createSigningClient" right(R::CLIENTS_WRITE), Some(&e::CLIENT_CREATE), api::clients::create)
        .says("A new client; its key comes back, once.").body(&i::NEW_CLIENT).gives(201, "SigningClientIssued"),
    route!(Get "/api/v1/signing-clients/{id}" "readSigningClient" right(R::CLIENTS_READ), Some(&e::CLIENT_READ), api::clients::read)
        .says("One client.").id("cli").gives(200, "SigningClient"),
    route!(Patch "/api/v1/signing-clients/{id}" "updateSigningClient" right(R::CLIENTS_WRITE), Some(&e::CLIENT_UPDATE), api::clients::update)
        .says("Changes a client, or stops it for now.").id("cli").body(&i::CLIENT_PATCH).gives(200, "SigningClient").version(true),
    route!(Delete "/api/v1/signing-clients/{id}" "deleteSigningClient" right(R::CLIENTS_WRITE), Some(&e::CLIENT_DELETE), api::clients::delete)
        .says("Deletes a client with its unique IDs.").id("cli").version(false),
    route!(Post "/api/v1/signing-clients/{id}/key" "renewSigningClient" right(R::CLIENTS_WRITE), Some(&e::CLIENT_RENEW), api::clients::renew)
        .says("A new key, shown once; the old one ends at once.").id("cli").body(&i::EMPTY).gives(200, "SigningClientIssued"),
    route!(Get "/api/v1/unique-ids" "listUniqueIds" right(R::CLIENTS_READ), Some(&e::UNIQUE_ID_LIST), api::clients::links)
        .says("Which unique ID is which person, oldest first.").query(&i::UNIQUE_ID_QUERY).gives(200, "UniqueIdList"),
    route!(Post "/api/v1/unique-ids" "createUniqueId" right(R::CLIENTS_WRITE), Some(&e::UNIQUE_ID_CREATE), api::clients::link)
        .says("Says which person a client's unique ID is.").body(&i::NEW_UNIQUE_ID).gives(201, "UniqueId"),
    route!(Delete "/api/v1/unique-ids/{id}" "deleteUniqueId" right(R::CLIENTS_WRITE), Some(&e::UNIQUE_ID_DELETE), api::clients::unlink)
        .says("Takes it away.").id("uid"),
    // --- policy and functions
    route!(Get "/api/v1/policy" "readPolicy" right(R::POLICY_READ), Some(&e::POLICY_READ), api::policy::read)
        .says("The policy in force, setting by setting.").gives(200, "Policy"),
    route!(Put "/api/v1/policy/{key}" "setPolicy" right(R::POLICY_WRITE), Some(&e::POLICY_UPDATE), api::policy::set)
        .says("The tenant's own value of a setting; never looser than the platform's.").body(&i::SETTING).gives(200, "Setting"),
    route!(Delete "/api/v1/policy/{key}" "clearPolicy" right(R::POLICY_WRITE), Some(&e::POLICY_UPDATE), api::policy::clear)
        .says("Back to the platform's value.").gives(200, "Setting"),
    route!(Get "/api/v1/functions" "readFunctions" right(R::POLICY_READ), Some(&e::SWITCH_READ), api::policy::functions)
        .says("The functions, and which are off for the tenant.").gives(200, "Functions"),
    route!(Put "/api/v1/functions" "switchFunctions" right(R::SWITCHES_WRITE), Some(&e::SWITCH_UPDATE), api::policy::switch)
        .says("Which functions are off for the whole tenant.").body(&i::OFF).gives(200, "Functions"),
    // --- firewall
    route!(Get "/api/v1/firewall" "readFirewall" right(R::POLICY_READ), Some(&e::FIREWALL_READ), api::firewall::read)
        .says("The firewall's rule set with its age, and what holds for the organisation.").gives(200, "Firewall"),
    route!(Get "/api/v1/firewall/blocked" "readBlocked" right(R::HISTORY_READ), Some(&e::FIREWALL_READ), api::firewall::blocked)
        .says("What was blocked in the last 24 hours: by hour, rule, path and address, and the newest one by one.").gives(200, "FirewallFigures"),
    route!(Post "/api/v1/firewall/replay" "replayFirewall" right(R::POLICY_READ), Some(&e::FIREWALL_REPLAY), api::firewall::replay)
        .says("Tries a changed setting on the last day's matches; nothing is applied.").body(&i::FIREWALL_TRIAL).gives(200, "FirewallReplay"),
    route!(Post "/api/v1/firewall/exclusions" "createExclusion" right(R::POLICY_WRITE), Some(&e::POLICY_UPDATE), api::firewall::exclude)
        .says("A narrow exclusion of the organisation's own, with reason and last day, where the operator allows them.")
        .body(&i::NEW_EXCLUSION).gives(201, "FirewallExclusion"),
    // --- history
    route!(Get "/api/v1/history" "listHistory" right(R::HISTORY_READ), Some(&e::HISTORY_READ), api::history::list)
        .says("The operation history, newest first.").query(&i::HISTORY_QUERY).gives(200, "History"),
    route!(Get "/api/v1/history/checkpoint" "readCheckpoint" right(R::HISTORY_READ), Some(&e::HISTORY_PROOF), api::history::checkpoint)
        .says("The newest signed checkpoint (C2SP tlog-checkpoint).").media(&["text/plain"]),
    route!(Get "/api/v1/history/export" "exportHistory" right(R::HISTORY_EXPORT), Some(&e::HISTORY_EXPORT), api::history::export)
        .says("The whole log with proof of completeness, or its entries as CSV or JSON Lines.").query(&i::EXPORT)
        .media(&["application/vnd.sekisho.log", "text/csv", "application/jsonl"]),
    route!(Get "/api/v1/history/{id}" "readHistoryEntry" right(R::HISTORY_READ), Some(&e::HISTORY_READ), api::history::read)
        .says("One entry.").id("ent").gives(200, "HistoryEntry"),
    route!(Get "/api/v1/history/{id}/proof" "readProof" right(R::HISTORY_READ), Some(&e::HISTORY_PROOF), api::history::proof)
        .says("The proof that an entry is in the log (C2SP tlog-proof).").id("ent").media(&["text/plain"]),
    // --- security signals
    route!(Get "/api/v1/signal-receivers" "listSignalReceivers" right(R::CLIENTS_READ), Some(&e::SIGNAL_LIST), api::signals::list)
        .says("Receivers of security signals, oldest first.").query(&i::PAGE).gives(200, "SignalReceiverList"),
    route!(Post "/api/v1/signal-receivers" "createSignalReceiver" right(R::CLIENTS_WRITE), Some(&e::SIGNAL_CREATE), api::signals::create)
        .says("Registers a receiver; what happens from now on is told.").body(&i::NEW_SIGNAL_RECEIVER).gives(201, "SignalReceiver"),
    route!(Get "/api/v1/signal-receivers/{id}" "readSignalReceiver" right(R::CLIENTS_READ), Some(&e::SIGNAL_READ), api::signals::read)
        .says("One receiver.").id("sgr").gives(200, "SignalReceiver"),
    route!(Patch "/api/v1/signal-receivers/{id}" "updateSignalReceiver" right(R::CLIENTS_WRITE), Some(&e::SIGNAL_UPDATE), api::signals::update)
        .says("Changes a receiver, or switches it off and on.").id("sgr").body(&i::SIGNAL_RECEIVER_PATCH).gives(200, "SignalReceiver").version(true),
    route!(Delete "/api/v1/signal-receivers/{id}" "deleteSignalReceiver" right(R::CLIENTS_WRITE), Some(&e::SIGNAL_DELETE), api::signals::delete)
        .says("Deletes a receiver with what waits for it.").id("sgr").version(false),
    route!(Post "/api/v1/signal-receivers/{id}/test" "testSignalReceiver" right(R::CLIENTS_WRITE), Some(&e::SIGNAL_TEST), api::signals::test)
        .says("Sends a verification event now, and says what came of it.").id("sgr").body(&i::EMPTY).gives(200, "SignalTest"),
    // --- people and relations
    route!(Get "/api/v1/people" "listPeople" right(R::PEOPLE_FIND), Some(&e::PEOPLE_LIST), api::people::list)
        .says("The people whom one may reach, oldest first.").query(&i::PEOPLE_QUERY).gives(200, "PersonCardList"),
    route!(Get "/api/v1/people/{id}" "readPerson" right(R::PEOPLE_FIND), Some(&e::PEOPLE_READ), api::people::read)
        .says("One of them; somebody whom one may not reach is answered as if they did not exist.").id("usr").gives(200, "PersonCard"),
    route!(Get "/api/v1/relations" "listRelations" right(R::RELATIONS_READ), Some(&e::RELATION_LIST), api::relations::list)
        .says("Relations between people, oldest first.").query(&i::RELATION_QUERY).gives(200, "RelationList"),
    route!(Post "/api/v1/relations" "createRelation" right(R::RELATIONS_WRITE), Some(&e::RELATION_CREATE), api::relations::create)
        .says("Lets the people of two sides reach each other.").body(&i::NEW_RELATION).gives(201, "Relation"),
    route!(Post "/api/v1/relations/{id}/end" "endRelation" right(R::RELATIONS_WRITE), Some(&e::RELATION_END), api::relations::end)
        .says("Ends a relation now.").id("rel").body(&i::EMPTY).gives(200, "Relation"),
    route!(Get "/api/v1/relations/between" "explainRelation" right(R::RELATIONS_READ), Some(&e::RELATION_EXPLAIN), api::relations::between)
        .says("Whether two people may reach each other, and why.").query(&i::BETWEEN).gives(200, "Between"),
    route!(Post "/api/v1/relations/check" "checkRelations" right(R::RELATIONS_CHECK), Some(&e::RELATION_CHECK), api::relations::check)
        .says("For an application: whom of up to 50 people one person may reach. Whoever does not exist may not be reached.").body(&i::REACH_CHECK).gives(200, "Reach"),
    // --- risk of sign-ins
    route!(Get "/api/v1/risk" "readRisk" right(R::HISTORY_READ), Some(&e::RISK_READ), api::risk::read)
        .says("How the databases and lists stand by which sign-ins are judged.").gives(200, "RiskSources"),
    route!(Get "/api/v1/risk/decisions" "listRiskDecisions" right(R::HISTORY_READ), Some(&e::RISK_READ), api::risk::list)
        .says("Judged sign-ins, newest first, each with its reasons.").query(&i::RISK_QUERY).gives(200, "RiskDecisionList"),
    route!(Post "/api/v1/risk/replay" "replayRisk" right(R::HISTORY_READ), Some(&e::RISK_REPLAY), api::risk::replay)
        .says("Judges the sign-ins of the last days again under other settings. Nothing is changed.").body(&i::RISK_REPLAY).gives(200, "RiskReplay"),
    // --- identity providers
    route!(Get "/api/v1/providers" "listProviders" right(R::FEDERATION_READ), Some(&e::PROVIDER_LIST), api::federation::list)
        .says("Outside identity providers, oldest first.").query(&i::PAGE).gives(200, "ProviderList"),
    route!(Post "/api/v1/providers" "createProvider" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_CREATE), api::federation::create)
        .says("A new OpenID provider; it signs nobody in until it is enabled.").body(&i::NEW_PROVIDER).gives(201, "Provider"),
    route!(Post "/api/v1/saml-providers" "createSamlProvider" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_CREATE), api::federation::create_saml)
        .says("A new SAML provider, by its metadata; it signs nobody in until it is enabled.").body(&i::NEW_SAML_PROVIDER).gives(201, "Provider").large(),
    route!(Get "/api/v1/providers/{id}" "readProvider" right(R::FEDERATION_READ), Some(&e::PROVIDER_READ), api::federation::read)
        .says("One provider.").id("idp").gives(200, "Provider"),
    route!(Patch "/api/v1/providers/{id}" "updateProvider" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_UPDATE), api::federation::update)
        .says("Changes a provider; what is left out stays.").id("idp").body(&i::PROVIDER_PATCH).gives(200, "Provider").version(true).large(),
    route!(Delete "/api/v1/providers/{id}" "deleteProvider" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_DELETE), api::federation::delete)
        .says("Deletes a provider with its links and mail domains.").id("idp").version(false),
    route!(Post "/api/v1/providers/{id}/test" "testProvider" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_TEST), api::federation::test)
        .says("Asks the provider for metadata and keys, shows it our client, and says what is wrong.").id("idp").body(&i::EMPTY).gives(200, "ProviderTest"),
    route!(Get "/api/v1/saml-keys" "listSamlKeys" right(R::FEDERATION_READ), Some(&e::SAML_KEY_LIST), api::saml_keys::list)
        .says("Our keys towards SAML providers, oldest first.").gives(200, "SamlKeyList"),
    route!(Post "/api/v1/saml-keys" "prepareSamlKey" right(R::FEDERATION_WRITE), Some(&e::SAML_KEY_CREATE), api::saml_keys::prepare)
        .says("Prepares the next key: it stands in our metadata and opens what is encrypted to it, and does not sign yet.").body(&i::EMPTY).gives(201, "SamlKey"),
    route!(Post "/api/v1/saml-keys/{id}/switch" "switchSamlKey" right(R::FEDERATION_WRITE), Some(&e::SAML_KEY_SWITCH), api::saml_keys::switch)
        .says("Takes the next key into use; the one before opens what is encrypted to it until it is retired.").id("smk").body(&i::EMPTY).gives(200, "SamlKey"),
    route!(Delete "/api/v1/saml-keys/{id}" "retireSamlKey" right(R::FEDERATION_WRITE), Some(&e::SAML_KEY_RETIRE), api::saml_keys::retire)
        .says("Retires an earlier key, or gives up the next one.").id("smk"),
    route!(Get "/api/v1/mail-domains" "listMailDomains" right(R::FEDERATION_READ), Some(&e::MAIL_DOMAIN_LIST), api::federation::domains)
        .says("Mail domains that lead to a provider.").query(&i::MAIL_DOMAIN_QUERY).gives(200, "MailDomainList"),
    route!(Post "/api/v1/mail-domains" "createMailDomain" right(R::FEDERATION_WRITE), Some(&e::MAIL_DOMAIN_CREATE), api::federation::create_domain)
        .says("A new mail domain; it leads nowhere before control of it is proven.").body(&i::NEW_MAIL_DOMAIN).gives(201, "MailDomain"),
    route!(Post "/api/v1/mail-domains/{id}/verify" "verifyMailDomain" right(R::FEDERATION_WRITE), Some(&e::MAIL_DOMAIN_VERIFY), api::federation::verify_domain)
        .says("Looks for the DNS record that proves control of it.").id("dom").body(&i::EMPTY).gives(200, "MailDomain"),
    route!(Delete "/api/v1/mail-domains/{id}" "deleteMailDomain" right(R::FEDERATION_WRITE), Some(&e::MAIL_DOMAIN_DELETE), api::federation::delete_domain)
        .says("Deletes a mail domain.").id("dom"),
    route!(Get "/api/v1/identities" "listIdentities" right(R::FEDERATION_READ), Some(&e::IDENTITY_LIST), api::federation::identities)
        .says("Which subject of a provider is which person.").query(&i::IDENTITY_QUERY).gives(200, "IdentityList"),
    route!(Delete "/api/v1/identities/{id}" "deleteIdentity" right(R::FEDERATION_WRITE), Some(&e::IDENTITY_DELETE), api::federation::delete_identity)
        .says("Takes a link away.").id("idn"),
    route!(Get "/api/v1/me/identities" "listOwnIdentities" OWN, Some(&e::IDENTITY_LIST), api::federation::own)
        .says("One's own links.").gives(200, "IdentityList"),
    route!(Delete "/api/v1/me/identities/{id}" "deleteOwnIdentity" OWN, Some(&e::IDENTITY_DELETE), api::federation::delete_own)
        .says("Takes one of them away; needs a sign-in within the last ten minutes.").id("idn"),
    // --- claims
    route!(Get "/api/v1/claims" "listClaims" right(R::CLAIMS_READ), Some(&e::CLAIMS_READ), api::claims::list)
        .says("Every claim with verdict, evidence and age.").query(&i::CLAIM_QUERY).gives(200, "ClaimList"),
    route!(Get "/api/v1/claims/{claim}" "readClaim" right(R::CLAIMS_READ), Some(&e::CLAIMS_READ), api::claims::read)
        .says("One claim with the steps of its proof.").gives(200, "Claim"),
    route!(Get "/api/v1/catalogue" "readCatalogue" right(R::CLAIMS_READ), Some(&e::CLAIMS_READ), api::claims::catalogue)
        .says("The data catalogue: what is kept, how it is protected, for how long.").gives(200, "Catalogue"),
    route!(Get "/api/v1/openapi.json" "readDocument" PUBLIC, None, api::document)
        .says("This document.").gives(200, "Document").idle(),
    // --- pages: sign-in
    route!(Get "/sign-in" "signInPage" PUBLIC, None, page::sign_in::show).page(),
    route!(Post "/sign-in" "signInForm" PUBLIC, Some(&e::SESSION_SIGN_IN), page::sign_in::start).body(&i::SIGN_IN).page(),
    route!(Get "/sign-in/factor" "factorPage" PUBLIC, None, page::sign_in::show_factor).page(),
    route!(Post "/sign-in/factor" "factorForm" PUBLIC, Some(&e::SESSION_SIGN_IN), page::sign_in::factor).body(&i::FACTOR_FORM).page(),
    route!(Get "/sign-in/again" "againPage" PUBLIC, None, page::sign_in::show_again).page(),
    route!(Post "/sign-in/again" "againForm" PUBLIC, Some(&e::SESSION_SIGN_IN), page::sign_in::again_form).body(&i::PASSWORD_ONLY).page(),
    route!(Get "/sign-in/password" "newPasswordPage" PUBLIC, None, page::sign_in::show_password).page(),
    route!(Post "/sign-in/password" "newPasswordForm" PUBLIC, Some(&e::SESSION_SIGN_IN), page::sign_in::password).body(&i::NEW_PASSWORD_FORM).page(),
    route!(Get "/sign-in/enrol" "signInEnrolPage" PUBLIC, Some(&e::FACTOR_CREATE), page::sign_in::show_enrol).page(),
    route!(Post "/sign-in/enrol" "signInEnrolForm" PUBLIC, Some(&e::FACTOR_CONFIRM), page::sign_in::enrol).body(&i::CODE).page(),
    route!(Post "/sign-in/passkey" "signInPasskeyForm" PUBLIC, Some(&e::SESSION_SIGN_IN), page::passkeys::sign_in).body(&i::PASSKEY_ASSERTION_FORM).page(),
    route!(Post "/sign-in/enrol/passkey" "signInEnrolPasskeyForm" PUBLIC, Some(&e::PASSKEY_CREATE), page::passkeys::enrol).body(&i::NEW_PASSKEY_FORM).page(),
    route!(Get "/link" "linkPage" PUBLIC, None, page::sign_in::show_link).page(),
    route!(Post "/link" "linkForm" PUBLIC, Some(&e::LINK_USE), page::sign_in::link).body(&i::LINK_USE).page(),
    route!(Get "/enter" "enterPage" OWN, Some(&e::SESSION_ENTER), page::sign_in::enter).page(),
    route!(Post "/sign-out" "signOutForm" OWN, Some(&e::SESSION_SIGN_OUT), page::sign_in::out).page().before_terms(),
    route!(Get "/terms" "termsPage" OWN, Some(&e::TERMS_READ), page::terms::show).page().before_terms(),
    route!(Post "/terms" "termsForm" OWN, Some(&e::TERMS_ACCEPT), page::terms::accept).body(&i::ACCEPTANCE).page().before_terms(),
    route!(Post "/lang" "preferencesForm" PUBLIC, None, page::prefs::set).page(),
    // --- pages: overview and own account
    route!(Get "/" "overviewPage" OWN, None, page::overview::show).page(),
    route!(Get "/account" "accountPage" OWN, Some(&e::USER_READ), page::account::show).page(),
    route!(Post "/account/password" "passwordForm" OWN, Some(&e::PASSWORD_CHANGE), page::account::password).body(&i::PASSWORD_CHANGE).page(),
    route!(Post "/account/factors" "enrolForm" OWN, Some(&e::FACTOR_CREATE), page::account::enrol).page(),
    route!(Post "/account/factors/{id}/confirm" "confirmFactorForm" OWN, Some(&e::FACTOR_CONFIRM), page::account::confirm).id("fac").body(&i::CODE).page(),
    route!(Post "/account/factors/{id}/delete" "deleteFactorForm" OWN, Some(&e::FACTOR_DELETE), page::account::remove).id("fac").body(&i::PASSWORD_ONLY).page(),
    route!(Post "/account/recovery-codes" "recoveryCodesForm" OWN, Some(&e::RECOVERY_CREATE), page::account::codes).body(&i::PASSWORD_ONLY).page(),
    route!(Post "/account/passkeys" "createPasskeyForm" OWN, Some(&e::PASSKEY_CREATE), page::passkeys::create).body(&i::NEW_PASSKEY_FORM).page(),
    route!(Post "/account/passkeys/{id}" "renamePasskeyForm" OWN, Some(&e::PASSKEY_UPDATE), page::passkeys::rename).id("pky").body(&i::PASSKEY_PATCH).page(),
    route!(Post "/account/passkeys/{id}/delete" "deletePasskeyForm" OWN, Some(&e::PASSKEY_DELETE), page::passkeys::remove).id("pky").body(&i::PASSWORD_ONLY).page(),
    route!(Get "/sessions" "sessionsPage" OWN, Some(&e::SESSION_LIST), page::sessions::show).page(),
    route!(Post "/sessions/{id}/end" "endSessionForm" OWN, Some(&e::SESSION_END), page::sessions::end).id("ses").page(),
    route!(Post "/sessions/end-others" "endOtherSessionsForm" OWN, Some(&e::SESSION_END), page::sessions::end_others).page(),
    route!(Post "/sessions/end-all" "endEverySessionForm" OWN, Some(&e::SESSION_END), page::sessions::end_every).page(),
    // --- pages: users
    route!(Get "/users" "usersPage" right(R::USERS_READ), Some(&e::USER_LIST), page::users::show).query(&i::USER_QUERY).page(),
    route!(Post "/users" "createUserForm" right(R::USERS_WRITE), Some(&e::USER_CREATE), page::users::create).body(&i::NEW_USER).page(),
    route!(Get "/users/{id}" "userPage" right(R::USERS_READ), Some(&e::USER_READ), page::users::show_one).id("usr").page(),
    route!(Post "/users/{id}" "updateUserForm" right(R::USERS_WRITE), Some(&e::USER_UPDATE), page::users::update).id("usr").body(&i::USER_PATCH).page(),
    route!(Post "/users/{id}/delete" "deleteUserForm" right(R::USERS_WRITE), Some(&e::USER_DELETE), page::users::delete).id("usr").page(),
    route!(Post "/users/{id}/disable" "disableUserForm" right(R::USERS_WRITE), Some(&e::USER_DISABLE), page::users::disable).id("usr").page(),
    route!(Post "/users/{id}/enable" "enableUserForm" right(R::USERS_WRITE), Some(&e::USER_ENABLE), page::users::enable).id("usr").page(),
    route!(Post "/users/{id}/unlock" "unlockUserForm" right(R::USERS_WRITE), Some(&e::ACCOUNT_UNLOCK), page::users::unlock).id("usr").page(),
    route!(Post "/users/{id}/invite" "inviteUserForm" right(R::USERS_WRITE), Some(&e::USER_INVITE), page::users::invite).id("usr").page(),
    route!(Post "/users/{id}/functions" "switchUserForm" right(R::USERS_WRITE), Some(&e::USER_SWITCH), page::users::switch).id("usr").page(),
    route!(Get "/users/{id}/sessions" "userSessionsPage" right(R::SESSIONS_READ), Some(&e::SESSION_LIST), page::sessions::of_user).id("usr").page(),
    route!(Post "/users/{id}/sessions/end" "endUserSessionsForm" right(R::SESSIONS_END), Some(&e::SESSION_END), page::sessions::end_of_user).id("usr").page(),
    route!(Post "/users/{id}/grants" "createGrantForm" right(R::GRANTS_WRITE), Some(&e::GRANT_CREATE), page::users::grant).id("usr").page(),
    route!(Post "/users/{id}/grants/{grant}/delete" "deleteGrantForm" right(R::GRANTS_WRITE), Some(&e::GRANT_DELETE), page::users::revoke).id("usr").page(),
    // --- pages: roles, sites, addresses
    route!(Get "/roles" "rolesPage" right(R::ROLES_READ), Some(&e::ROLE_LIST), page::roles::show).query(&i::PAGE).page(),
    route!(Post "/roles" "createRoleForm" right(R::ROLES_WRITE), Some(&e::ROLE_CREATE), page::roles::create).body(&i::NEW_ROLE).page(),
    route!(Get "/roles/{id}" "rolePage" right(R::ROLES_READ), Some(&e::ROLE_READ), page::roles::show_one).id("rol").page(),
    route!(Post "/roles/{id}" "updateRoleForm" right(R::ROLES_WRITE), Some(&e::ROLE_UPDATE), page::roles::update).id("rol").body(&i::ROLE_PATCH).page(),
    route!(Post "/roles/{id}/delete" "deleteRoleForm" right(R::ROLES_WRITE), Some(&e::ROLE_DELETE), page::roles::delete).id("rol").page(),
    route!(Get "/sites" "sitesPage" right(R::SITES_READ), Some(&e::SITE_LIST), page::plain::sites).query(&i::PAGE).page(),
    route!(Post "/sites" "createSiteForm" right(R::SITES_WRITE), Some(&e::SITE_CREATE), page::plain::create_site).body(&i::NEW_SITE).page(),
    route!(Post "/sites/{id}" "updateSiteForm" right(R::SITES_WRITE), Some(&e::SITE_UPDATE), page::plain::update_site).id("sit").body(&i::SITE_PATCH).page(),
    route!(Post "/sites/{id}/delete" "deleteSiteForm" right(R::SITES_WRITE), Some(&e::SITE_DELETE), page::plain::delete_site).id("sit").page(),
    route!(Get "/addresses" "addressesPage" right(R::ADDRESSES_READ), Some(&e::ADDRESS_RULE_LIST), page::plain::addresses).query(&i::PAGE).page(),
    route!(Post "/addresses" "createAddressForm" right(R::ADDRESSES_WRITE), Some(&e::ADDRESS_RULE_CREATE), page::plain::create_address).body(&i::NEW_ADDRESS_RULE).page(),
    route!(Post "/addresses/{id}" "updateAddressForm" right(R::ADDRESSES_WRITE), Some(&e::ADDRESS_RULE_UPDATE), page::plain::update_address).id("adr").body(&i::ADDRESS_RULE_PATCH).page(),
    route!(Post "/addresses/{id}/delete" "deleteAddressForm" right(R::ADDRESSES_WRITE), Some(&e::ADDRESS_RULE_DELETE), page::plain::delete_address).id("adr").page(),
    // --- pages: API tokens
    route!(Get "/account/tokens" "ownTokensPage" OWN, Some(&e::TOKEN_LIST), page::tokens::show_own).page(),
    route!(Post "/account/tokens" "createOwnTokenForm" OWN, Some(&e::TOKEN_CREATE), page::tokens::create_own).page(),
    route!(Post "/account/tokens/{id}/end" "endOwnTokenForm" OWN, Some(&e::TOKEN_END), page::tokens::end_own).id("tok").page(),
    route!(Get "/tokens" "tokensPage" right(R::TOKENS_READ), Some(&e::TOKEN_LIST), page::tokens::show).query(&i::TOKEN_QUERY).page(),
    route!(Post "/tokens" "createTokenForm" right(R::TOKENS_WRITE), Some(&e::TOKEN_CREATE), page::tokens::create).page(),
    route!(Post "/tokens/{id}/end" "endTokenForm" right(R::TOKENS_WRITE), Some(&e::TOKEN_END), page::tokens::end).id("tok").page(),
    // --- pages: signing clients
    route!(Get "/clients" "clientsPage" right(R::CLIENTS_READ), Some(&e::CLIENT_LIST), page::clients::show).query(&i::PAGE).page(),
    route!(Post "/clients" "createClientForm" right(R::CLIENTS_WRITE), Some(&e::CLIENT_CREATE), page::clients::create).body(&i::NEW_CLIENT).page(),
    route!(Get "/clients/{id}" "clientPage" right(R::CLIENTS_READ), Some(&e::CLIENT_READ), page::clients::show_one).id("cli").page(),
    route!(Post "/clients/{id}" "updateClientForm" right(R::CLIENTS_WRITE), Some(&e::CLIENT_UPDATE), page::clients::update).id("cli").body(&i::CLIENT_PATCH).page(),
    route!(Post "/clients/{id}/delete" "deleteClientForm" right(R::CLIENTS_WRITE), Some(&e::CLIENT_DELETE), page::clients::delete).id("cli").page(),
    route!(Post "/clients/{id}/key" "renewClientForm" right(R::CLIENTS_WRITE), Some(&e::CLIENT_RENEW), page::clients::renew).id("cli").page(),
    route!(Post "/clients/{id}/unique-ids" "createUniqueIdForm" right(R::CLIENTS_WRITE), Some(&e::UNIQUE_ID_CREATE), page::clients::link).id("cli").page(),
    route!(Post "/clients/{id}/unique-ids/{unique}/delete" "deleteUniqueIdForm" right(R::CLIENTS_WRITE), Some(&e::UNIQUE_ID_DELETE), page::clients::unlink).id("cli").page(),
    // --- pages: policy
    route!(Get "/policy" "policyPage" right(R::POLICY_READ), Some(&e::POLICY_READ), page::policy::show).page(),
    route!(Post "/policy/{key}" "setPolicyForm" right(R::POLICY_WRITE), Some(&e::POLICY_UPDATE), page::policy::set).page(),
    route!(Post "/policy/{key}/clear" "clearPolicyForm" right(R::POLICY_WRITE), Some(&e::POLICY_UPDATE), page::policy::clear).page(),
    route!(Post "/functions" "switchFunctionsForm" right(R::SWITCHES_WRITE), Some(&e::SWITCH_UPDATE), page::policy::switch).page(),
    // --- pages: firewall
    route!(Get "/firewall" "firewallPage" right(R::HISTORY_READ), Some(&e::FIREWALL_READ), page::firewall::show).page(),
    route!(Get "/firewall/try" "tryFirewallPage" right(R::POLICY_READ), Some(&e::FIREWALL_REPLAY), page::firewall::show_try).query(&i::FIREWALL_TRY).page(),
    route!(Get "/firewall/exclude" "excludePage" right(R::POLICY_READ), Some(&e::FIREWALL_REPLAY), page::firewall::show_exclude).page(),
    route!(Post "/firewall/exclude" "excludeForm" right(R::POLICY_WRITE), Some(&e::POLICY_UPDATE), page::firewall::exclude).body(&i::NEW_EXCLUSION).page(),
    // --- pages: history and claims
    route!(Get "/history" "historyPage" right(R::HISTORY_READ), Some(&e::HISTORY_READ), page::history::show).query(&i::HISTORY_FORM).page(),
    route!(Get "/history/export" "exportPage" right(R::HISTORY_EXPORT), Some(&e::HISTORY_EXPORT), api::history::export).query(&i::EXPORT).page(),
    route!(Get "/history/{id}" "entryPage" right(R::HISTORY_READ), Some(&e::HISTORY_READ), page::history::show_one).id("ent").page(),
    route!(Get "/signals" "signalsPage" right(R::CLIENTS_READ), Some(&e::SIGNAL_LIST), page::signals::show).query(&i::PAGE).page(),
    route!(Post "/signals" "createSignalReceiverForm" right(R::CLIENTS_WRITE), Some(&e::SIGNAL_CREATE), page::signals::create).body(&i::NEW_SIGNAL_RECEIVER).page(),
    route!(Post "/signals/{id}/switch" "switchSignalReceiverForm" right(R::CLIENTS_WRITE), Some(&e::SIGNAL_UPDATE), page::signals::switch).id("sgr").page(),
    route!(Post "/signals/{id}/test" "testSignalReceiverForm" right(R::CLIENTS_WRITE), Some(&e::SIGNAL_TEST), page::signals::test).id("sgr").page(),
    route!(Post "/signals/{id}/delete" "deleteSignalReceiverForm" right(R::CLIENTS_WRITE), Some(&e::SIGNAL_DELETE), page::signals::delete).id("sgr").page(),
    route!(Get "/.well-known/ssf-configuration" "signalConfiguration" PUBLIC, None, api::signals::configuration).oauth(),
    route!(Get "/.well-known/sekisho/signals.json" "signalKeys" PUBLIC, None, api::oauth::keys).oauth(),
    route!(Get "/people" "peoplePage" right(R::PEOPLE_FIND), Some(&e::PEOPLE_LIST), page::people::show).query(&i::PEOPLE_FORM).page(),
    route!(Get "/relations" "relationsPage" right(R::RELATIONS_READ), Some(&e::RELATION_LIST), page::relations::show).query(&i::RELATION_LIST_FORM).page(),
    route!(Post "/relations" "createRelationForm" right(R::RELATIONS_WRITE), Some(&e::RELATION_CREATE), page::relations::create).body(&i::RELATION_FORM).page(),
    route!(Post "/relations/{id}/end" "endRelationForm" right(R::RELATIONS_WRITE), Some(&e::RELATION_END), page::relations::end).id("rel").page(),
    route!(Get "/relations/between" "relationBetweenPage" right(R::RELATIONS_READ), Some(&e::RELATION_EXPLAIN), page::relations::between).page(),
    route!(Get "/risk" "riskPage" right(R::HISTORY_READ), Some(&e::RISK_READ), page::risk::show).query(&i::RISK_FORM).page(),
    route!(Post "/risk/replay" "replayRiskForm" right(R::HISTORY_READ), Some(&e::RISK_REPLAY), page::risk::replay).body(&i::RISK_REPLAY_FORM).page(),
    route!(Post "/risk/apply" "applyRiskForm" right(R::POLICY_WRITE), Some(&e::POLICY_UPDATE), page::risk::apply).body(&i::RISK_REPLAY_FORM).page(),
    route!(Get "/claims" "claimsPage" right(R::CLAIMS_READ), Some(&e::CLAIMS_READ), page::claims::show).query(&i::CLAIM_FORM).page(),
    route!(Get "/claims/{claim}" "claimPage" right(R::CLAIMS_READ), Some(&e::CLAIMS_READ), page::claims::show_one).page(),
    // --- pages: applications
    route!(Get "/applications" "applicationsPage" right(R::CLIENTS_READ), Some(&e::APPLICATION_LIST), page::applications::show).query(&i::PAGE).page(),
    route!(Post "/applications" "createApplicationForm" right(R::CLIENTS_WRITE), Some(&e::APPLICATION_CREATE), page::applications::create).page(),
    route!(Post "/applications/{id}/approve" "approveApplicationForm" right(R::CLIENTS_APPROVE), Some(&e::APPLICATION_APPROVE), page::applications::approve).id("app").page(),
    route!(Post "/applications/{id}/stop" "stopApplicationForm" right(R::CLIENTS_WRITE), Some(&e::APPLICATION_STOP), page::applications::stop).id("app").page(),
    route!(Post "/applications/{id}/delete" "deleteApplicationForm" right(R::CLIENTS_WRITE), Some(&e::APPLICATION_DELETE), page::applications::delete).id("app").page(),
    route!(Post "/applications/keys/turn" "turnSigningKeysForm" right(R::CLIENTS_WRITE), Some(&e::OAUTH_KEY_TURN), page::applications::turn_keys).body(&i::TURN_KEYS).page(),
    route!(Get "/account/applications" "consentsPage" OWN, Some(&e::CONSENT_LIST), page::applications::consents).page(),
    route!(Post "/account/applications/{id}/withdraw" "withdrawConsentForm" OWN, Some(&e::CONSENT_WITHDRAW), page::applications::withdraw).id("cns").page(),
    // --- pages: provisioning
    route!(Get "/provisioning" "provisioningPage" right(R::CLIENTS_READ), Some(&e::PROVISIONING_READ), page::provisioning::show).query(&i::PAGE).page(),
    route!(Post "/provisioning" "createConnectionForm" right(R::TOKENS_WRITE), Some(&e::PROVISIONING_CREATE), page::provisioning::create).page(),
    route!(Post "/provisioning/{id}/delete" "deleteConnectionForm" right(R::USERS_WRITE), Some(&e::USER_DELETE), page::provisioning::delete).id("usr").page(),
    route!(Post "/provisioning/tokens/{id}/end" "endConnectionTokenForm" right(R::TOKENS_WRITE), Some(&e::TOKEN_END), page::provisioning::end).id("tok").page(),
    route!(Post "/provisioning/groups/{id}" "mapGroupForm" right(R::GRANTS_WRITE), Some(&e::GROUP_MAP), page::provisioning::map).id("grp").page(),
    // --- identity providers
    route!(Post "/sign-in/provider" "signInProviderForm" PUBLIC, Some(&e::SESSION_SIGN_IN), page::federation::leave).body(&i::PROVIDER_CHOICE).page(),
    route!(Post "/sign-in/mail" "signInMailForm" PUBLIC, Some(&e::SESSION_SIGN_IN), page::federation::leave_by_mail).body(&i::MAIL_CHOICE).page(),
    route!(Get "/federation/{id}/callback" "providerCallback" PUBLIC, Some(&e::SESSION_SIGN_IN), page::federation::come_back).id("idp").page(),
    route!(Post "/federation/{id}/logout" "providerLogout" PUBLIC, Some(&e::PROVIDER_SIGN_OUT), api::federation::logout).id("idp").oauth(),
    route!(Get "/saml/metadata" "samlMetadata" PUBLIC, None, page::saml::metadata).saml(&["application/samlmetadata+xml"]),
    route!(Post "/saml/acs" "samlAnswer" PUBLIC, Some(&e::SESSION_SIGN_IN), page::saml::answer).saml(&[]),
    route!(Get "/saml/slo" "samlLogout" PUBLIC, Some(&e::PROVIDER_SIGN_OUT), page::saml::logout).saml(&[]),
    route!(Post "/saml/slo" "samlLogoutPosted" PUBLIC, Some(&e::PROVIDER_SIGN_OUT), page::saml::logout_posted).saml(&[]),
    route!(Get "/account/identities" "identitiesPage" OWN, Some(&e::IDENTITY_LIST), page::federation::identities).page(),
    route!(Post "/account/identities" "linkIdentityForm" OWN, Some(&e::IDENTITY_CREATE), page::federation::link).body(&i::PROVIDER_CHOICE).page(),
    route!(Post "/account/confirm" "confirmForm" OWN, Some(&e::SESSION_REAUTHENTICATE), page::federation::confirm).body(&i::PROVIDER_CHOICE).page(),
    route!(Post "/account/identities/{id}/delete" "deleteOwnIdentityForm" OWN, Some(&e::IDENTITY_DELETE), page::federation::unlink).id("idn").page(),
    route!(Get "/providers" "providersPage" right(R::FEDERATION_READ), Some(&e::PROVIDER_LIST), page::providers::show).query(&i::PAGE).page(),
    route!(Post "/providers" "createProviderForm" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_CREATE), page::providers::create).body(&i::NEW_PROVIDER).page(),
    route!(Post "/saml-providers" "createSamlProviderForm" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_CREATE), page::providers::create_saml).body(&i::NEW_SAML_PROVIDER).page().large(),
    route!(Post "/saml-keys" "prepareSamlKeyForm" right(R::FEDERATION_WRITE), Some(&e::SAML_KEY_CREATE), page::providers::prepare_key).page(),
    route!(Post "/saml-keys/{id}/switch" "switchSamlKeyForm" right(R::FEDERATION_WRITE), Some(&e::SAML_KEY_SWITCH), page::providers::switch_key).id("smk").page(),
    route!(Post "/saml-keys/{id}/retire" "retireSamlKeyForm" right(R::FEDERATION_WRITE), Some(&e::SAML_KEY_RETIRE), page::providers::retire_key).id("smk").page(),
    route!(Get "/providers/{id}" "providerPage" right(R::FEDERATION_READ), Some(&e::PROVIDER_READ), page::providers::show_one).id("idp").page(),
    route!(Post "/providers/{id}" "updateProviderForm" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_UPDATE), page::providers::update).id("idp").page(),
    route!(Post "/providers/{id}/metadata" "updateSamlMetadataForm" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_UPDATE), page::providers::metadata).id("idp").body(&i::SAML_METADATA).page().large(),
    route!(Post "/providers/{id}/switch" "switchProviderForm" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_UPDATE), page::providers::switch).id("idp").page(),
    route!(Post "/providers/{id}/test" "testProviderForm" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_TEST), page::providers::test).id("idp").page(),
    route!(Post "/providers/{id}/rules" "createRoleRuleForm" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_UPDATE), page::providers::add_rule).id("idp").body(&i::ROLE_RULE).page(),
    route!(Post "/providers/{id}/rules/{rule}/delete" "deleteRoleRuleForm" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_UPDATE), page::providers::remove_rule).id("idp").page(),
    route!(Post "/providers/{id}/domains" "createMailDomainForm" right(R::FEDERATION_WRITE), Some(&e::MAIL_DOMAIN_CREATE), page::providers::add_domain).id("idp").body(&i::MAIL_DOMAIN_FORM).page(),
    route!(Post "/providers/{id}/domains/{domain}/verify" "verifyMailDomainForm" right(R::FEDERATION_WRITE), Some(&e::MAIL_DOMAIN_VERIFY), page::providers::verify_domain).id("idp").page(),
    route!(Post "/providers/{id}/domains/{domain}/delete" "deleteMailDomainForm" right(R::FEDERATION_WRITE), Some(&e::MAIL_DOMAIN_DELETE), page::providers::remove_domain).id("idp").page(),
    route!(Post "/providers/{id}/delete" "deleteProviderForm" right(R::FEDERATION_WRITE), Some(&e::PROVIDER_DELETE), page::providers::delete).id("idp").page(),
    // --- OAuth
    route!(Get "/oauth/authorize" "authorizePage" OWN, None, page::authorize::authorize).page(),
    route!(Post "/oauth/authorize" "consentForm" OWN, Some(&e::CONSENT_CREATE), page::authorize::consent).page(),
    route!(Post "/oauth/token" "oauthToken" PUBLIC, Some(&e::OAUTH_TOKEN), api::oauth::token).oauth().shared(),
    route!(Post "/oauth/introspect" "oauthIntrospect" PUBLIC, Some(&e::OAUTH_INTROSPECT), api::oauth::introspect).oauth(),
    route!(Post "/oauth/revoke" "oauthRevoke" PUBLIC, Some(&e::OAUTH_REVOKE), api::oauth::revoke).oauth().shared(),
    route!(Post "/oauth/device_authorization" "oauthDevice" PUBLIC, Some(&e::OAUTH_DEVICE), api::oauth::device).oauth(),
    route!(Get "/device" "devicePage" OWN, None, page::device::show).page(),
    route!(Post "/device" "deviceForm" OWN, Some(&e::OAUTH_DEVICE), page::device::typed).page(),
    route!(Post "/device/decide" "deviceDecisionForm" OWN, Some(&e::OAUTH_DEVICE), page::device::decide).page(),
    route!(Post "/oauth/par" "oauthPush" PUBLIC, Some(&e::OAUTH_PUSH), api::oauth::push).oauth(),
    route!(Get "/oauth/userinfo" "oauthUserinfo" PUBLIC, Some(&e::OAUTH_USERINFO), api::oauth::userinfo).oauth().shared(),
    route!(Post "/oauth/userinfo" "oauthUserinfoPost" PUBLIC, Some(&e::OAUTH_USERINFO), api::oauth::userinfo).oauth().shared(),
    route!(Get "/oauth/jwks" "oauthKeys" PUBLIC, None, api::oauth::keys).oauth().shared(),
    route!(Get "/oauth/logout" "leavePage" PUBLIC, Some(&e::SESSION_SIGN_OUT), page::authorize::leave).page(),
    route!(Post "/oauth/logout" "leaveForm" OWN, Some(&e::SESSION_SIGN_OUT), page::authorize::left).page().before_terms(),
    route!(Get "/.well-known/openid-configuration" "openidMetadata" PUBLIC, None, api::oauth::metadata).oauth().shared(),
    route!(Get "/.well-known/oauth-authorization-server" "oauthMetadata" PUBLIC, None, api::oauth::metadata).oauth().shared(),
    // --- SCIM
    route!(Get "/scim/v2/Users" "scimUsers" right(R::USERS_PROVISION), Some(&e::USER_LIST), api::scim::users).scim(),
    route!(Post "/scim/v2/Users" "scimCreateUser" right(R::USERS_PROVISION), Some(&e::USER_CREATE), api::scim::create_user).scim(),
    route!(Post "/scim/v2/Users/.search" "scimSearchUsers" right(R::USERS_PROVISION), Some(&e::USER_LIST), api::scim::search_users).scim(),
    route!(Get "/scim/v2/Users/{id}" "scimUser" right(R::USERS_PROVISION), Some(&e::USER_READ), api::scim::user).id("usr").scim(),
    route!(Put "/scim/v2/Users/{id}" "scimReplaceUser" right(R::USERS_PROVISION), Some(&e::USER_UPDATE), api::scim::replace_user).id("usr").scim(),
    route!(Patch "/scim/v2/Users/{id}" "scimPatchUser" right(R::USERS_PROVISION), Some(&e::USER_UPDATE), api::scim::patch_user).id("usr").scim(),
    route!(Delete "/scim/v2/Users/{id}" "scimDeleteUser" right(R::USERS_PROVISION), Some(&e::USER_DELETE), api::scim::delete_user).id("usr").scim(),
    route!(Get "/scim/v2/Groups" "scimGroups" right(R::USERS_PROVISION), Some(&e::GROUP_LIST), api::scim::groups).scim(),
    route!(Post "/scim/v2/Groups" "scimCreateGroup" right(R::USERS_PROVISION), Some(&e::GROUP_CREATE), api::scim::create_group).scim(),
    route!(Post "/scim/v2/Groups/.search" "scimSearchGroups" right(R::USERS_PROVISION), Some(&e::GROUP_LIST), api::scim::search_groups).scim(),
    route!(Get "/scim/v2/Groups/{id}" "scimGroup" right(R::USERS_PROVISION), Some(&e::GROUP_READ), api::scim::group).id("grp").scim(),
    route!(Put "/scim/v2/Groups/{id}" "scimReplaceGroup" right(R::USERS_PROVISION), Some(&e::GROUP_UPDATE), api::scim::replace_group).id("grp").scim(),
    route!(Patch "/scim/v2/Groups/{id}" "scimPatchGroup" right(R::USERS_PROVISION), Some(&e::GROUP_UPDATE), api::scim::patch_group).id("grp").scim(),
    route!(Delete "/scim/v2/Groups/{id}" "scimDeleteGroup" right(R::USERS_PROVISION), Some(&e::GROUP_DELETE), api::scim::delete_group).id("grp").scim(),
    route!(Post "/scim/v2/Bulk" "scimBulk" right(R::USERS_PROVISION), Some(&e::PROVISIONING_BULK), api::scim::bulk).scim(),
    route!(Post "/scim/v2/.search" "scimSearch" right(R::USERS_PROVISION), Some(&e::PROVISIONING_READ), api::scim::not_here).scim(),
    route!(Get "/scim/v2/Me" "scimMe" right(R::USERS_PROVISION), Some(&e::PROVISIONING_READ), api::scim::not_here).scim(),
    route!(Get "/scim/v2/ServiceProviderConfig" "scimConfig" PUBLIC, None, api::scim::config).scim(),
    route!(Get "/scim/v2/ResourceTypes" "scimTypes" PUBLIC, None, api::scim::types).scim(),
    route!(Get "/scim/v2/ResourceTypes/{name}" "scimType" PUBLIC, None, api::scim::one_type).scim(),
    route!(Get "/scim/v2/Schemas" "scimSchemas" PUBLIC, None, api::scim::all_schemas).scim(),
    route!(Get "/scim/v2/Schemas/{name}" "scimSchema" PUBLIC, None, api::scim::one_schema).scim(),
    // --- files
    route!(Get "/assets/console.css" "styleFile" PUBLIC, None, files::style).file(&["text/css"]).idle(),
    route!(Get "/assets/console.js" "scriptFile" PUBLIC, None, files::script).file(&["text/javascript"]).idle(),
    route!(Get "/assets/passkey.js" "passkeyScriptFile" PUBLIC, None, files::passkey_script).file(&["text/javascript"]).idle(),
    route!(Get "/assets/mark.svg" "markFile" PUBLIC, None, files::mark).file(&["image/svg+xml"]).idle(),
    route!(Get "/favicon.ico" "iconFile" PUBLIC, None, files::mark).file(&["image/svg+xml"]).idle(),
];

/// Every route there is.
pub fn routes() -> &'static [RouteInfo] {
    ROUTES
}

/// The route with this name.
pub fn route(name: &str) -> Option<&'static RouteInfo> {
    ROUTES.iter().find(|r| r.name == name)
}
