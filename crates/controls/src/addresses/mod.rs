//! Address rules: the networks from which people may come in (DX-04, IDO-40).

mod paper;
mod probe;

use std::net::IpAddr;

use ipnet::IpNet;
use sekisho_kernel::{
    Category, ProblemKind, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::{AddressLists, Decision},
    policy::{Default, Kind, Movement},
};

use crate::control::{Declared, WEEK};

/// The platform's networks.
pub static ALLOW: Setting = Setting {
    key: "addresses.allow",
    kind: Kind::Networks,
    default: Default::List(&[]),
    tenant: Movement::Subset,
    doc: Text::new(
        "接続を許可するアドレス範囲（CIDR 表記、IPv4 と IPv6）。空の場合はすべて許可します。組織の接続元アドレス制限は、この範囲をさらに狭めます。",
        "Address ranges that may connect (CIDR, IPv4 and IPv6). An empty list admits all. A tenant's address rules narrow it further.",
    ),
};

/// The address is not on a list that applies.
pub static ADDRESS_REFUSED: ProblemKind = ProblemKind {
    code: "SK-7102",
    name: "address-refused",
    category: Category::Forbidden,
    title: Text::new("この接続元からは利用できません。", "The service cannot be used from this address."),
    remedy: Text::new(
        "許可されたネットワークから接続してください。必要な場合は、組織の管理者に接続元の追加を依頼してください。",
        "Connect from an allowed network, or ask your organisation's administrator to add this one.",
    ),
};

/// IP address restriction in the application.
pub static DX_04: ClaimSpec = ClaimSpec {
    id: "DX-04",
    clauses: &[
        "ipv4-edges-admitted",
        "ipv4-beyond-edges-refused",
        "ipv6-edges-admitted",
        "ipv6-beyond-edges-refused",
        "forged-headers-change-nothing",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::AddressRule,
    negative_clause: "ipv4-beyond-edges-refused",
    live: false,
};

/// Sign-in can be limited to ranges of IP addresses.
pub static IDO_40: ClaimSpec = ClaimSpec { id: "IDO-40", ..DX_04 };

/// The control.
pub static CONTROL: Declared = Declared {
    section: "addresses",
    text: Text::new("接続元のアドレス範囲を制限します。", "Limits the addresses from which people may come in."),
    settings: &[&ALLOW],
    claims: &[&DX_04, &IDO_40],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// Whether the peer is inside both lists. An IPv4 peer on an IPv6 socket (RFC 4291 §2.5.5.2) counts as IPv4.
pub(crate) fn check(lists: &AddressLists, peer: IpAddr, out: Option<TakenOut>) -> Decision {
    if out == Some(TakenOut::AddressRule) {
        return Decision::Allow;
    }
    let peer = peer.to_canonical();
    let admits = |list: &[IpNet]| list.is_empty() || list.iter().any(|net| net.contains(&peer));
    if admits(&lists.platform) && admits(&lists.tenant) { Decision::Allow } else { Decision::Refuse(&ADDRESS_REFUSED) }
}
