//! A passkey in software, as a browser without an owner's good will would use it (WebAuthn Level 3 §6). Written apart from
//! what verifies it.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    claim::Trouble,
    world::{Answer, Ask, World},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Person, Session,
    answer::good,
    in_force,
    person::{API, text},
    told,
};
use crate::passkeys;

/// Present and verified; with a new credential, attested.
const SEEN: u8 = 0b0000_0101;
const ATTESTED: u8 = 0b0100_0000;

/// What a new passkey shows of its make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Nothing.
    Nothing,
    /// A signature of its own.
    Own,
}

/// A key pair with its credential's id.
pub struct Passkey {
    pair: EcdsaKeyPair,
    id: Vec<u8>,
    user: Vec<u8>,
    count: u32,
}

fn broken(why: impl std::fmt::Display) -> Trouble {
    Trouble(format!("the software passkey: {why}"))
}

/// Whether the policy in force lets this passkey be registered: it is of no maker's.
pub fn welcome(world: &dyn World) -> bool {
    let policy = in_force(world);
    policy.str(&passkeys::MODE) != "off"
        && policy.str(&passkeys::ATTESTATION) != "trusted"
        && policy.list(&passkeys::AUTHENTICATORS).is_empty()
}

fn client_data(kind: &str, options: &Value, host: &str) -> Vec<u8> {
    let challenge = text(options, "challenge");
    json!({ "type": kind, "challenge": challenge, "origin": format!("https://{host}"), "crossOrigin": false })
        .to_string()
        .into_bytes()
}

/// A CBOR byte string of 24 to 255 bytes.
fn bytes(of: &[u8]) -> Result<Vec<u8>, Trouble> {
    Ok([&[0x58, u8::try_from(of.len()).map_err(broken)?], of].concat())
}

