//! Tables and statements.

use sekisho_store::Migration;

/// The tables of keys. Everything in them is wrapped or public.
pub static MIGRATION: Migration = Migration {
    number: 2,
    name: "keys",
    sql: "
CREATE TABLE root_key (
    version BIGINT PRIMARY KEY, kind TEXT NOT NULL, params TEXT NOT NULL, proof BLOB NOT NULL, created BIGINT NOT NULL);
CREATE TABLE tenant_key (
    tenant BLOB NOT NULL, version BIGINT NOT NULL, root BIGINT NOT NULL, wrapped BLOB, state TEXT NOT NULL,
    created BIGINT NOT NULL, PRIMARY KEY (tenant, version)) /*sqlite: WITHOUT ROWID */;
CREATE TABLE data_key (
    tenant BLOB NOT NULL, purpose TEXT NOT NULL, version BIGINT NOT NULL, under BIGINT NOT NULL, wrapped BLOB NOT NULL,
    created BIGINT NOT NULL, PRIMARY KEY (tenant, purpose, version)) /*sqlite: WITHOUT ROWID */;
CREATE TABLE signing_key (
    purpose TEXT NOT NULL, version BIGINT NOT NULL, root BIGINT NOT NULL, public BLOB NOT NULL, wrapped BLOB NOT NULL,
    created BIGINT NOT NULL, PRIMARY KEY (purpose, version)) /*sqlite: WITHOUT ROWID */;
",
    postgres: "",
    sqlite: "",
};

/// Declares the statements and the list of all of them.
macro_rules! statements {
    ($($name:ident $sql:literal;)*) => {
        $(pub(crate) const $name: &str = $sql;)*
        /// Every statement, to be prepared on both databases at test start.
        pub const ALL: &[&str] = &[$($name),*];
    };
}

// A key's `state` is `active` or `destroyed`; a destroyed one has no bytes any more.
statements! {
    ROOT "SELECT version, kind, params, proof FROM root_key ORDER BY version DESC LIMIT 1";
    INSERT_ROOT "INSERT INTO root_key (version, kind, params, proof, created) VALUES ($1, $2, $3, $4, $5)";
    TENANT_KEYS "SELECT version, wrapped FROM tenant_key WHERE tenant = $1 AND state <> 'destroyed' ORDER BY version";
    INSERT_TENANT_KEY "INSERT INTO tenant_key (tenant, version, root, wrapped, state, created)
        VALUES ($1, $2, $3, $4, 'active', $5)";
    NEWEST_TENANT_KEY "SELECT version FROM tenant_key WHERE tenant = $1 AND state = 'active' FOR UPDATE";
    DESTROY_OLDER "UPDATE tenant_key SET state = 'destroyed', wrapped = NULL WHERE tenant = $1 AND version < $2";
    DESTROY_TENANT "UPDATE tenant_key SET state = 'destroyed', wrapped = NULL
        WHERE tenant = $1 AND state <> 'destroyed'";
    STATES "SELECT version, state, created FROM tenant_key WHERE tenant = $1 ORDER BY version";
    DATA_KEYS "SELECT purpose, version, under, wrapped FROM data_key WHERE tenant = $1 ORDER BY purpose, version";
    INSERT_DATA_KEY "INSERT INTO data_key (tenant, purpose, version, under, wrapped, created)
        VALUES ($1, $2, $3, $4, $5, $6)";
    REWRAP_DATA_KEY "UPDATE data_key SET under = $4, wrapped = $5 WHERE tenant = $1 AND purpose = $2 AND version = $3";
    DELETE_DATA_KEYS "DELETE FROM data_key WHERE tenant = $1";
    DELETE_DATA_KEY "DELETE FROM data_key WHERE tenant = $1 AND purpose = $2 AND version = $3";
    SIGNING_KEYS "SELECT purpose, version, public, wrapped FROM signing_key ORDER BY purpose, version";
    INSERT_SIGNING_KEY "INSERT INTO signing_key (purpose, version, root, public, wrapped, created)
        VALUES ($1, $2, $3, $4, $5, $6)";
    ALL_TENANT_KEYS "SELECT tenant, version, wrapped FROM tenant_key WHERE state <> 'destroyed'
        ORDER BY tenant, version FOR UPDATE";
    REWRAP_TENANT_KEY "UPDATE tenant_key SET root = $3, wrapped = $4 WHERE tenant = $1 AND version = $2";
    REWRAP_SIGNING_KEY "UPDATE signing_key SET root = $3, wrapped = $4 WHERE purpose = $1 AND version = $2";
}
