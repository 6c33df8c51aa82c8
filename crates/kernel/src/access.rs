//! Rights, functions, roles' sets of them, and what a right is asked for.

use std::sync::Arc;

use crate::{
    id::{SiteId, TenantId},
    text::Text,
};

/// A function of the product that can be switched off per tenant and per user; rights belong to one each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Function(u8);

/// A right from the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Right(u8);

struct FunctionRow {
    name: &'static str,
    text: Text,
}

struct RightRow {
    name: &'static str,
    function: Function,
    /// Whether a grant for one site gives the right on that site's records.
    by_site: bool,
    text: Text,
}

macro_rules! catalogue {
    (functions { $($fc:ident $fname:literal $fja:literal $fen:literal;)* }
     rights { $($rc:ident $rname:literal $rf:ident $rsite:literal $rja:literal $ren:literal;)* }) => {
        #[expect(clippy::upper_case_acronyms, reason = "positions in the tables below")]
        enum FunctionAt { $($fc),* }
        #[expect(non_camel_case_types, reason = "positions in the tables below")]
        enum RightAt { $($rc),* }
        impl Function { $(#[doc = $fen] pub const $fc: Self = Self(FunctionAt::$fc as u8);)* }
        impl Right { $(#[doc = $ren] pub const $rc: Self = Self(RightAt::$rc as u8);)* }
        static FUNCTIONS: &[FunctionRow] = &[$(FunctionRow { name: $fname, text: Text::new($fja, $fen) }),*];
        static RIGHTS: &[RightRow] = &[$(RightRow {
            name: $rname, function: Function::$rf, by_site: $rsite, text: Text::new($rja, $ren) }),*];
    };
}

catalogue! {
    functions {
        APPLICATION "application" "アプリケーションの利用" "Use of the application";
        USERS "users" "ユーザーの管理" "User management";
        ROLES "roles" "ロールの管理" "Role management";
        SITES "sites" "拠点の管理" "Site management";
        ADDRESSES "addresses" "接続元アドレス制限" "Address rules";
        HISTORY "history" "操作履歴の閲覧" "Operation history";
        EXPORT "export" "操作履歴のダウンロード" "Download of the operation history";
        POLICY "policy" "セキュリティポリシーの設定" "Security policy";
        CLAIMS "claims" "表明事項と証跡の閲覧" "Claims and evidence";
        SESSIONS "sessions" "セッションの管理" "Session management";
        CLIENTS "clients" "外部アプリケーションとの連携" "Connected applications";
        TOKENS "tokens" "API トークンの管理" "Management of API tokens";
        PROVISIONING "provisioning" "ユーザー連携（SCIM）" "Provisioning by SCIM";
        FEDERATION "federation" "外部の ID プロバイダーの管理" "Management of identity providers";
        PEOPLE "people" "連絡できる相手の検索" "Finding people";
        RELATIONS "relations" "関係の管理" "Management of relations";
    }
    rights {
        APPLICATION_USE "application.use" APPLICATION true "アプリケーションを使う" "Use the application";
        USERS_READ "users.read" USERS true "ユーザーを見る" "See users";
        USERS_WRITE "users.write" USERS true "ユーザーを登録・変更・無効化・削除する" "Create, change, disable and delete users";
        ROLES_READ "roles.read" ROLES false "ロールを見る" "See roles";
        ROLES_WRITE "roles.write" ROLES false "ロールを作成・変更・削除する" "Create, change and delete roles";
        GRANTS_WRITE "grants.write" ROLES true "ロールをユーザーに付与・剥奪する" "Grant roles to users and take them back";
        SITES_READ "sites.read" SITES true "拠点を見る" "See sites";
        SITES_WRITE "sites.write" SITES true "拠点を作成・変更・削除する" "Create, change and delete sites";
        ADDRESSES_READ "addresses.read" ADDRESSES false "接続元アドレス制限を見る" "See address rules";
        ADDRESSES_WRITE "addresses.write" ADDRESSES false "接続元アドレス制限を変更する" "Change address rules";
        HISTORY_READ "history.read" HISTORY false "操作履歴を見る" "See the operation history";
        HISTORY_EXPORT "history.export" EXPORT false "操作履歴をダウンロードする" "Download the operation history";
        POLICY_READ "policy.read" POLICY false "適用中のポリシーを見る" "See the policy in force";
        POLICY_WRITE "policy.write" POLICY false "組織のポリシーを変更する" "Change the organisation's policy";
        SWITCHES_WRITE "switches.write" POLICY false "機能の有効・無効を変更する" "Switch functions on and off";
        CLAIMS_READ "claims.read" CLAIMS false "表明事項と証跡を見る" "See claims and evidence";
        SESSIONS_READ "sessions.read" SESSIONS false "ユーザーのセッションを見る" "See users' sessions";
        SESSIONS_END "sessions.end" SESSIONS false "ユーザーのセッションを終了する" "End users' sessions";
        CLIENTS_READ "clients.read" CLIENTS false "連携するアプリケーションを見る" "See connected applications";
        CLIENTS_APPROVE "clients.approve" CLIENTS false "第三者のアプリケーションを承認する" "Approve third-party applications";
        TOKENS_READ "tokens.read" TOKENS false "組織の API トークンを見る" "See the organisation's API tokens";
        TOKENS_WRITE "tokens.write" TOKENS false "サービスアカウントの API トークンを発行し、トークンを終了する" "Issue tokens of service accounts, and end tokens";
        CLIENTS_WRITE "clients.write" CLIENTS false "連携するアプリケーションを登録・変更・削除する" "Register, change and delete connected applications";
        USERS_PROVISION "users.provision" PROVISIONING false "ユーザーとグループを SCIM で連携する" "Provision users and groups by SCIM";
        FEDERATION_READ "federation.read" FEDERATION false "ID プロバイダーとその利用者の対応を見る" "See identity providers and whom they vouch for";
        FEDERATION_WRITE "federation.write" FEDERATION false "ID プロバイダーとメールドメインを登録・変更・削除する" "Register, change and delete identity providers and mail domains";
        PEOPLE_FIND "people.find" PEOPLE false "連絡できる相手を探す" "Find the people whom one may reach";
        RELATIONS_READ "relations.read" RELATIONS false "関係を見る" "See relations";
        RELATIONS_WRITE "relations.write" RELATIONS false "関係を登録・終了する" "Add and end relations";
        RELATIONS_CHECK "relations.check" RELATIONS false "連絡してよい 2 人かどうかを確かめる" "Ask who may reach whom";
    }
}

impl Function {
    /// Every function in the catalogue.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..FUNCTIONS.len()).map(|i| Self(i as u8))
    }
    /// The stable name.
    pub fn name(self) -> &'static str {
        FUNCTIONS[usize::from(self.0)].name
    }
    /// Its name for people.
    pub fn text(self) -> &'static Text {
        &FUNCTIONS[usize::from(self.0)].text
    }
    /// By its stable name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|f| f.name() == name)
    }
    /// One bit.
    pub const fn bit(self) -> u64 {
        1 << self.0
    }
}

