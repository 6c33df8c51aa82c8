// Tables of PostgreSQL behind npm's oidc-provider, by its documented adapter interface. Statements are prepared once a connection, and
// what the database has answered is committed (`synchronous_commit = on`).
import pg from "pg";

const TABLE = `
CREATE TABLE IF NOT EXISTS oidc (
  model text NOT NULL, id text NOT NULL, payload jsonb NOT NULL, grant_id text, user_code text, uid text, expires timestamptz, consumed timestamptz,
  PRIMARY KEY (model, id));
CREATE INDEX IF NOT EXISTS oidc_grant ON oidc (grant_id) WHERE grant_id IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS oidc_user_code ON oidc (model, user_code) WHERE user_code IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS oidc_uid ON oidc (model, uid) WHERE uid IS NOT NULL;`;
const FOUND = "SELECT payload, consumed FROM oidc WHERE model = $1 AND (expires IS NULL OR expires > now()) AND";
const STATEMENTS = {
  upsert: `INSERT INTO oidc (model, id, payload, grant_id, user_code, uid, expires) VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 second')
    ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id, user_code = excluded.user_code,
      uid = excluded.uid, expires = excluded.expires`,
  find: `${FOUND} id = $2`,
  findByUserCode: `${FOUND} user_code = $2`,
  findByUid: `${FOUND} uid = $2`,
  consume: "UPDATE oidc SET consumed = now() WHERE model = $1 AND id = $2",
  destroy: "DELETE FROM oidc WHERE model = $1 AND id = $2",
  revokeByGrantId: "DELETE FROM oidc WHERE grant_id = $1",
};

/** The adapter's class, on the PostgreSQL whose socket is in this directory. */
export async function durable(sockets) {
  const pool = new pg.Pool({ host: sockets, user: "postgres", database: "postgres", max: 16, options: "-c synchronous_commit=on" });
  await pool.query(TABLE);
  const run = (name, ...values) => pool.query({ name, text: STATEMENTS[name], values });
  return class {
    constructor(model) {
      this.model = model;
    }
    async upsert(id, payload, expiresIn) {
      await run("upsert", this.model, id, payload, payload.grantId ?? null, payload.userCode ?? null, payload.uid ?? null, expiresIn ?? null);
    }
    find(id) {
      return this.one("find", id);
    }
    findByUserCode(code) {
      return this.one("findByUserCode", code);
    }
    findByUid(uid) {
      return this.one("findByUid", uid);
    }
    async consume(id) {
      await run("consume", this.model, id);
    }
    async destroy(id) {
      await run("destroy", this.model, id);
    }
    async revokeByGrantId(grant) {
      await run("revokeByGrantId", grant);
    }
    async one(name, value) {
      const [row] = (await run(name, this.model, value)).rows;
      return row && { ...row.payload, ...(row.consumed && { consumed: Math.floor(row.consumed / 1000) }) };
    }
  };
}
