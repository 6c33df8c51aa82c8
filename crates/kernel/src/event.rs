//! Events: what an entry of the ledger says happened. `object.verb`, mapped to OCSF 1.x classes.

use crate::text::Text;

/// How an act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Success,
    /// A gate or the access check refused it.
    Refused,
    /// It was allowed and went wrong; nothing was changed.
    Failed,
}

impl Outcome {
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
    /// OCSF `status_id`: 1 success, 2 failure.
    pub const fn ocsf_status(self) -> u8 {
        match self {
            Self::Success => 1,
            Self::Refused | Self::Failed => 2,
        }
    }
    /// Its name for people.
    pub const fn text(self) -> Text {
        match self {
            Self::Success => Text::new("成功", "Success"),
            Self::Refused => Text::new("拒否", "Refused"),
            Self::Failed => Text::new("失敗", "Failed"),
        }
    }
}

/// A kind of event, declared once in [`ALL`].
#[derive(Debug)]
pub struct Event {
    /// `object.verb`.
    pub name: &'static str,
    /// OCSF `class_uid`: 3001 account change, 3002 authentication, 3005 user access management, 3006 group
    /// management, 6003 API activity, 6002 application lifecycle, 4002 HTTP activity, 2004 detection finding, 5019 device config state change.
    pub class_uid: u32,
    /// OCSF `activity_id` within the class.
    pub activity_id: u32,
    /// What happened, for people.
    pub text: Text,
}

