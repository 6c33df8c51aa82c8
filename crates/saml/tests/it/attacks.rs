//! Attacks on the reader, the signature and its algorithms.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::ProblemKind;
use sekisho_saml::{Received, Rules, problems::*};

use crate::forge::*;

type Case = (&'static str, String, &'static ProblemKind);

/// A signed assertion whose text is changed after it was signed.
fn edited(from: &str, to: &str) -> String {
    response(&swap(&signed(), from, to))
}

fn with(change: impl FnOnce(&mut Signing)) -> String {
    let mut signing = Signing::of("_a1");
    change(&mut signing);
    response(&signing.put(&assertion()))
}

/// HMAC with the provider's public key as the secret.
fn confused() -> String {
    let method = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    let mut signing = Signing::of("_a1");
    signing.method = method;
    let honest = signing.put(&assertion());
    let (from, to) = (honest.find("<ds:SignedInfo>").unwrap(), honest.find("</ds:SignedInfo>").unwrap());
    let info = swap(
        &format!("{}</ds:SignedInfo>", &honest[from..to]),
        "<ds:SignedInfo>",
        &format!("<ds:SignedInfo xmlns:ds=\"{DS}\">"),
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, idp().signing[0].der());
    let tag = STANDARD.encode(hmac::sign(&key, info.as_bytes()));
    let (before, rest) = honest.split_once("<ds:SignatureValue>").unwrap();
    let (_, after) = rest.split_once("</ds:SignatureValue>").unwrap();
    response(&format!("{before}<ds:SignatureValue>{tag}</ds:SignatureValue>{after}"))
}

