// The other side of SAML as npm has it: samlify as a whole identity provider, and node-saml as what a provider signs people out
// with. Both sign with the key of the library's fixtures.
import { readFileSync } from "node:fs";
import * as validator from "@authenio/samlify-xmllint-wasm";
import { SAML } from "@node-saml/node-saml";
import samlify from "samlify";

const KEYS = new URL("../../crates/saml/tests/fixtures/", import.meta.url);
const HERE = "https://node.example.test";
const REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
const POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
const RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const MFA = "https://refeds.org/profile/mfa";
export const PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";

// What arrives is held against the schemas of the standard before anything else.
samlify.setSchemaValidator(validator);

function pem(kind, label) {
  const text = readFileSync(new URL(`idp.${kind}.b64`, KEYS), "utf8").trim();
  return [`-----BEGIN ${label}-----`, ...text.match(/.{1,64}/g), `-----END ${label}-----`, ""].join("\n");
}

/** The query of an address as it was sent, and its values. */
export function query(address) {
  const raw = new URL(address).search.slice(1);
  return { raw, values: Object.fromEntries(new URLSearchParams(raw)) };
}

/** What the signature of a query covers. */
function octets({ raw }) {
  const named = (name) => raw.split("&").find((pair) => pair.startsWith(`${name}=`));
  return ["SAMLRequest", "SAMLResponse", "RelayState", "SigAlg"].map(named).filter(Boolean).join("&");
}

/** The library's own response, with what a person's session needs of it: the statement that they have signed in, and an attribute. */
function answered(index) {
  const statement =
    `<saml:AuthnStatement AuthnInstant="{IssueInstant}" SessionIndex="${index}"><saml:AuthnContext>` +
    `<saml:AuthnContextClassRef>${MFA}</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`;
  const attribute =
    '<saml:AttributeStatement><saml:Attribute Name="displayName"><saml:AttributeValue>{NameID}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>';
  return samlify.SamlLib.defaultLoginResponseTemplate.context.replace("{AuthnStatement}{AttributeStatement}", statement + attribute);
}

export class Provider {
  /** `binding` is how it takes requests and logout messages: "redirect" or "post". */
  constructor(name, binding = "redirect") {
    this.entity = `${HERE}/${name}/metadata`;
    [this.sso, this.slo, this.binding] = [`${HERE}/${name}/sso`, `${HERE}/${name}/slo`, binding];
    this.keys = { privateKey: pem("pk8", "PRIVATE KEY"), signingCert: pem("crt", "CERTIFICATE") };
    this.made = this.#identityProvider(false);
  }

  #identityProvider(isAssertionEncrypted) {
    const uri = { redirect: REDIRECT, post: POST }[this.binding];
    return samlify.IdentityProvider({
      ...this.keys, entityID: this.entity, wantAuthnRequestsSigned: true, wantLogoutRequestSigned: true, wantLogoutResponseSigned: true,
      requestSignatureAlgorithm: RSA_SHA256, isAssertionEncrypted, nameIDFormat: [PERSISTENT],
      dataEncryptionAlgorithm: "http://www.w3.org/2009/xmlenc11#aes256-gcm",
      keyEncryptionAlgorithm: "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
      singleSignOnService: [{ Binding: uri, Location: this.sso }], singleLogoutService: [{ Binding: uri, Location: this.slo }],
    });
  }

  get metadata() {
    return this.made.getMetadata();
  }

  /** It reads our metadata. */
  read(metadata) {
    this.ours = samlify.ServiceProvider({ metadata, wantLogoutRequestSigned: true, wantLogoutResponseSigned: true });
    const one = (certificates) => [certificates].flat()[0];
    this.certificate = one(this.ours.entityMeta.getX509Certificate("signing"));
    this.console = this.ours.entityMeta.getEntityID().replace(/\/saml\/metadata$/, "");
  }

  /** A message of ours as it takes it: `sent` is an address or a form's fields. */
  #arrives(sent) {
    if (typeof sent !== "string") return { body: sent };
    const asked = query(sent);
    return { query: asked.values, octetString: octets(asked) };
  }

  /** A message of its own: an address, or a form's fields. */
  #leaves(name, context, relayState) {
    return this.binding === "post" ? { [name]: context, ...(relayState && { RelayState: relayState }) } : context;
  }

  /** Our request to sign somebody in; refused if it is not as the schema says or its signature is not ours. */
  async asked(sent) {
    const { extract } = await this.made.parseLoginRequest(this.ours, this.binding, this.#arrives(sent));
    return { extract };
  }

  /** The answer to it, as the form's field. */
  async says(asked, subject, index, { encrypted = false } = {}) {
    const from = this.#identityProvider(encrypted);
    const customTagReplacement = () => {
      const [id, now] = [from.entitySetting.generateID(), Date.now()];
      const [at, until] = [now, now + 300_000].map((time) => new Date(time).toISOString());
      const acs = this.ours.entityMeta.getAssertionConsumerService("post");
      const tags = {
        ID: id, AssertionID: from.entitySetting.generateID(), Destination: acs, SubjectRecipient: acs, Audience: this.ours.entityMeta.getEntityID(),
        Issuer: this.entity, IssueInstant: at, ConditionsNotBefore: at, ConditionsNotOnOrAfter: until, SubjectConfirmationDataNotOnOrAfter: until,
        InResponseTo: asked.extract.request.id, StatusCode: "urn:oasis:names:tc:SAML:2.0:status:Success", NameIDFormat: PERSISTENT, NameID: subject,
      };
      return { id, context: samlify.SamlLib.replaceTagsByValue(answered(index), tags) };
    };
    return (await from.createLoginResponse(this.ours, asked, "post", { email: subject }, { customTagReplacement })).context;
  }

  /** Its own request to sign somebody out. */
  wants(subject, sessionIndex, relayState) {
    const made = this.made.createLogoutRequest(this.ours, this.binding, { logoutNameID: subject, sessionIndex }, { relayState });
    return this.#leaves("SAMLRequest", made.context, relayState);
  }

  /** Our answer to it. */
  async heard(sent) {
    return (await this.made.parseLogoutResponse(this.ours, this.binding, this.#arrives(sent))).extract;
  }

  /** Our own request to sign somebody out. */
  async wished(sent) {
    return (await this.made.parseLogoutRequest(this.ours, this.binding, this.#arrives(sent))).extract;
  }

  /** The answer to ours. */
  obeyed(request, relayState) {
    const made = this.made.createLogoutResponse(this.ours, { extract: request }, this.binding, { relayState });
    return this.#leaves("SAMLResponse", made.context, relayState);
  }

  /** node-saml with this provider's name and key, towards us. */
  get nodeSaml() {
    const { privateKey } = this.keys;
    const out = `${this.console}/saml/slo`;
    return new SAML({
      issuer: this.entity, idpIssuer: `${this.console}/saml/metadata`, idpCert: this.certificate, privateKey, signatureAlgorithm: "sha256",
      digestAlgorithm: "sha256", entryPoint: out, logoutUrl: out, callbackUrl: this.slo, acceptedClockSkewMs: 60_000,
    });
  }
}
