//! Whatever is done to a message, it is refused or says what it said.

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use sekisho_saml::{Certificate, IdentityProvider, LogoutMessage, Received, Rules, Signed, SignedIn};

use crate::forge::*;

fn judged(bytes: &[u8], signed: Signed) -> Option<SignedIn> {
    let rules = Rules { signed, unsolicited: true, ..Rules::default() };
    let received = Received::read(&STANDARD.encode(bytes), None).ok()?;
    received.accept(&sp(), &idp(), Some(&pending(now())), &rules, now()).ok()?.first_use(true).ok()
}

/// What a hand at the wire can do: bytes changed, cut out, doubled, moved, and markup put in.
#[derive(Clone, Debug)]
enum Touch {
    Change(usize, u8),
    Cut(usize, usize),
    Double(usize, usize, usize),
    Insert(usize, &'static str),
}

const MARKUP: [&str; 14] = [
    "<!---->",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?x?>",
    "<!DOCTYPE x>",
    "&lt;",
    "&#0;",
    "&x;",
    " xmlns=\"\"",
    " ID=\"_a1\"",
    "</saml:NameID><saml:NameID>",
    "\r\n",
];

fn touches() -> impl Strategy<Value = Vec<Touch>> {
    let at = || 0usize..8192;
    prop::collection::vec(
        prop_oneof![
            (at(), any::<u8>()).prop_map(|(i, b)| Touch::Change(i, b)),
            (at(), 1usize..400).prop_map(|(i, n)| Touch::Cut(i, n)),
            (at(), 1usize..1500, at()).prop_map(|(i, n, to)| Touch::Double(i, n, to)),
            (at(), prop::sample::select(&MARKUP[..])).prop_map(|(i, m)| Touch::Insert(i, m)),
        ],
        1..4,
    )
}

fn touched(message: &str, touches: &[Touch]) -> Vec<u8> {
    let mut out = message.as_bytes().to_vec();
    for touch in touches {
        let len = out.len().max(1);
        match *touch {
            Touch::Change(i, b) => out[i % len] = b,
            Touch::Cut(i, n) => drop(out.drain(i % len..(i % len + n).min(out.len()))),
            Touch::Double(i, n, to) => {
                let part = out[i % len..(i % len + n).min(out.len())].to_vec();
                out.splice(to % len..to % len, part);
            }
            Touch::Insert(i, markup) => drop(out.splice(i % len..i % len, markup.bytes())),
        }
        if out.is_empty() {
            out.push(b'<');
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_response_that_was_touched_is_refused_or_says_the_same(touches in touches()) {
        let whole = response(&signed());
        let honest = judged(whole.as_bytes(), Signed::Assertion).unwrap();
        if let Some(who) = judged(&touched(&whole, &touches), Signed::Assertion) {
            prop_assert_eq!(who, honest);
        }
        let whole = Signing::of("_r1").put(&response(&assertion()));
        let honest = judged(whole.as_bytes(), Signed::Response).unwrap();
        if let Some(who) = judged(&touched(&whole, &touches), Signed::Response) {
            prop_assert_eq!(who, honest);
        }
    }

    #[test]
    fn metadata_that_was_touched_is_refused_or_read(touches in touches()) {
        let text = fixture!("idp-metadata.xml");
        let _ = IdentityProvider::read(&touched(text, &touches), &[], now());
        let pins = [Certificate::from_base64(fixture!("sp.crt.b64")).unwrap()];
        prop_assert!(IdentityProvider::read(&touched(text, &touches), &pins, now()).is_err(), "nobody has signed it");
    }

    #[test]
    fn a_query_that_was_touched_is_refused_or_says_the_same(touches in touches()) {
        let query = fixture!("logout-request.query");
        let at = sekisho_kernel::Time::parse_rfc3339(fixture!("now")).unwrap();
        if let Ok(text) = String::from_utf8(touched(query, &touches))
            && let Ok(request) = sp().logout_request(&idp(), LogoutMessage::Redirect(&text), &Rules::default(), at)
        {
            prop_assert_eq!(request.name_id.value, "yamada-7f3a");
        }
    }

    #[test]
    fn no_bytes_at_all_make_it_stumble(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(judged(&bytes, Signed::Assertion).is_none());
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(Received::read(&text, None).is_err());
        prop_assert!(sp().logout_request(&idp(), LogoutMessage::Redirect(&text), &Rules::default(), now()).is_err());
        prop_assert!(IdentityProvider::read(&bytes, &[], now()).is_err());
        prop_assert!(Certificate::from_der(&bytes).is_err());
    }
}
