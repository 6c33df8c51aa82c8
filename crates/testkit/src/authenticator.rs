//! An authenticator in software, with its browser: what honest ones send, and by a [`Twist`] what dishonest ones do. Written
//! apart from the code that verifies it, so that a slip there is not repeated here; real ones are tried in `tests/browser` and
//! `tests/oauth`.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use serde_json::{Value, json};

/// What a key signs by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// COSE -7.
    Es256,
    /// COSE -8.
    EdDsa,
    /// COSE -257.
    Rs256,
}

enum Private {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

/// A key made for one relying party.
pub struct Credential {
    /// Its id.
    pub id: Vec<u8>,
    /// Whose it is.
    pub handle: Vec<u8>,
    /// Signatures so far.
    pub count: u32,
    key: Private,
}

/// An attestation statement.
pub enum Statement {
    /// `none`.
    None,
    /// `packed` by the credential's own key.
    Own,
    /// `packed` by a certificate: the chain, leaf first (DER), and the leaf's P-256 key (PKCS#8).
    Certificate(Vec<Vec<u8>>, Vec<u8>),
    /// Another format, with nothing in it.
    Other(&'static str),
}

/// How a response differs from an honest one. Each field that is set takes the place of what it would be.
#[derive(Clone, Debug, Default)]
pub struct Twist {
    /// `type` of the client data.
    pub kind: Option<&'static str>,
    /// `challenge` of the client data.
    pub challenge: Option<String>,
    /// `origin` of the client data.
    pub origin: Option<&'static str>,
    /// `crossOrigin`.
    pub cross_origin: Option<Value>,
    /// `topOrigin`.
    pub top_origin: Option<&'static str>,
    /// The relying party whose hash is in the authenticator data.
    pub rp_id: Option<&'static str>,
    /// Flags of the authenticator data.
    pub flags: Option<u8>,
    /// The count of signatures.
    pub count: Option<u32>,
    /// The user's handle; the empty one leaves it out.
    pub handle: Option<Vec<u8>>,
    /// Bytes behind the authenticator data.
    pub trailing: Vec<u8>,
    /// Bytes behind the attestation object.
    pub behind: Vec<u8>,
    /// Bytes in place of the public key.
    pub key: Option<Vec<u8>>,
    /// The algorithm that the statement names.
    pub algorithm: Option<i64>,
    /// Whether one bit of the signature is turned.
    pub spoilt: bool,
    /// What is added to the text of the client data before its last brace.
    pub more: &'static str,
}

/// The authenticator.
pub struct Authenticator {
    /// Its model.
    pub aaguid: [u8; 16],
    /// What new keys sign by.
    pub algorithm: Algorithm,
    /// What it says of itself.
    pub statement: Statement,
    /// Flags beside `AT`: present and verified unless set otherwise.
    pub flags: u8,
    /// Whether it counts.
    pub counts: bool,
    /// Its keys.
    pub credentials: Vec<Credential>,
}

impl Default for Authenticator {
    fn default() -> Self {
        Self {
            aaguid: [0; 16],
            algorithm: Algorithm::Es256,
            statement: Statement::None,
            flags: 0b101,
            counts: true,
            credentials: Vec::new(),
        }
    }
}

const ATTESTED: u8 = 0x40;

fn text(value: &Value, path: &str) -> String {
    value.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("{path} of {value}")).to_owned()
}

/// A CBOR head (RFC 8949 §3).
fn head(major: u8, n: usize) -> Vec<u8> {
    let major = major << 5;
    match u16::try_from(n).expect("short") {
        n @ 0..=23 => vec![major | n as u8],
        n @ 24..=255 => vec![major | 24, n as u8],
        n => [&[major | 25][..], &n.to_be_bytes()].concat(),
    }
}

fn bytes(b: &[u8]) -> Vec<u8> {
    [head(2, b.len()), b.to_vec()].concat()
}

fn word(t: &str) -> Vec<u8> {
    [head(3, t.len()), t.as_bytes().to_vec()].concat()
}

fn number(n: i64) -> Vec<u8> {
    if n < 0 { head(1, usize::try_from(-1 - n).unwrap()) } else { head(0, usize::try_from(n).unwrap()) }
}

impl Private {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Es256 => Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()),
            Algorithm::EdDsa => Self::EdDsa(Ed25519KeyPair::generate().unwrap()),
            Algorithm::Rs256 => Self::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()),
        }
    }

    fn algorithm(&self) -> i64 {
        match self {
            Self::Es256(_) => -7,
            Self::EdDsa(_) => -8,
            Self::Rs256(_) => -257,
        }
    }

    fn cose(&self) -> Vec<u8> {
        match self {
            Self::Es256(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = (bytes(&point[1..33]), bytes(&point[33..]));
                [vec![0xa5, 1, 2, 3], number(-7), vec![0x20, 1, 0x21], x, vec![0x22], y].concat()
            }
            Self::EdDsa(pair) => {
                let x = bytes(pair.public_key().as_ref());
                [vec![0xa4, 1, 1, 3], number(-8), vec![0x20, 6, 0x21], x].concat()
            }
            Self::Rs256(pair) => {
                // RSAPublicKey (RFC 8017 A.1.1) of 2048 bits: its two numbers lie at fixed places.
                let der = pair.public_key().as_ref();
                let (n, e) = (bytes(&der[9..265]), bytes(&der[267..]));
                [vec![0xa4, 1, 3, 3], number(-257), vec![0x20], n, vec![0x21], e].concat()
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(pair) => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
        }
    }
}