impl Right {
    /// Every right in the catalogue.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..RIGHTS.len()).map(|i| Self(i as u8))
    }
    /// The stable name, `object.verb`.
    pub fn name(self) -> &'static str {
        RIGHTS[usize::from(self.0)].name
    }
    /// Its name for people.
    pub fn text(self) -> &'static Text {
        &RIGHTS[usize::from(self.0)].text
    }
    /// The function it belongs to.
    pub fn function(self) -> Function {
        RIGHTS[usize::from(self.0)].function
    }
    /// Whether a grant for one site gives it on that site's records.
    pub fn by_site(self) -> bool {
        RIGHTS[usize::from(self.0)].by_site
    }
    /// By its stable name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|r| r.name() == name)
    }
}

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RightSet(u64);

impl RightSet {
    /// No right.
    pub const EMPTY: Self = Self(0);
    /// Every right in the catalogue.
    pub fn full() -> Self {
        Right::all().collect()
    }
    /// Whether `right` is in the set.
    pub const fn has(self, right: Right) -> bool {
        self.0 & (1 << right.0) != 0
    }
    /// With `right`.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | (1 << right.0))
    }
    /// Without `right`.
    #[must_use]
    pub const fn without(self, right: Right) -> Self {
        Self(self.0 & !(1 << right.0))
    }
    /// Everything in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
    /// Whether every right of `self` is in `other`.
    pub const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
    /// The rights in catalogue order.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::all().filter(move |r| self.has(*r))
    }
}

