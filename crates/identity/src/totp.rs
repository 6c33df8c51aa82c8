//! Time-based one-time passwords (RFC 6238): SHA-1, 6 digits, 30 s, one step of tolerance to either side.

use qrcode::{EcLevel, QrCode, render::svg};
use sekisho_kernel::{Problem, Rng, Secret, Time, percent::encode, problem::INTERNAL, rng};
use totp_rs::{Algorithm, Builder, Totp};

/// Bytes of a secret: 160 bits (RFC 4226 §4, R6).
pub const SECRET_LEN: usize = 20;
const STEP_SECS: u64 = 30;

/// A new secret in base32 (RFC 4648) without padding.
pub fn new_secret(rng: &dyn Rng) -> Secret<String> {
    let bytes: [u8; SECRET_LEN] = rng::bytes(rng);
    Secret::new(totp_rs::Secret::from(bytes).to_base32())
}

fn totp(secret: &Secret<String>) -> Result<Totp, Problem> {
    let key = totp_rs::Secret::try_from_base32(secret.reveal())
        .map_err(|_| Problem::new(&INTERNAL).log("a stored TOTP secret is not base32"))?;
    Ok(Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_skew(1)
        .with_step_duration(STEP_SECS)
        .with_secret(key)
        .build_noncompliant())
}

/// The step (RFC 6238 §4.2) that `code` is of, if it is right at `now`. The caller must take each step once (§5.2).
///
/// # Errors
/// A defect of ours, when the secret is not base32.
pub fn check(secret: &Secret<String>, code: &str, now: Time) -> Result<Option<i64>, Problem> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).take(7).collect();
    if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(None);
    }
    let secs = u64::try_from(now.secs()).unwrap_or(0);
    Ok(totp(secret)?.check(&code, secs).and_then(|step| i64::try_from(step).ok()))
}

/// The code at `now`, for tests and for the demo's words.
///
/// # Errors
/// As [`check`].
pub fn code(secret: &Secret<String>, now: Time) -> Result<String, Problem> {
    Ok(totp(secret)?.generate(u64::try_from(now.secs()).unwrap_or(0)).to_string())
}

/// `otpauth://totp/…` (the Key Uri Format that authenticators read).
pub fn uri(secret: &Secret<String>, issuer: &str, account: &str) -> Secret<String> {
    let (issuer, account) = (encode(issuer), encode(account));
    Secret::new(format!(
        "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period={STEP_SECS}",
        secret.reveal()
    ))
}

/// The uri as an SVG that needs no script and no style.
///
/// # Errors
/// A defect of ours, when the uri is longer than a QR code holds.
pub fn qr(uri: &Secret<String>) -> Result<Secret<String>, Problem> {
    let code = QrCode::with_error_correction_level(uri.reveal().as_bytes(), EcLevel::M)
        .map_err(|e| Problem::new(&INTERNAL).log(e))?;
    let image = code.render::<svg::Color<'_>>().min_dimensions(200, 200).build();
    // The XML declaration has no place inside a page.
    Ok(Secret::new(image.split_once("?>").map_or(image.clone(), |(_, svg)| svg.to_owned())))
}

#[cfg(test)]
mod tests {
    use sekisho_kernel::SystemRng;

    use super::*;

    /// RFC 6238 appendix B, SHA-1: the last six of the eight digits.
    const VECTORS: &[(i64, &str)] = &[
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];

    fn rfc_secret() -> Secret<String> {
        Secret::new(totp_rs::Secret::from(*b"12345678901234567890").to_base32())
    }

    #[test]
    fn the_vectors_of_rfc_6238() {
        for (at, digits) in VECTORS {
            let now = Time::from_secs(*at);
            assert_eq!(code(&rfc_secret(), now).unwrap(), *digits);
            assert_eq!(check(&rfc_secret(), digits, now).unwrap(), Some(at / 30));
        }
    }

    #[test]
    fn one_step_of_tolerance_and_no_more() {
        let digits = "287082"; // step 1: seconds 30 to 59
        let step = |secs| check(&rfc_secret(), digits, Time::from_secs(secs)).unwrap();
        assert_eq!(step(0), Some(1));
        assert_eq!(step(89), Some(1));
        assert_eq!(step(90), None);
        assert_eq!(check(&rfc_secret(), "755224", Time::from_secs(59)).unwrap(), Some(0), "the step before");
    }

    #[test]
    fn only_six_digits_are_a_code() {
        let now = Time::from_secs(59);
        for bad in ["", "28708", "2870820", "28708a", "２８７０８２", "-28708", "287082\u{0}"] {
            assert_eq!(check(&rfc_secret(), bad, now).unwrap(), None, "{bad:?}");
        }
        assert_eq!(check(&rfc_secret(), " 287 082 ", now).unwrap(), Some(1), "apps show a gap in the middle");
    }

    #[test]
    fn a_secret_has_160_bits() {
        let secret = new_secret(&SystemRng);
        assert_eq!(secret.reveal().len(), 32);
        assert_ne!(secret.reveal(), new_secret(&SystemRng).reveal());
        assert_eq!(code(&secret, Time::from_secs(1)).unwrap().len(), 6);
    }

    #[test]
    fn uri_and_picture() {
        let uri = uri(&rfc_secret(), "Sekisho 関所", "taro@example.jp");
        assert_eq!(
            uri.reveal(),
            "otpauth://totp/Sekisho%20%E9%96%A2%E6%89%80:taro%40example.jp?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Sekisho%20%E9%96%A2%E6%89%80&algorithm=SHA1&digits=6&period=30"
        );
        let svg = qr(&uri).unwrap();
        assert!(svg.reveal().starts_with("<svg ") && svg.reveal().ends_with("</svg>"));
        assert!(!svg.reveal().contains("script") && !svg.reveal().contains("style"));
    }
}
