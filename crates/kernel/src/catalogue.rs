//! The data catalogue: every record type declares its class, retention and fields once.

use crate::text::Text;

/// The class of data a record belongs to (MIST-24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DataClass {
    /// About a person: names, addresses, credentials, sessions.
    Personal,
    /// How the tenant has set things up: roles, sites, rules, policy.
    Configuration,
    /// Metadata: times, counters, states, statistics.
    Metadata,
    /// The audit ledger.
    Audit,
    /// Keys and certificates, always wrapped.
    KeyMaterial,
    /// Device data. No record type of it exists yet.
    Device,
    /// Packet captures, headers only. No record type of it exists yet.
    PacketCapture,
    /// User traffic. Never carried; no record type may be of this class.
    UserTraffic,
}

impl DataClass {
    /// All classes.
    pub const ALL: [Self; 8] = [
        Self::Personal,
        Self::Configuration,
        Self::Metadata,
        Self::Audit,
        Self::KeyMaterial,
        Self::Device,
        Self::PacketCapture,
        Self::UserTraffic,
    ];
    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Configuration => "configuration",
            Self::Metadata => "metadata",
            Self::Audit => "audit",
            Self::KeyMaterial => "key-material",
            Self::Device => "device",
            Self::PacketCapture => "packet-capture",
            Self::UserTraffic => "user-traffic",
        }
    }
    /// Its name for people.
    pub const fn text(self) -> Text {
        match self {
            Self::Personal => Text::new("個人データ", "Personal data"),
            Self::Configuration => Text::new("設定データ", "Configuration data"),
            Self::Metadata => Text::new("メタデータ（統計・状態）", "Metadata (statistics, state)"),
            Self::Audit => Text::new("監査記録", "Audit records"),
            Self::KeyMaterial => Text::new("鍵と証明書", "Keys and certificates"),
            Self::Device => Text::new("機器データ", "Device data"),
            Self::PacketCapture => Text::new("パケットキャプチャ（ヘッダーのみ）", "Packet captures (headers only)"),
            Self::UserTraffic => Text::new("利用者の通信内容", "User traffic"),
        }
    }
}

/// How the rows of a table are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// The record's body is sealed under the tenant's key; clear columns are listed.
    Sealed,
    /// Only opaque ids, times, states, counters, hashes and wrapped keys: nothing to seal.
    ClearByGoldenFile,
}

/// How long rows are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Until the tenant deletes the record or is itself deleted.
    UntilDeleted,
    /// Until its own expiry column passes.
    UntilExpiry,
    /// As long as the setting with this key says.
    Setting(&'static str),
}

/// A field that can be found by equality through a blind index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexedField {
    /// The field's name; its column is `x_NAME`.
    pub name: &'static str,
    /// Whether two records of one tenant may not share a value.
    pub unique: bool,
}

/// The type of a clear column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clear {
    /// BIGINT.
    Int,
    /// TEXT from a closed list of codes.
    Code,
    /// BLOB: an opaque id or a hash.
    Opaque,
}

/// The one declaration of a record type. Table, statements, catalogue row and the paper's data table follow from it.
#[derive(Debug)]
pub struct RecordDef {
    /// The table.
    pub table: &'static str,
    /// What it holds, for people.
    pub text: Text,
    /// Its class.
    pub class: DataClass,
    /// How its rows are protected.
    pub protection: Protection,
    /// How long its rows are kept.
    pub retention: Retention,
    /// Blind-indexed fields.
    pub indexed: &'static [IndexedField],
    /// Clear columns beside `tenant`, `id`, `version`, `created`, `updated`.
    pub clear: &'static [(&'static str, Clear)],
}