impl FromIterator<Right> for RightSet {
    fn from_iter<I: IntoIterator<Item = Right>>(iter: I) -> Self {
        iter.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl serde::Serialize for RightSet {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter().map(Right::name))
    }
}

impl<'de> serde::Deserialize<'de> for RightSet {
    /// A name that is not in the catalogue is refused: whatever is unknown is refused.
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(d)?;
        names
            .iter()
            .map(|n| Right::by_name(n).ok_or_else(|| serde::de::Error::custom(format!("no right is called {n}"))))
            .collect()
    }
}

/// The three built-in user types (IDO-39). Each implies a set of rights; roles add to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserType {
    /// Manages the tenant: every right.
    Administrator,
    /// Decides and reviews: reads users, roles, sites, relations, history, policy and claims, and uses the application.
    Approver,
    /// Uses the application, and finds the people whom they may reach.
    User,
}

impl UserType {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Administrator, Self::Approver, Self::User];
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Approver => "approver",
            Self::User => "user",
        }
    }
    /// Its name for people.
    pub const fn text(self) -> Text {
        match self {
            Self::Administrator => Text::new("管理者", "Administrator"),
            Self::Approver => Text::new("承認者", "Approver"),
            Self::User => Text::new("一般ユーザー", "User"),
        }
    }
    /// The rights that come with the type, tenant-wide.
    pub fn rights(self) -> RightSet {
        use Right as R;
        match self {
            Self::Administrator => RightSet::full(),
            Self::Approver => [
                R::APPLICATION_USE,
                R::USERS_READ,
                R::ROLES_READ,
                R::SITES_READ,
                R::ADDRESSES_READ,
                R::HISTORY_READ,
                R::POLICY_READ,
                R::CLAIMS_READ,
                R::SESSIONS_READ,
                R::PEOPLE_FIND,
                R::RELATIONS_READ,
            ]
            .into_iter()
            .collect(),
            Self::User => [R::APPLICATION_USE, R::PEOPLE_FIND].into_iter().collect(),
        }
    }
}

/// A role's rights as granted to one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What is granted.
    pub rights: RightSet,
    /// The one site it holds for, or the whole tenant.
    pub site: Option<SiteId>,
    /// The role's id as text, for assertions.
    pub role: String,
}

/// What a signed-in user may do, computed when the session is resolved and cached with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RightsView {
    /// Moves with every change of the user's type, roles, grants or switches; `commit` refuses a permit with an older one.
    pub version: i64,
    /// The built-in type's rights come first, then each granted role.
    pub grants: Vec<Grant>,
    /// Functions switched off for the whole tenant, as bits of [`Function::bit`].
    pub tenant_off: u64,
    /// Functions switched off for this user.
    pub user_off: u64,
}

/// What a right is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The tenant the record is of.
    pub tenant: TenantId,
    /// The site it belongs to; `None` for what belongs to the whole tenant.
    pub site: Option<SiteId>,
}

impl Target {
    /// Something of the whole tenant.
    pub const fn tenant(tenant: TenantId) -> Self {
        Self { tenant, site: None }
    }
    /// Something of one site.
    pub const fn site(tenant: TenantId, site: Option<SiteId>) -> Self {
        Self { tenant, site }
    }
}

/// A question to the access gate.
#[derive(Debug, Clone)]
pub struct AccessQuestion {
    /// The actor's own tenant.
    pub tenant: TenantId,
    /// What the actor may do.
    pub view: Arc<RightsView>,
    /// The right asked for.
    pub right: Right,
    /// On what.
    pub target: Target,
}
