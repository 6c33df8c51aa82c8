//! The store on both databases: transactions, groups, notices, schema, migrations, faults.

mod crash;
mod faults;
mod files;
mod nodes;
mod problems;
mod reach;
mod schema;
mod tls;
mod transactions;

use sekisho_store::Migration;

/// A table with one column of each type.
pub const PEOPLE: Migration = Migration {
    number: 100,
    name: "people",
    sql: "CREATE TABLE person (
              id BLOB PRIMARY KEY, name TEXT NOT NULL, age BIGINT, photo BLOB, house BIGINT NOT NULL DEFAULT 0,
              UNIQUE (house, name));
          CREATE TABLE pet (id BIGINT PRIMARY KEY, owner BLOB NOT NULL REFERENCES person (id));
          CREATE INDEX pet_owner ON pet (owner, id);
          CREATE TABLE diary (line BIGINT PRIMARY KEY, text TEXT NOT NULL);",
    postgres: "REVOKE UPDATE, DELETE ON diary FROM {service};",
    sqlite:
        "CREATE TRIGGER diary_update BEFORE UPDATE ON diary BEGIN SELECT RAISE(ABORT, 'diary is append-only'); END;
             CREATE TRIGGER diary_delete BEFORE DELETE ON diary BEGIN SELECT RAISE(ABORT, 'diary is append-only'); END;",
};