macro_rules! events {
    ($($c:ident $name:literal $class:literal $activity:literal $ja:literal $en:literal;)*) => {
        $(#[doc = $en] pub static $c: Event = Event { name: $name, class_uid: $class, activity_id: $activity, text: Text::new($ja, $en) };)*
        /// Every event there is.
        pub static ALL: &[&Event] = &[$(&$c),*];
    };
}

events! {
    SESSION_SIGN_IN "session.sign_in" 3002 1 "サインイン" "Sign-in";
    SESSION_CHALLENGE "session.challenge" 3002 99 "サインインの追加手順の要求" "Further step of a sign-in asked for";
    SESSION_SIGN_OUT "session.sign_out" 3002 2 "サインアウト" "Sign-out";
    SESSION_EXPIRE "session.expire" 3002 2 "セッションの期限切れ" "Session expired";
    SESSION_END "session.end" 3002 2 "セッションの終了" "Session ended";
    SESSION_LIST "session.list" 6003 2 "セッション一覧の閲覧" "Sessions read";
    SESSION_REAUTHENTICATE "session.reauthenticate" 3002 1 "再認証" "Re-authentication";
    RISK_READ "risk.read" 6003 2 "サインインのリスク判定の閲覧" "Risk decisions read";
    RISK_REPLAY "risk.replay" 6003 2 "サインインのリスク判定の試算" "Risk decisions replayed";
    SESSION_ENTER "session.enter" 3002 1 "アプリケーションへの入場" "Entry to an application";
    ACCOUNT_LOCK "account.lock" 3001 9 "アカウントのロック" "Account locked";
    ACCOUNT_UNLOCK "account.unlock" 3001 10 "アカウントのロック解除" "Account unlocked";
    TERMS_ACCEPT "terms.accept" 3001 99 "利用規約への同意" "Terms of use accepted";
    TERMS_READ "terms.read" 6003 2 "利用規約への同意状況の閲覧" "Acceptance of the terms read";
    USER_CREATE "user.create" 3001 1 "ユーザーの登録" "User created";
    USER_READ "user.read" 6003 2 "ユーザーの閲覧" "User read";
    USER_LIST "user.list" 6003 2 "ユーザー一覧の閲覧" "Users read";
    USER_UPDATE "user.update" 3001 3 "ユーザーの変更" "User changed";
    USER_DISABLE "user.disable" 3001 5 "ユーザーの無効化" "User disabled";
    USER_ENABLE "user.enable" 3001 2 "ユーザーの再有効化" "User enabled";
    USER_DELETE "user.delete" 3001 6 "ユーザーの削除" "User deleted";
    USER_INVITE "user.invite" 3001 1 "招待リンクの発行" "Invitation issued";
    USER_SWITCH "user.switch" 3005 1 "ユーザーごとの機能の有効・無効" "Functions switched for a user";
    PASSWORD_SET "password.set" 3001 3 "パスワードの設定" "Password set";
    PASSWORD_CHANGE "password.change" 3001 3 "パスワードの変更" "Password changed";
    FACTOR_CREATE "factor.create" 3001 11 "第 2 要素の登録" "Second factor enrolled";
    FACTOR_CONFIRM "factor.confirm" 3001 11 "第 2 要素の確認" "Second factor confirmed";
    FACTOR_DELETE "factor.delete" 3001 12 "第 2 要素の解除" "Second factor removed";
    FACTOR_LIST "factor.list" 6003 2 "第 2 要素の閲覧" "Second factors read";
    PASSKEY_CREATE "passkey.create" 3001 11 "パスキーの登録" "Passkey registered";
    PASSKEY_LIST "passkey.list" 6003 2 "パスキーの閲覧" "Passkeys read";
    PASSKEY_UPDATE "passkey.update" 3001 3 "パスキーの名称の変更" "Passkey renamed";
    PASSKEY_DELETE "passkey.delete" 3001 12 "パスキーの削除" "Passkey removed";
    PASSKEY_SUSPECT "passkey.suspect" 2004 1 "パスキーの複製の疑い" "Passkey perhaps copied";
    RECOVERY_CREATE "recovery.create" 3001 11 "リカバリーコードの発行" "Recovery codes issued";
    ROLE_CREATE "role.create" 3006 1 "ロールの作成" "Role created";
    ROLE_LIST "role.list" 6003 2 "ロール一覧の閲覧" "Roles read";
    ROLE_READ "role.read" 6003 2 "ロールの閲覧" "Role read";
    ROLE_UPDATE "role.update" 3006 2 "ロールの変更" "Role changed";
    ROLE_DELETE "role.delete" 3006 5 "ロールの削除" "Role deleted";
    GRANT_CREATE "grant.create" 3005 1 "ロールの付与" "Role granted";
    GRANT_DELETE "grant.delete" 3005 2 "ロールの剥奪" "Role taken back";
    GRANT_LIST "grant.list" 6003 2 "付与の閲覧" "Grants read";
    SITE_CREATE "site.create" 6003 1 "拠点の作成" "Site created";
    SITE_LIST "site.list" 6003 2 "拠点一覧の閲覧" "Sites read";
    SITE_READ "site.read" 6003 2 "拠点の閲覧" "Site read";
    SITE_UPDATE "site.update" 6003 3 "拠点の変更" "Site changed";
    SITE_DELETE "site.delete" 6003 4 "拠点の削除" "Site deleted";
    ADDRESS_RULE_CREATE "address_rule.create" 6003 1 "接続元アドレス制限の追加" "Address rule added";
    ADDRESS_RULE_LIST "address_rule.list" 6003 2 "接続元アドレス制限の閲覧" "Address rules read";
    ADDRESS_RULE_UPDATE "address_rule.update" 6003 3 "接続元アドレス制限の変更" "Address rule changed";
    ADDRESS_RULE_DELETE "address_rule.delete" 6003 4 "接続元アドレス制限の削除" "Address rule removed";
    ADDRESS_REFUSE "address.refuse" 4002 99 "許可されない接続元の拒否" "Address refused";
    POLICY_READ "policy.read" 6003 2 "ポリシーの閲覧" "Policy read";
    POLICY_UPDATE "policy.update" 6003 3 "ポリシーの変更" "Policy changed";
    POLICY_RELOAD "policy.reload" 6003 3 "ポリシーファイルの再読込" "Policy file reloaded";
    SWITCH_UPDATE "switch.update" 6003 3 "組織の機能の有効・無効" "Functions switched for the organisation";
    SWITCH_READ "switch.read" 6003 2 "機能の有効・無効の閲覧" "Function switches read";
    HISTORY_READ "history.read" 6003 2 "操作履歴の閲覧" "Operation history read";
    HISTORY_EXPORT "history.export" 6003 2 "操作履歴のダウンロード" "Operation history downloaded";
    HISTORY_PROOF "history.proof" 6003 2 "操作履歴の証明の取得" "Proof of the history read";
    CLAIMS_READ "claims.read" 6003 2 "表明事項と証跡の閲覧" "Claims read";
    CLAIM_PROVE "claim.prove" 2004 1 "表明事項の検証" "Claim proven";
    DOOR_PASS "door.pass" 4002 99 "アプリケーションへの通過" "Passage to the application";
    DOOR_REFUSE "door.refuse" 4002 99 "アプリケーションへの通過の拒否" "Passage refused";
    DOOR_FAIL "door.fail" 4002 99 "アプリケーションの無応答" "Application did not answer";
    ROUTE_REFUSE "route.refuse" 4002 99 "要求の拒否" "Request refused";
    FIREWALL_BLOCK "firewall.block" 4002 99 "ファイアウォールによる遮断" "Blocked by the firewall";
    FIREWALL_DETECT "firewall.detect" 2004 1 "ファイアウォールによる検知" "Detected by the firewall";
    FIREWALL_READ "firewall.read" 6003 2 "ファイアウォールの状況の閲覧" "Firewall read";
    FIREWALL_REPLAY "firewall.replay" 6003 99 "ファイアウォール設定の試算" "Firewall setting tried on past matches";
    FIREWALL_LOAD "firewall.load" 5019 1 "ルールセットの読み込み" "Rule set put in force";
    FIREWALL_REJECT "firewall.reject" 5019 99 "ルールセットの拒否" "Rule set refused";
    FIREWALL_ROLL_BACK "firewall.roll_back" 5019 99 "ルールセットの差し戻し" "Rule set rolled back";
    FIREWALL_STALE "firewall.stale" 2004 1 "ルールセットの更新の遅れ" "Rule set out of date";
    TENANT_CREATE "tenant.create" 3006 1 "組織の作成" "Organisation created";
    TENANT_LIST "tenant.list" 6003 2 "組織一覧の閲覧" "Organisations read";
    TENANT_READ "tenant.read" 6003 2 "組織の閲覧" "Organisation read";
    TENANT_DELETE "tenant.delete" 3006 5 "組織の削除" "Organisation deleted";
    HOST_CREATE "host.create" 6003 1 "ホスト名の登録" "Host name added";
    KEY_CREATE "key.create" 6003 1 "鍵の生成" "Key created";
    KEY_ROTATE "key.rotate" 6003 3 "鍵の更新" "Key rotated";
    KEY_SHRED "key.shred" 6003 4 "鍵の破棄" "Key destroyed";
    LEDGER_PURGE "ledger.purge" 6003 4 "保存期間を過ぎた記録の消去" "Entries past their retention purged";
    LEDGER_EPOCH "ledger.epoch" 6003 1 "記録の新しい世代の開始" "New epoch of the log";
    LEDGER_COUNT "ledger.count" 4002 99 "同じ接続元からの拒否の集計" "Refusals of one address counted";
    COMMAND_RUN "command.run" 6003 99 "コマンドの実行" "Command run";
    INSTANCE_START "instance.start" 6002 3 "起動" "Instance started";
    INSTANCE_STOP "instance.stop" 6002 4 "停止" "Instance stopped";
    APPLICATION_CREATE "application.create" 6003 1 "アプリケーションの登録" "Application registered";
    APPLICATION_LIST "application.list" 6003 2 "アプリケーション一覧の閲覧" "Applications read";
    APPLICATION_READ "application.read" 6003 2 "アプリケーションの閲覧" "Application read";
    APPLICATION_APPROVE "application.approve" 6003 3 "アプリケーションの承認" "Application approved";
    APPLICATION_STOP "application.stop" 6003 3 "アプリケーションの停止" "Application stopped";
    APPLICATION_DELETE "application.delete" 6003 4 "アプリケーションの削除" "Application deleted";
    CONSENT_CREATE "consent.create" 3005 1 "アプリケーションへの同意" "Consent to an application";
    CONSENT_LIST "consent.list" 6003 2 "同意の閲覧" "Consents read";
    CONSENT_WITHDRAW "consent.withdraw" 3005 2 "同意の撤回" "Consent withdrawn";
    OAUTH_AUTHORIZE "oauth.authorize" 3002 3 "アプリケーションへの認可コードの発行" "Authorisation code issued";
    OAUTH_TOKEN "oauth.token" 3002 3 "アプリケーションへのトークンの発行" "Token issued to an application";
    OAUTH_REFRESH "oauth.refresh" 3002 3 "アプリケーションのトークンの更新" "Application's token refreshed";
    OAUTH_INTROSPECT "oauth.introspect" 6003 2 "アプリケーションのトークンの照会" "Application's token introspected";
    OAUTH_REVOKE "oauth.revoke" 3002 2 "アプリケーションのトークンの失効" "Application's token revoked";
    DEVICE_KEY "device.key" 6003 2 "端末に保存するデータの鍵の引き渡し" "Key of a device's data handed to its session";
    SIGNAL_CREATE "signal.create" 6003 1 "シグナルの受信側の登録" "Signal receiver registered";
    SIGNAL_LIST "signal.list" 6003 2 "シグナルの受信側の一覧の閲覧" "Signal receivers read";
    SIGNAL_READ "signal.read" 6003 2 "シグナルの受信側の閲覧" "Signal receiver read";
    SIGNAL_UPDATE "signal.update" 6003 3 "シグナルの受信側の変更" "Signal receiver changed";
    SIGNAL_TEST "signal.test" 6003 99 "シグナルの受信側の接続テスト" "Signal receiver tried";
    SIGNAL_DELETE "signal.delete" 6003 4 "シグナルの受信側の削除" "Signal receiver deleted";
    SIGNAL_SEND "signal.send" 6003 99 "シグナルの送信" "Signal sent";
    SIGNAL_DROP "signal.drop" 6003 99 "届かなかったシグナルの破棄" "Signals given up";
    OAUTH_USERINFO "oauth.userinfo" 6003 2 "アプリケーションによる本人情報の照会" "Application asked about its person";
    OAUTH_PUSH "oauth.push" 3002 3 "認可の要求の事前受付" "Authorisation request pushed";
    OAUTH_DEVICE "oauth.device" 3002 3 "機器からの認可の要求と許可" "Device asked, or was allowed";
    OAUTH_LOGOUT_SEND "oauth.logout_send" 3002 2 "アプリケーションへのセッション終了の通知" "Application told that a session has ended";
    OAUTH_LOGOUT_DROP "oauth.logout_drop" 3002 99 "届かなかったセッション終了の通知の破棄" "Application could not be told that sessions have ended";
    OAUTH_KEY_CREATE "oauth.key_create" 6003 1 "トークン署名鍵の生成" "Key that signs tokens created";
    OAUTH_KEY_RETIRE "oauth.key_retire" 6003 4 "トークン署名鍵の終了" "Key that signs tokens retired";
    OAUTH_KEY_LIST "oauth.key_list" 6003 2 "トークン署名鍵の閲覧" "Keys that sign tokens read";
    OAUTH_KEY_TURN "oauth.key_turn" 6003 3 "トークン署名鍵の手動の更新" "Keys that sign tokens turned by hand";
    TOKEN_CREATE "token.create" 3001 11 "API トークンの発行" "API token issued";
    TOKEN_LIST "token.list" 6003 2 "API トークンの閲覧" "API tokens read";
    TOKEN_END "token.end" 3001 12 "API トークンの終了" "API token ended";
    TOKEN_EXPIRE "token.expire" 3001 12 "API トークンの期限切れ" "API token expired";
    GROUP_CREATE "group.create" 3006 1 "連携グループの作成" "Provisioned group created";
    GROUP_LIST "group.list" 6003 2 "連携グループ一覧の閲覧" "Provisioned groups read";
    GROUP_READ "group.read" 6003 2 "連携グループの閲覧" "Provisioned group read";
    GROUP_UPDATE "group.update" 3006 2 "連携グループの変更" "Provisioned group changed";
    GROUP_DELETE "group.delete" 3006 5 "連携グループの削除" "Provisioned group deleted";
    GROUP_MAP "group.map" 3005 1 "連携グループとロールの対応付け" "Provisioned group mapped to a role";
    PROVISIONING_CREATE "provisioning.create" 3001 11 "SCIM 接続の作成" "SCIM connection made";
    PROVISIONING_READ "provisioning.read" 6003 2 "SCIM 連携の閲覧" "SCIM provisioning read";
    PROVISIONING_BULK "provisioning.bulk" 6003 99 "SCIM による一括処理" "SCIM bulk request";
    CLIENT_CREATE "client.create" 6003 1 "署名クライアントの登録" "Signing client registered";
    CLIENT_LIST "client.list" 6003 2 "署名クライアント一覧の閲覧" "Signing clients read";
    CLIENT_READ "client.read" 6003 2 "署名クライアントの閲覧" "Signing client read";
    CLIENT_UPDATE "client.update" 6003 3 "署名クライアントの変更" "Signing client changed";
    CLIENT_RENEW "client.renew" 6003 3 "署名クライアントの鍵の再発行" "Signing client's key issued anew";
    CLIENT_DELETE "client.delete" 6003 4 "署名クライアントの削除" "Signing client deleted";
    UNIQUE_ID_CREATE "unique_id.create" 3001 3 "一意の ID の登録" "Unique ID added";
    UNIQUE_ID_LIST "unique_id.list" 6003 2 "一意の ID 一覧の閲覧" "Unique IDs read";
    UNIQUE_ID_DELETE "unique_id.delete" 3001 3 "一意の ID の削除" "Unique ID removed";
    PROVIDER_CREATE "provider.create" 6003 1 "ID プロバイダーの登録" "Identity provider registered";
    PROVIDER_LIST "provider.list" 6003 2 "ID プロバイダー一覧の閲覧" "Identity providers read";
    PROVIDER_READ "provider.read" 6003 2 "ID プロバイダーの閲覧" "Identity provider read";
    PROVIDER_UPDATE "provider.update" 6003 3 "ID プロバイダーの変更" "Identity provider changed";
    PROVIDER_REFRESH "provider.refresh" 6003 3 "ID プロバイダーのメタデータの確認" "Identity provider's metadata looked at again";
    PROVIDER_TEST "provider.test" 6003 2 "ID プロバイダーの接続の確認" "Identity provider tried";
    PROVIDER_DELETE "provider.delete" 6003 4 "ID プロバイダーの削除" "Identity provider deleted";
    PROVIDER_SIGNED_OUT "provider.signed_out" 3002 2 "ID プロバイダーによるサインアウトの応答" "Identity provider's answer to a sign-out";
    PROVIDER_SIGN_OUT "provider.sign_out" 3002 2 "ID プロバイダーからのサインアウト" "Sign-out by an identity provider";
    SAML_KEY_LIST "saml_key.list" 6003 2 "SAML の鍵の閲覧" "SAML keys read";
    SAML_KEY_CREATE "saml_key.create" 6003 1 "SAML の次の鍵の準備" "Next SAML key prepared";
    SAML_KEY_SWITCH "saml_key.switch" 6003 3 "SAML の鍵の切り替え" "SAML key taken into use";
    SAML_KEY_RETIRE "saml_key.retire" 6003 4 "SAML の鍵の終了" "SAML key retired";
    MAIL_DOMAIN_CREATE "mail_domain.create" 6003 1 "メールドメインの登録" "Mail domain registered";
    MAIL_DOMAIN_LIST "mail_domain.list" 6003 2 "メールドメイン一覧の閲覧" "Mail domains read";
    MAIL_DOMAIN_VERIFY "mail_domain.verify" 6003 3 "メールドメインの管理の確認" "Control of a mail domain proven";
    MAIL_DOMAIN_DELETE "mail_domain.delete" 6003 4 "メールドメインの削除" "Mail domain deleted";
    IDENTITY_CREATE "identity.create" 3001 3 "外部の ID との対応付け" "Outside identity linked";
    IDENTITY_LIST "identity.list" 6003 2 "外部の ID の閲覧" "Outside identities read";
    IDENTITY_SYNC "identity.sync" 3005 1 "外部の ID によるロールの反映" "Roles taken over from an outside identity";
    IDENTITY_DELETE "identity.delete" 3001 3 "外部の ID との対応の解除" "Outside identity unlinked";
    PEOPLE_LIST "people.list" 6003 2 "連絡できる相手の検索" "People looked for";
    PEOPLE_READ "people.read" 6003 2 "連絡できる相手の閲覧" "Person looked at";
    RELATION_CREATE "relation.create" 3005 1 "関係の登録" "Relation added";
    RELATION_LIST "relation.list" 6003 2 "関係の閲覧" "Relations read";
    RELATION_EXPLAIN "relation.explain" 6003 2 "2 人が連絡できるかどうかの確認" "Looked up whether two people may reach each other";
    RELATION_CHECK "relation.check" 6003 2 "連絡の可否の照会" "Asked who may reach whom";
    RELATION_END "relation.end" 3005 2 "関係の終了" "Relation ended";
    LINK_CREATE "link.create" 3001 1 "一回限りのリンクの発行" "One-time link issued";
    LINK_USE "link.use" 3001 1 "一回限りのリンクの使用" "One-time link used";
}

/// By its stable name.
pub fn by_name(name: &str) -> Option<&'static Event> {
    ALL.iter().copied().find(|e| e.name == name)
}