fn client_data(kind: &'static str, options: &Value, origin: &str, twist: &Twist) -> Vec<u8> {
    let challenge = twist.challenge.clone().unwrap_or_else(|| text(options, "/challenge"));
    let kind = twist.kind.unwrap_or(kind);
    let origin = twist.origin.unwrap_or(origin);
    let mut data = json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false });
    if let Some(cross) = &twist.cross_origin {
        data["crossOrigin"] = cross.clone();
    }
    if let Some(top) = twist.top_origin {
        data["topOrigin"] = json!(top);
    }
    let data = data.to_string();
    format!("{}{}}}", data.trim_end_matches('}'), twist.more).into_bytes()
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

impl Authenticator {
    /// `navigator.credentials.create()` at a page of `origin`: `RegistrationResponseJSON`.
    pub fn create(&mut self, options: &Value, origin: &str) -> Value {
        self.create_with(options, origin, &Twist::default())
    }

    /// The same, with a difference.
    pub fn create_with(&mut self, options: &Value, origin: &str, twist: &Twist) -> Value {
        let key = Private::new(self.algorithm);
        let id = hash(&key.cose())[..24].to_vec();
        let handle = B64.decode(text(options, "/user/id")).unwrap();
        let rp_id = twist.rp_id.map_or_else(|| text(options, "/rp/id"), str::to_owned);
        let data = client_data("webauthn.create", options, origin, twist);
        let auth = [
            hash(rp_id.as_bytes()),
            vec![twist.flags.unwrap_or(self.flags | ATTESTED)],
            twist.count.unwrap_or(0).to_be_bytes().to_vec(),
            self.aaguid.to_vec(),
            u16::try_from(id.len()).unwrap().to_be_bytes().to_vec(),
            id.clone(),
            twist.key.clone().unwrap_or_else(|| key.cose()),
            twist.trailing.clone(),
        ]
        .concat();
        let signed = [auth.clone(), hash(&data)].concat();
        let (format, statement) = self.stated(&key, &signed, twist);
        let object = [
            vec![0xa3],
            word("fmt"),
            word(format),
            word("attStmt"),
            statement,
            word("authData"),
            bytes(&auth),
            twist.behind.clone(),
        ]
        .concat();
        let response = json!({
            "id": B64.encode(&id),
            "rawId": B64.encode(&id),
            "type": "public-key",
            "authenticatorAttachment": "cross-platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": B64.encode(&data),
                "attestationObject": B64.encode(&object),
                "transports": ["usb", "internal"],
            },
        });
        self.credentials.push(Credential { id, handle, count: twist.count.unwrap_or(0), key });
        response
    }

    fn stated(&self, key: &Private, signed: &[u8], twist: &Twist) -> (&'static str, Vec<u8>) {
        let spoil = |mut s: Vec<u8>| {
            if twist.spoilt {
                let last = s.len() - 1;
                s[last] ^= 1;
            }
            s
        };
        let statement = |members: u8, algorithm: i64, signature: Vec<u8>| {
            let algorithm = number(twist.algorithm.unwrap_or(algorithm));
            [vec![0xa0 | members], word("alg"), algorithm, word("sig"), bytes(&spoil(signature))].concat()
        };
        match &self.statement {
            Statement::None => ("none", vec![0xa0]),
            Statement::Other(format) => (format, vec![0xa0]),
            Statement::Own => ("packed", statement(2, key.algorithm(), key.sign(signed))),
            Statement::Certificate(chain, pkcs8) => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8).unwrap();
                let signature = pair.sign(&SystemRandom::new(), signed).unwrap().as_ref().to_vec();
                let x5c = [head(4, chain.len()), chain.iter().flat_map(|c| bytes(c)).collect()].concat();
                ("packed", [statement(3, -7, signature), word("x5c"), x5c].concat())
            }
        }
    }

    /// `navigator.credentials.get()` at a page of `origin`, by the newest fitting key: `AuthenticationResponseJSON`.
    pub fn get(&mut self, options: &Value, origin: &str) -> Value {
        self.get_with(options, origin, &Twist::default())
    }

    /// The same, with a difference.
    pub fn get_with(&mut self, options: &Value, origin: &str, twist: &Twist) -> Value {
        let allowed = options["allowCredentials"].as_array().cloned().unwrap_or_default();
        let ids: Vec<Vec<u8>> = allowed.iter().map(|c| B64.decode(text(c, "/id")).unwrap()).collect();
        let fits = |c: &Credential| ids.is_empty() || ids.contains(&c.id);
        let at = self.credentials.iter().rposition(fits).expect("a credential that fits");
        self.sign(at, options, origin, twist)
    }

    /// The same by the key at a place, whatever the options allow.
    pub fn sign(&mut self, at: usize, options: &Value, origin: &str, twist: &Twist) -> Value {
        let (flags, counts) = (self.flags, self.counts);
        let credential = &mut self.credentials[at];
        if counts {
            credential.count += 1;
        }
        let count = twist.count.unwrap_or(if counts { credential.count } else { 0 });
        let rp_id = twist.rp_id.map_or_else(|| text(options, "/rpId"), str::to_owned);
        let data = client_data("webauthn.get", options, origin, twist);
        let auth = [
            hash(rp_id.as_bytes()),
            vec![twist.flags.unwrap_or(flags)],
            count.to_be_bytes().to_vec(),
            twist.trailing.clone(),
        ]
        .concat();
        let mut signature = credential.key.sign(&[auth.clone(), hash(&data)].concat());
        if twist.spoilt {
            let last = signature.len() - 1;
            signature[last] ^= 1;
        }
        let handle = twist.handle.clone().unwrap_or_else(|| credential.handle.clone());
        let mut response = json!({
            "clientDataJSON": B64.encode(&data),
            "authenticatorData": B64.encode(&auth),
            "signature": B64.encode(&signature),
        });
        if !handle.is_empty() {
            response["userHandle"] = json!(B64.encode(&handle));
        }
        json!({
            "id": B64.encode(&credential.id), "rawId": B64.encode(&credential.id), "type": "public-key",
            "clientExtensionResults": {}, "response": response,
        })
    }
}