impl Passkey {
    /// A key that nobody has registered; it says that it is this user's.
    ///
    /// # Errors
    /// When no key comes of the generator.
    pub fn new(user: &[u8]) -> Result<Self, Trouble> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(broken)?;
        let id = Sha256::digest(pair.public_key().as_ref())[..20].to_vec();
        Ok(Self { pair, id, user: user.to_vec(), count: 0 })
    }

    /// Registers one for the person whose session it is; the recovery codes that came with it.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn register(
        world: &dyn World,
        session: &Session,
        person: &Person,
    ) -> Result<(Self, Vec<String>), Trouble> {
        let options = session.make(world, "/me/passkeys/options", &json!({"password": person.password})).await?;
        let (key, body) = Self::create(&options, &session.host, Shows::Own)?;
        let made = session.make(world, "/me/passkeys", &body).await?;
        let codes = made["recovery_codes"].as_array().into_iter().flatten();
        Ok((key, codes.filter_map(Value::as_str).map(str::to_owned).collect()))
    }

    /// Makes one as the options ask, and what is sent back.
    ///
    /// # Errors
    /// When the options are none.
    pub fn create(options: &Value, host: &str, shows: Shows) -> Result<(Self, Value), Trouble> {
        let asked = &options["public_key"];
        let user = URL_SAFE_NO_PAD.decode(text(&asked["user"], "id")).map_err(broken)?;
        let key = Self::new(&user)?;
        let data = client_data("webauthn.create", asked, host);
        let point = key.pair.public_key().as_ref();
        let (x, y) = point.get(1..).and_then(|p| p.split_at_checked(32)).ok_or_else(|| broken("no point"))?;
        // {1: 2, 3: -7, -1: 1, -2: x, -3: y}
        let cose = [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32][..], x, &[0x22, 0x58, 32], y].concat();
        let credential = [&[0; 16][..], &[0, 20], &key.id, &cose].concat();
        let auth = [key.head(&text(&asked["rp"], "id"), SEEN | ATTESTED), credential].concat();
        let statement = match shows {
            Shows::Nothing => b"\xa3cfmtdnonegattStmt\xa0".to_vec(),
            Shows::Own => {
                let signature = bytes(&key.sign(&auth, &data)?)?;
                [b"\xa3cfmtfpackedgattStmt\xa2calg\x26csig".as_slice(), &signature].concat()
            }
        };
        let object = [statement, b"hauthData".to_vec(), bytes(&auth)?].concat();
        let body = json!({
            "ceremony": options["ceremony"],
            "name": "Probe",
            "credential": key.credential(&json!({
                "clientDataJSON": URL_SAFE_NO_PAD.encode(data),
                "attestationObject": URL_SAFE_NO_PAD.encode(object),
            })),
        });
        Ok((key, body))
    }

    /// What answers a challenge.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn answer(&mut self, options: &Value, host: &str) -> Result<Value, Trouble> {
        let asked = &options["public_key"];
        self.count += 1;
        let data = client_data("webauthn.get", asked, host);
        let auth = self.head(&text(asked, "rpId"), SEEN);
        let signature = self.sign(&auth, &data)?;
        Ok(json!({
            "ceremony": options["ceremony"],
            "credential": self.credential(&json!({
                "clientDataJSON": URL_SAFE_NO_PAD.encode(data),
                "authenticatorData": URL_SAFE_NO_PAD.encode(auth),
                "signature": URL_SAFE_NO_PAD.encode(signature),
                "userHandle": URL_SAFE_NO_PAD.encode(&self.user),
            })),
        }))
    }

    /// The request that signs in with it: alone, or with a `challenge` as second factor.
    ///
    /// # Errors
    /// When its own challenge is refused.
    pub async fn knock(&mut self, world: &dyn World, person: &Person, challenge: Option<&str>) -> Result<Ask, Trouble> {
        let body = challenge.map_or_else(|| json!({}), |c| json!({"step": "factor", "challenge": c}));
        let (options, cookie) = begin(world, person, "/sign-in/passkey/options", &body).await?;
        let body = self.answer(&options, &person.console)?;
        Ok(post(person, "/sign-in/passkey", &body).header("cookie", cookie))
    }

    /// Signs in with it.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn sign_in(
        &mut self,
        world: &dyn World,
        person: &Person,
        challenge: Option<&str>,
    ) -> Result<Answer, Trouble> {
        let ask = self.knock(world, person, challenge).await?;
        world.send(ask).await
    }

    fn sign(&self, auth: &[u8], data: &[u8]) -> Result<Vec<u8>, Trouble> {
        let signed = [auth, &Sha256::digest(data)].concat();
        Ok(self.pair.sign(&SystemRandom::new(), &signed).map_err(broken)?.as_ref().to_vec())
    }

    fn head(&self, rp: &str, flags: u8) -> Vec<u8> {
        [&Sha256::digest(rp.as_bytes())[..], &[flags], &self.count.to_be_bytes()].concat()
    }

    fn credential(&self, response: &Value) -> Value {
        let id = URL_SAFE_NO_PAD.encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {} })
    }
}

/// The request that sets up a passkey as the second factor that a sign-in under way asks for.
///
/// # Errors
/// When its own challenge is refused.
pub async fn enrolling(world: &dyn World, person: &Person, challenge: &str) -> Result<Ask, Trouble> {
    let (options, cookie) =
        begin(world, person, "/sign-in/enrol/passkey/options", &json!({"challenge": challenge})).await?;
    let (_, body) = Passkey::create(&options, &person.console, Shows::Own)?;
    Ok(post(person, "/sign-in/enrol/passkey", &body).header("cookie", cookie))
}

fn post(person: &Person, path: &str, body: &Value) -> Ask {
    let mut ask = Ask::new("POST", &person.console, &format!("{API}{path}")).json(body);
    ask.peer = person.peer;
    ask
}

/// Options for a browser without a session, and the cookie that came with them.
async fn begin(world: &dyn World, person: &Person, path: &str, body: &Value) -> Result<(Value, String), Trouble> {
    let options = world.send(post(person, path, body)).await?;
    if !good(&options) {
        return Err(broken(told(&options)));
    }
    let cookie = options.header("set-cookie").and_then(|c| c.split(';').next()).unwrap_or_default().to_owned();
    Ok((options.json(), cookie))
}
