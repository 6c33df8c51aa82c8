//! The ledger's tables in the data catalogue.

use sekisho_kernel::{
    RecordDef, Text,
    catalogue::{Clear, DataClass, IndexedField, Protection, Retention},
};

/// Declares the tables beside the entries.
macro_rules! tables {
    ($($c:ident $table:literal $ja:literal $en:literal [$($column:literal $kind:ident),*];)*) => {
        $(static $c: RecordDef = RecordDef {
            table: $table,
            text: Text::new($ja, $en),
            class: DataClass::Audit,
            protection: Protection::ClearByGoldenFile,
            retention: Retention::UntilDeleted,
            indexed: &[],
            clear: &[$(($column, Clear::$kind)),*],
        };)*
        /// Every table of the ledger.
        pub(crate) static TABLES: &[&RecordDef] = &[&ENTRY, $(&$c),*];
    };
}

static ENTRY: RecordDef = RecordDef {
    table: "ledger_entry",
    text: Text::new("操作履歴", "Operation history"),
    class: DataClass::Audit,
    protection: Protection::Sealed,
    retention: Retention::Setting("audit.retention"),
    indexed: &[IndexedField { name: "object", unique: false }],
    clear: &[
        ("log", Clear::Opaque),
        ("format", Clear::Int),
        ("at", Clear::Int),
        ("event", Clear::Code),
        ("outcome", Clear::Code),
        ("actor", Clear::Code),
    ],
};

tables! {
    PENDING "ledger_pending" "木に入る前の記録の値" "Commitments of entries not yet in the tree"
        ["log" Opaque, "commitment" Opaque];
    LEAF "ledger_leaf" "記録の木の葉" "Leaves of the tree"
        ["log" Opaque, "epoch" Int, "idx" Int, "commitment" Opaque];
    TILE "ledger_tile" "記録の木のタイル" "Tiles of the tree"
        ["log" Opaque, "epoch" Int, "level" Int, "idx" Int, "bytes" Opaque];
    HEAD "ledger_head" "記録の木の大きさ" "Sizes of the trees"
        ["log" Opaque, "epoch" Int, "origin" Code, "size" Int, "signed" Int];
    CHECKPOINT "ledger_checkpoint" "署名されたチェックポイント" "Signed checkpoints"
        ["log" Opaque, "epoch" Int, "size" Int, "prev" Int, "note" Opaque];
    FORGET "ledger_forget" "保存期間を過ぎた記録の消去の受付" "Where the purge of entries past their retention is asked for"
        ["log" Opaque];
}
