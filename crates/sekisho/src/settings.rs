//! Settings of the binary itself: where data is kept.

use sekisho_kernel::{
    Schema, Setting, Text,
    policy::{Default, Kind, Movement},
};

/// Which database.
pub static STORE_KIND: Setting = Setting {
    key: "store.kind",
    kind: Kind::Choice(&["sqlite", "postgres"]),
    default: Default::Str("sqlite"),
    tenant: Movement::Inner,
    doc: Text::new(
        "データベースの種類。sqlite はデータディレクトリー内に組み込みで動き、postgres は複数ノードで使います。",
        "The kind of database. `sqlite` is embedded in the data directory; `postgres` serves several nodes.",
    ),
};

/// The service role's connection string.
pub static STORE_SERVICE_URL_FILE: Setting = Setting {
    key: "store.service_url_file",
    kind: Kind::Path,
    default: Default::Str(""),
    tenant: Movement::Inner,
    doc: Text::new(
        "PostgreSQL のサービス用ロールの接続文字列を収めたファイル（0600）。秘密はポリシーに書きません。",
        "A file (0600) with the PostgreSQL connection string of the service role. Secrets do not stand in a policy.",
    ),
};

/// The owner role's connection string.
pub static STORE_OWNER_URL_FILE: Setting = Setting {
    key: "store.owner_url_file",
    kind: Kind::Path,
    default: Default::Str(""),
    tenant: Movement::Inner,
    doc: Text::new(
        "スキーマを変更する所有者ロールの接続文字列を収めたファイル（0600）。空ならサービス用ロールで変更します。",
        "A file (0600) with the connection string of the owner role that changes the schema. Empty: the service role does.",
    ),
};

/// Every setting there is.
pub fn schema() -> Schema {
    let own = [&STORE_KIND, &STORE_SERVICE_URL_FILE, &STORE_OWNER_URL_FILE];
    Schema::new(sekisho_controls::settings().chain(sekisho_gateway::settings::ALL.iter().copied()).chain(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_installation_lies_is_declared_to_be_no_tenants_business() {
        for setting in schema().iter() {
            let place = matches!(setting.kind, Kind::Path | Kind::Socket | Kind::Sockets | Kind::Origin);
            let house = ["store.", "listen.", "door.", "forward_auth."].iter().any(|s| setting.key.starts_with(s));
            assert!(setting.tenant == Movement::Inner || !(place || house), "{}", setting.key);
        }
    }
}