fn of_the_signature() -> Vec<Case> {
    let own_key = format!(
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>",
        fixture!("idp-next.crt.b64")
    );
    let own_value = "<ds:KeyInfo><ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent>\
                     </ds:RSAKeyValue></ds:KeyValue></ds:KeyInfo>";
    let references = |uris: [&str; 2]| {
        let signing = Signing::of("_a1");
        let one = |uri: &str| swap(&signing.reference(&assertion()), "#_a1", uri);
        response(&put(&assertion(), &signing.around(&(one(uris[0]) + &one(uris[1])))))
    };
    let xslt = transform("http://www.w3.org/TR/1999/REC-xslt-19991116");
    let xpath = "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"><ds:XPath>self::text()</ds:XPath></ds:Transform>";
    let inclusive = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
    let algorithm = |uri: &str| format!("<ds:CanonicalizationMethod Algorithm=\"{uri}\"></ds:CanonicalizationMethod>");
    let prefixes = |n: usize| {
        let list: Vec<String> = (0..n).map(|i| format!("p{i}")).collect();
        let list = format!(
            "<ec:InclusiveNamespaces xmlns:ec=\"{EXC}\" PrefixList=\"{}\"></ec:InclusiveNamespaces>",
            list.join(" ")
        );
        transform(ENVELOPED) + &swap(&transform(EXC), "></ds:Transform>", &format!(">{list}</ds:Transform>"))
    };
    vec![
        ("unsigned", response(&assertion()), &UNSIGNED),
        ("altered-name", edited(">yamada<", ">admin<"), &DIGEST),
        ("altered-attribute", edited(">user<", ">admin<"), &DIGEST),
        ("altered-attribute-name", edited("Name=\"role\"", "Name=\"uid\""), &DIGEST),
        ("added-text", edited("<saml:Subject>", "x<saml:Subject>"), &DIGEST),
        ("altered-id", edited("ID=\"_a1\"", "ID=\"_a2\""), &SIGNATURE_SHAPE),
        ("altered-digest", edited("<ds:DigestValue>", "<ds:DigestValue>AA"), &SHAPE),
        ("altered-reference", edited("#_a1", "#_a2"), &SIGNATURE),
        (
            "empty-signature-value",
            response(&{
                let signed = signed();
                let (before, rest) = signed.split_once("<ds:SignatureValue>").unwrap();
                let (_, after) = rest.split_once("</ds:SignatureValue>").unwrap();
                format!("{before}<ds:SignatureValue></ds:SignatureValue>{after}")
            }),
            &SHAPE,
        ),
        (
            "no-signature-value",
            response(&{
                let signed = signed();
                let (before, rest) = signed.split_once("<ds:SignatureValue>").unwrap();
                let (_, after) = rest.split_once("</ds:SignatureValue>").unwrap();
                format!("{before}{after}")
            }),
            &SIGNATURE_SHAPE,
        ),
        ("key-of-the-attacker", with(|s| s.pen = Pen::attacker()), &SIGNATURE),
        ("key-info-of-the-attacker", with(|s| (s.pen, s.key_info) = (Pen::attacker(), own_key)), &SIGNATURE),
        (
            "key-value-of-the-attacker",
            with(|s| (s.pen, s.key_info) = (Pen::attacker(), own_value.to_owned())),
            &SIGNATURE,
        ),
        ("hmac-with-the-public-key", confused(), &ALGORITHM),
        ("named-sha1", with(|s| s.method = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"), &ALGORITHM),
        ("named-md5", with(|s| s.method = "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"), &ALGORITHM),
        ("named-dsa", with(|s| s.method = "http://www.w3.org/2000/09/xmldsig#dsa-sha1"), &ALGORITHM),
        ("named-none", with(|s| s.method = ""), &SIGNATURE_SHAPE),
        ("named-ecdsa", with(|s| s.method = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"), &SIGNATURE),
        ("named-rsa-sha512", with(|s| s.method = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"), &SIGNATURE),
        ("digest-sha1", with(|s| s.digest_method = "http://www.w3.org/2000/09/xmldsig#sha1"), &ALGORITHM),
        ("digest-sha512-of-sha256", with(|s| s.digest_method = "http://www.w3.org/2001/04/xmlenc#sha512"), &DIGEST),
        ("reference-empty", with(|s| s.uri = String::new()), &SIGNATURE_SHAPE),
        ("reference-hash", with(|s| s.uri = "#".into()), &SIGNATURE_SHAPE),
        ("reference-other", with(|s| s.uri = "#_r1".into()), &SIGNATURE_SHAPE),
        ("reference-xpointer", with(|s| s.uri = "#xpointer(id('_a1'))".into()), &SIGNATURE_SHAPE),
        ("reference-file", with(|s| s.uri = "file:///etc/passwd".into()), &SIGNATURE_SHAPE),
        ("reference-http", with(|s| s.uri = "https://evil.example/#_a1".into()), &SIGNATURE_SHAPE),
        ("references-two", references(["#_a1", "#_a1"]), &SIGNATURE_SHAPE),
        ("references-two-other", references(["#_other", "#_a1"]), &SIGNATURE_SHAPE),
        ("references-none", response(&put(&assertion(), &Signing::of("_a1").around(""))), &SIGNATURE_SHAPE),
        ("transforms-none", with(|s| s.transforms = String::new()), &SIGNATURE_SHAPE),
        ("transforms-enveloped-alone", with(|s| s.transforms = transform(ENVELOPED)), &SIGNATURE_SHAPE),
        ("transforms-turned", with(|s| s.transforms = transform(EXC) + &transform(ENVELOPED)), &SIGNATURE_SHAPE),
        ("transforms-xslt", with(|s| s.transforms += &xslt), &SIGNATURE_SHAPE),
        (
            "transforms-xpath",
            with(|s| s.transforms = format!("{}{xpath}{}", transform(ENVELOPED), transform(EXC))),
            &SIGNATURE_SHAPE,
        ),
        (
            "transforms-base64",
            with(|s| s.transforms += &transform("http://www.w3.org/2000/09/xmldsig#base64")),
            &SIGNATURE_SHAPE,
        ),
        (
            "transforms-with-comments",
            with(|s| s.transforms = transform(ENVELOPED) + &transform(&format!("{EXC}WithComments"))),
            &SIGNATURE_SHAPE,
        ),
        (
            "transforms-inclusive",
            with(|s| s.transforms = transform(ENVELOPED) + &transform(inclusive)),
            &SIGNATURE_SHAPE,
        ),
        ("canonicalization-inclusive", with(|s| s.canonicalization = algorithm(inclusive)), &SIGNATURE_SHAPE),
        ("canonicalization-none", with(|s| s.canonicalization = String::new()), &SIGNATURE_SHAPE),
        (
            "canonicalization-with-comments",
            with(|s| s.canonicalization = algorithm(&format!("{EXC}WithComments"))),
            &SIGNATURE_SHAPE,
        ),
        ("prefixes-many", with(|s| s.transforms = prefixes(17)), &SIGNATURE_SHAPE),
        ("object-in-signature", edited("</ds:Signature>", "<ds:Object>x</ds:Object></ds:Signature>"), &SIGNATURE_SHAPE),
        (
            "signed-info-twice",
            {
                let signed = signed();
                let (from, to) = (signed.find("<ds:SignedInfo>").unwrap(), signed.find("</ds:SignedInfo>").unwrap());
                let info = format!("{}</ds:SignedInfo>", &signed[from..to]);
                response(&swap(&signed, &info, &format!("{info}{}", info.replace("#_a1", "#_a2"))))
            },
            &SIGNATURE_SHAPE,
        ),
    ]
}

fn of_the_reader() -> Vec<Case> {
    let bomb = "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    let good = response(&signed());
    let deep = format!("{}{}", "<x>".repeat(30), "</x>".repeat(30));
    let attributes: String = (0..40).map(|i| format!(" a{i}=\"\"")).collect();
    let declared: String = (0..30).map(|i| format!(" xmlns:p{i}=\"urn:{i}\"")).collect();
    vec![
        ("doctype", format!("<!DOCTYPE r>{good}"), &DOCTYPE),
        ("doctype-entities", format!("{bomb}{}", edited(">yamada<", ">&b;<")), &DOCTYPE),
        ("doctype-external", format!("<!DOCTYPE r SYSTEM \"file:///etc/passwd\">{good}"), &DOCTYPE),
        ("entity", edited(">yamada<", ">&secret;<"), &DOCTYPE),
        ("entity-parameter", edited(">yamada<", ">%secret;<"), &DIGEST),
        ("processing-instruction-in-a-name", edited(">yamada<", ">yamada<?x y?>evil<"), &DOCTYPE),
        ("processing-instruction-before", format!("<?xml-stylesheet href=\"x\"?>{good}"), &DOCTYPE),
        ("declaration-late", format!(" <?xml version=\"1.0\"?>{good}"), &DOCTYPE),
        ("declaration-1.1", format!("<?xml version=\"1.1\"?>{good}"), &UNREADABLE),
        ("declaration-utf-7", format!("<?xml version=\"1.0\" encoding=\"UTF-7\"?>{good}"), &UNREADABLE),
        ("declaration-utf-16", format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{good}"), &UNREADABLE),
        ("comment-swallows", edited(">yamada<", "><!--yamada--><"), &DIGEST),
        ("comment-added-text", edited(">yamada<", ">yamada<!-- -->.evil.example<"), &DIGEST),
        ("comment-broken", edited(">yamada<", ">yamada<!-- -- --><"), &UNREADABLE),
        ("cdata-tag", edited(">yamada<", "><![CDATA[yamada</saml:NameID><saml:NameID>admin]]><"), &DIGEST),
        ("cdata-end", edited(">yamada<", ">yamada]]><"), &UNREADABLE),
        ("duplicate-id", response(&format!("{}{}", signed(), swap(&evil(), "_evil", "_a1"))), &DUPLICATE_ID),
        ("duplicate-id-lower-case", edited("<saml:AttributeValue>", "<saml:AttributeValue id=\"_a1\">"), &DUPLICATE_ID),
        ("duplicate-id-xml", edited("<saml:AttributeValue>", "<saml:AttributeValue xml:id=\"_a1\">"), &DUPLICATE_ID),
        ("duplicate-attribute", edited(" ID=\"_a1\"", " ID=\"_a1\" ID=\"_a1\""), &UNREADABLE),
        (
            "duplicate-attribute-by-name",
            edited("<saml:AttributeValue>", "<saml:AttributeValue xmlns:q=\"u\" xmlns:r=\"u\" q:a=\"\" r:a=\"\">"),
            &UNREADABLE,
        ),
        ("namespace-declared-anew", edited("<saml:NameID ", "<saml:NameID xmlns:saml=\"urn:evil\" "), &DIGEST),
        (
            "namespace-default",
            edited("<saml:NameID ", "<NameID xmlns=\"urn:oasis:names:tc:SAML:2.0:assertion\" "),
            &UNREADABLE,
        ),
        ("namespace-undeclared", edited("<saml:Subject>", "<saml:Subject><q:x/>"), &UNREADABLE),
        ("namespace-emptied", edited("<saml:Subject>", "<saml:Subject xmlns:saml=\"\">"), &UNREADABLE),
        ("namespace-xml-taken", edited("<saml:Subject>", "<saml:Subject xmlns:xml=\"urn:evil\">"), &UNREADABLE),
        (
            "namespace-xml-stolen",
            edited("<saml:Subject>", "<saml:Subject xmlns:e=\"http://www.w3.org/XML/1998/namespace\">"),
            &UNREADABLE,
        ),
        (
            "namespaces-many",
            edited(
                "<saml:Subject>",
                &format!("<saml:Subject{declared}><saml:x{declared}><saml:y{declared}/></saml:x>"),
            ),
            &TOO_LARGE,
        ),
        ("xml-base-added", edited("<saml:NameID ", "<saml:NameID xml:base=\"https://evil.example/\" "), &DIGEST),
        ("xml-space-added", edited("<saml:NameID ", "<saml:NameID xml:space=\"preserve\" "), &DIGEST),
        ("xml-element", edited("<saml:Subject>", "<saml:Subject><xml:x/>"), &UNREADABLE),
        ("white-space-in-a-name", edited(">yamada<", ">yamada <"), &DIGEST),
        ("character-zero", edited(">yamada<", ">yamada&#0;<"), &UNREADABLE),
        ("character-control", edited(">yamada<", ">yamada\u{1}<"), &UNREADABLE),
        ("character-surrogate", edited(">yamada<", ">yamada&#xD800;<"), &UNREADABLE),
        ("character-open", edited(">yamada<", ">yamada&#x41<"), &UNREADABLE),
        ("character-huge", edited(">yamada<", ">yamada&#x100000041;<"), &UNREADABLE),
        ("ampersand", edited(">yamada<", ">yamada&<"), &UNREADABLE),
        ("name-not-ascii", edited("<saml:Subject>", "<saml:Subject><сaml/>"), &UNREADABLE),
        ("tag-crossed", edited("</saml:Subject>", "</saml:Conditions>"), &UNREADABLE),
        ("tag-open", good[..good.len() - 3].to_owned(), &UNREADABLE),
        ("tag-bare-attribute", edited(" ID=\"_a1\"", " ID=_a1"), &UNREADABLE),
        ("attribute-with-tag", edited("Name=\"role\"", "Name=\"<role\""), &UNREADABLE),
        ("after-the-root", format!("{good}<x/>"), &UNREADABLE),
        ("text-after-the-root", format!("{good}x"), &UNREADABLE),
        ("empty", String::new(), &UNREADABLE),
        ("deep", edited("<saml:Subject>", &format!("<saml:Subject>{deep}")), &TOO_LARGE),
        ("attributes-many", edited("<saml:Subject>", &format!("<saml:Subject{attributes}>")), &TOO_LARGE),
        ("elements-many", edited("<saml:Subject>", &format!("<saml:Subject>{}", "<x/>".repeat(8_000))), &TOO_LARGE),
        ("bytes-many", edited(">yamada<", &format!(">{}<", "a".repeat(520 * 1024))), &TOO_LARGE),
        ("another-root", signed(), &SHAPE),
        ("version-1.1", swap(&good, "Version=\"2.0\"", "Version=\"1.1\""), &VERSION),
        ("no-assertion", response(""), &SHAPE),
        ("stranger-in-response", response(&format!("{}<x/>", signed())), &SHAPE),
    ]
}

fn all_refused(cases: Vec<Case>) -> String {
    let mut told_all = String::new();
    for (name, xml, kind) in cases {
        let problem = judge(&xml, &Rules::default(), now()).expect_err(name);
        assert!(problem.is(kind), "{name}: {problem:?}");
        told_all.push_str(&told(name, &problem));
    }
    told_all
}

#[test]
fn every_attack_on_the_signature_is_refused() {
    insta::assert_snapshot!(all_refused(of_the_signature()));
}

#[test]
fn every_attack_on_the_reader_is_refused() {
    insta::assert_snapshot!(all_refused(of_the_reader()));
}

#[test]
fn what_canonicalises_alike_reads_alike() {
    let harmless = [
        (">yamada<", ">yama<!-- cut here -->da<"),
        (">yamada<", "><!--\n-->yamada<!----><"),
        (">yamada<", "><![CDATA[yama]]>da<"),
        (">yamada<", ">&#x79;amad&#97;<"),
        ("<saml:NameID ", "<saml:NameID\n   "),
        ("ID=\"_a1\" IssueInstant=\"2026-11-22T09:00:00Z\"", "IssueInstant='2026-11-22T09:00:00Z'  ID='_a1'"),
        ("<saml:Subject>", "<saml:Subject xmlns:unused=\"urn:x\">"),
    ];
    for (from, to) in harmless {
        assert_eq!(person(&edited(from, to)).unwrap().name_id.value, "yamada", "{to}");
    }
    let declared = format!(
        "\u{feff}<?xml version='1.0' encoding=\"utf-8\" standalone='yes'?>\n<!-- by hand -->{}\n",
        response(&signed())
    );
    assert_eq!(person(&declared).unwrap().name_id.value, "yamada");
}

#[test]
fn a_comment_cuts_no_name_short() {
    let whole = swap(&assertion(), ">yamada<", ">admin@example.test.evil.example<");
    let signed = Signing::of("_a1").put(&whole);
    let cut = swap(&signed, ">admin@example.test.evil", ">admin@example.test<!-- -->.evil");
    assert_eq!(person(&response(&cut)).unwrap().name_id.value, "admin@example.test.evil.example");
    let role = Signing::of("_a1").put(&swap(&assertion(), ">user<", ">administrators-not<"));
    let cut = swap(&role, ">administrators-not<", ">administrators<!---->-not<");
    assert_eq!(person(&response(&cut)).unwrap().attributes[0].values, ["administrators-not"]);
}

#[test]
fn a_form_that_is_no_base64_or_too_long_is_refused() {
    for (name, field, kind) in [
        ("not base64", "<samlp:Response/>".to_owned(), &ENCODING),
        ("base64url", "_-_-".to_owned(), &ENCODING),
        ("cut off", "PHNhbWw".to_owned(), &ENCODING),
        ("not utf-8", STANDARD.encode([0xff, 0xfe, 0x3c]), &UNREADABLE),
        ("too long", "A".repeat(900 * 1024), &TOO_LARGE),
    ] {
        let problem = Received::read(&field, None).expect_err(name);
        assert!(problem.is(kind), "{name}: {problem:?}");
    }
    let problem = Received::read(&field(&response(&signed())), Some(&"x".repeat(81))).unwrap_err();
    assert_eq!(problem.to_string(), "SK-4128 RelayState is longer than 80 bytes. (RelayState) Use at most 80 bytes.");
}
