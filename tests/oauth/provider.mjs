// npm's oidc-provider with one machine client: what `cargo xtask bench oauth introspect` measures against. Started with PORT
// CERTIFICATE KEY FILE [SOCKETS]; writes an access token of the client into FILE. Its tokens lie in its own memory adapter, which is for
// development only, or, with the directory of a PostgreSQL's socket, in tables there.
import { readFileSync, writeFileSync } from "node:fs";
import https from "node:https";
import { Provider } from "oidc-provider";
import { durable } from "./provider_store.mjs";

const [port, certificate, key, file, sockets] = process.argv.slice(2);
const client = {
  client_id: "bench", client_secret: "a-secret-of-the-counterpart", grant_types: ["client_credentials"],
  redirect_uris: [], response_types: [], scope: "application.use",
  token_endpoint_auth_method: "client_secret_post",
};
const provider = new Provider(`https://localhost:${port}`, {
  ...(sockets && { adapter: await durable(sockets) }),
  clients: [client],
  scopes: ["application.use"],
  ttl: { ClientCredentials: 900 },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    devInteractions: { enabled: false },
  },
});
const token = new provider.ClientCredentials({ client: await provider.Client.find("bench"), scope: "application.use" });
writeFileSync(file, await token.save(900));
const server = https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, provider.callback());
server.listen(Number(port), "127.0.0.1");
