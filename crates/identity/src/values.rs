//! Texts that people give, checked once.

use std::net::IpAddr;

use ipnet::IpNet;
use sekisho_kernel::{Problem, Text, problem::CONFLICT, problem::INVALID};

use crate::{
    Answer,
    problems::{BAD_HOST, BAD_NETWORK, NAME_TAKEN},
};

/// Longest name in characters.
pub const NAME_LEN: usize = 128;
/// Longest note in characters.
pub const NOTE_LEN: usize = 1_000;
/// Longest mail address in bytes (RFC 5321 §4.5.3.1.3, without the angle brackets).
const MAIL_LEN: usize = 254;

fn invalid(place: &'static str, detail: Text) -> Problem {
    Problem::new(&INVALID).at(place).detail(detail)
}

/// A name that is shown: trimmed, 1 to 128 characters, one line.
pub fn label(place: &'static str, text: &str) -> Answer<String> {
    let text = text.trim();
    let n = text.chars().count();
    if n == 0 || n > NAME_LEN || text.chars().any(char::is_control) {
        return Err(invalid(
            place,
            Text::new(
                "1 文字以上 128 文字以下の 1 行で入力してください。",
                "It must be one line of 1 to 128 characters.",
            ),
        ));
    }
    Ok(text.to_owned())
}

/// A sign-in name: as [`label`], without white space.
pub fn sign_in_name(text: &str) -> Answer<String> {
    let name = label("name", text)?;
    if name.chars().any(char::is_whitespace) {
        return Err(invalid("name", Text::new("空白は使えません。", "It may not contain white space.")));
    }
    Ok(name)
}

/// A note: at most 1,000 characters; line breaks are fine, other control characters are not.
pub fn note(text: &str) -> Answer<String> {
    if text.chars().count() > NOTE_LEN || text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(invalid(
            "note",
            Text::new(
                "1,000 文字以下で、制御文字を含めずに入力してください。",
                "It may have 1,000 characters at most and no control characters.",
            ),
        ));
    }
    Ok(text.to_owned())
}

/// A mail address: something before and after one `@`. Whether it exists, only a mail can tell.
pub fn mail(text: &str) -> Answer<String> {
    let text = text.trim();
    let parts: Vec<&str> = text.split('@').collect();
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    let whole = matches!(parts[..], [local, domain] if !local.is_empty() && domain.contains('.')
        && domain.split('.').all(|label| !label.is_empty()));
    if !plain || !whole || text.len() > MAIL_LEN {
        return Err(invalid(
            "mail",
            Text::new("メールアドレスの形になっていません。", "It does not have the form of a mail address."),
        ));
    }
    Ok(text.to_owned())
}

/// A person's ID in an application: 1 to 255 characters on one line, taken to the letter.
pub fn unique_id(text: &str) -> Answer<()> {
    let n = text.chars().count();
    if n == 0 || n > 255 || text.chars().any(char::is_control) || text.trim() != text {
        return Err(invalid(
            "unique_id",
            Text::new(
                "前後の空白を含まない、1 文字以上 255 文字以下の 1 行で入力してください。",
                "It must be one line of 1 to 255 characters without white space at its ends.",
            ),
        ));
    }
    Ok(())
}

/// A network: CIDR with host bits zero, or one address. IPv4-mapped IPv6 (RFC 4291 §2.5.5.2) becomes IPv4, since peers
/// are seen so.
pub fn network(text: &str) -> Answer<IpNet> {
    let bad = || Problem::new(&BAD_NETWORK).at("network");
    let text = text.trim();
    let net = match text.parse::<IpNet>() {
        Ok(net) => net,
        Err(_) => IpNet::from(text.parse::<IpAddr>().map_err(|_| bad())?),
    };
    let net = match net {
        IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => {
            let bits = v6.prefix_len().checked_sub(96).ok_or_else(bad)?;
            IpNet::new(v6.addr().to_canonical(), bits).map_err(|_| bad())?
        }
        other => other,
    };
    if net.trunc() != net {
        let (net, ja, en) =
            (net.trunc(), "の範囲を指すなら、そのように入力してください。", "If that range is meant, write it so.");
        return Err(bad().detail(Text::owned(format!("{net} {ja}"), format!("{net}: {en}"))));
    }
    Ok(net)
}

/// A host name (RFC 1123 §2.1) in lower case.
pub fn host(text: &str) -> Answer<String> {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    if text.len() > 253 || !text.split('.').all(label) || text.parse::<IpAddr>().is_ok() {
        return Err(Problem::new(&BAD_HOST).at("host"));
    }
    Ok(text.to_owned())
}

/// Says which unique value was taken, where a record could not be written for that.
pub fn taken(problem: Problem) -> Problem {
    let field = match problem.place.as_deref() {
        Some(place) if place.contains("mail") => "mail",
        Some(place) if place.contains("name") => "name",
        _ => return problem,
    };
    if problem.is(&CONFLICT) { Problem::new(&NAME_TAKEN).at(field) } else { problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_in_their_many_spellings() {
        for (text, net) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            (" 192.0.2.7 ", "192.0.2.7/32"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(network(text).unwrap(), net.parse::<IpNet>().unwrap(), "{text}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in
            ["", "192.0.2.0/33", "192.0.2", "example.jp", "192.0.2.1/24", "2001:db8::1/32", "::ffff:0:0/95", "1/8"]
        {
            let p = network(text).unwrap_err();
            assert!(p.is(&BAD_NETWORK), "{text}");
        }
        let p = network("192.0.2.1/24").unwrap_err();
        assert!(p.message(sekisho_kernel::Lang::En).contains("192.0.2.0/24: If that range is meant"));
    }

    #[test]
    fn names_mails_and_hosts() {
        assert_eq!(sign_in_name(" 山田 ").unwrap(), "山田");
        for bad in ["", " ", "a b", "a\u{3000}b", "a\nb", &"x".repeat(129)] {
            assert!(sign_in_name(bad).is_err(), "{bad:?}");
        }
        for good in ["a@b.jp", "taro+x@mail.example.co.jp"] {
            assert!(mail(good).is_ok(), "{good}");
        }
        for bad in
            ["", "a", "@b.jp", "a@", "a@b", "a@b@c.jp", "a @b.jp", "a@b..jp", &format!("{}@b.jp", "x".repeat(250))]
        {
            assert!(mail(bad).is_err(), "{bad}");
        }
        for good in ["acme.app.localhost", "a-1.example", "localhost"] {
            assert!(host(good).is_ok(), "{good}");
        }
        for bad in
            ["", "Acme.example", "a_b.example", "-a.example", "a..b", "192.0.2.1", "a.example:8443", &"a.".repeat(200)]
        {
            assert!(host(bad).is_err(), "{bad}");
        }
    }
}
