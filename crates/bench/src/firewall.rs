//! Requests through the door with the Core Rule Set, against nginx with libmodsecurity and the same text of rules, each on
//! the same core in front of the same application. The application and the load have the other core.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sekisho_gateway::firewall::sources::Folder;

use crate::{
    door::{self, APPLICATION, HOST, Load},
    house::{self, House},
    machine::Running,
    served::{Served, free_port, listening},
    table::{Row, count, median},
};

/// nginx's connector, as Debian has it.
const CONNECTOR: &str = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so";
const ROUNDS: usize = 3;
const SECONDS: u32 = 4;
/// The connections of the bar for the slowest of a hundred.
const CONNECTIONS: u32 = 64;

/// The folder of the rule set: `SEKISHO_SHARED`, or `../shared` beside the workspace, holds `data/crs-4.28.0`.
fn rules() -> PathBuf {
    let shared = std::env::var_os("SEKISHO_SHARED").map_or_else(|| "../shared".into(), PathBuf::from);
    let rules = shared.join("data/crs-4.28.0").canonicalize();
    rules.expect("the Core Rule Set 4.28 in data/crs-4.28.0 of $SEKISHO_SHARED")
}

/// A kind of request, as the load generator's script makes it.
struct Shape {
    what: &'static str,
    script: String,
}

fn lua(method: &str, target: &str, kind: &str, body: &str) -> String {
    let fields = [
        (
            "User-Agent",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        ),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
        ("Accept-Language", "ja,en-US;q=0.9,en;q=0.8"),
        ("Accept-Encoding", "gzip, deflate, br"),
        ("Referer", "https://app.example.com/articles/1"),
        // The application is asked by its own pages.
        ("Sec-Fetch-Site", "same-origin"),
        ("Content-Type", kind),
    ];
    let set = |(name, value): &(&str, &str)| format!("wrk.headers[\"{name}\"] = \"{value}\"\n");
    let fields: String = fields.iter().filter(|(_, value)| !value.is_empty()).map(set).collect();
    format!("wrk.method = \"{method}\"\nwrk.path = \"{target}\"\nwrk.body = [==[{body}]==]\n{fields}")
}

/// A body of the engine's own measurements.
macro_rules! body {
    ($name:literal) => {
        include_str!(concat!("../../waf/examples/bodies/", $name))
    };
}

fn shapes() -> [Shape; 5] {
    const FORM: &str = "application/x-www-form-urlencoded";
    const JSON: &str = "application/json";
    let shape = |what, script| Shape { what, script };
    [
        shape(
            "a GET through the door, Core Rule Set 4.28 at level 1, one core",
            lua("GET", "/articles/2026/spring?page=2&sort=new&q=running+shoes", "", ""),
        ),
        shape("a form of 2 KB: a checkout, 46 fields", lua("POST", "/checkout", FORM, body!("checkout.form"))),
        shape("a form of 2 KB: six fields, nine tenths one text", lua("POST", "/contact", FORM, body!("letter.form"))),
        shape("JSON of 2 KB: an order, 93 values", lua("POST", "/api/v1/orders", JSON, body!("order.json"))),
        shape(
            "JSON of 2 KB: six values, nine tenths one text",
            lua("POST", "/api/v1/letters", JSON, body!("letter.json")),
        ),
    ]
}

pub fn measure() -> Vec<Row> {
    let rules = rules();
    assert!(Path::new(CONNECTOR).exists(), "libnginx-mod-http-modsecurity is needed");
    let dir = tempfile::tempdir_in("target").unwrap();
    let data = dir.path().join("data");
    let token = house::runtime().block_on(House::ready(&data, HOST));
    let (behind, theirs) = (free_port(), free_port());
    let me = std::env::current_exe().unwrap();
    let _application = Running::on_core(1, Command::new(me).args([APPLICATION, &behind.to_string()]));
    listening(behind);
    let text = dir.path().join("rules.conf");
    fs::write(&text, Folder::find(&rules).unwrap().text(None)).unwrap();
    let conf = dir.path().join("nginx.conf");
    let module = format!("load_module {CONNECTOR};\n");
    let inside = format!("modsecurity on; modsecurity_rules_file {};", text.display());
    fs::write(&conf, door::nginx_conf(dir.path(), theirs, behind, &module, &inside)).unwrap();
    let mut nginx = Command::new("nginx");
    nginx.arg("-p").arg(dir.path()).arg("-c").arg(&conf);
    let nginx = Running::on_core(0, &nginx);
    listening(theirs);
    let policy = format!("\n[waf]\nrules = \"{}\"\nparanoia = 1\n", rules.display());
    let door = Served::start(&data, &format!("http://127.0.0.1:{behind}"), Some(0), &policy);
    let mut out = Vec::new();
    let mut slowest = Vec::new();
    for (at, Shape { what, script }) in shapes().into_iter().enumerate() {
        let file = dir.path().join("load.lua");
        fs::write(&file, script).unwrap();
        let load = |port, pid| door::load(port, &token, pid, CONNECTIONS, SECONDS, Some(&file));
        let (mut ours, mut against) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            against.push(load(theirs, nginx.0.id()));
            ours.push(load(door.port, door.pid()));
        }
        let of = |loads: &[Load], pick: fn(&Load) -> f64| median(loads.iter().map(pick).collect());
        let ratio = median(ours.iter().zip(&against).map(|(o, a)| o.rate / a.rate).collect());
        out.push(Row {
            what,
            ours: format!("{} /s, {:.0} µs of CPU", count(of(&ours, |l| l.rate)), of(&ours, |l| l.cost)),
            against: format!(
                "nginx + libmodsecurity + the same rules, {} /s, {} µs",
                count(of(&against, |l| l.rate)),
                count(of(&against, |l| l.cost))
            ),
            result: format!("{ratio:.1} ×"),
            bar: "≥ 20 ×, then 40 ×",
        });
        if at == 0 {
            slowest = vec![of(&ours, |l| l.p99), of(&against, |l| l.p99)];
        }
    }
    out.push(Row {
        what: "the slowest of a hundred GETs (p99), 64 connections",
        ours: format!("{:.1} ms", slowest[0]),
        against: format!("nginx + libmodsecurity {:.1} ms", slowest[1]),
        result: format!("{:.1} ms", slowest[0]),
        bar: "≤ 20 ms, then 5 ms",
    });
    out
}
