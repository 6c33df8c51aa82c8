//! Where an instance's files are.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The paths of one instance.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The data directory.
    pub data: PathBuf,
    /// The policy file.
    pub policy: PathBuf,
    /// The root key file, outside the data directory.
    pub root_key: PathBuf,
    /// The newest checkpoints, outside the database.
    pub checkpoints: PathBuf,
}

impl Paths {
    /// The defaults around a data directory: everything that must not lie inside it lies beside it.
    pub fn around(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            policy: data.join("policy.toml"),
            root_key: beside(data, ".root-key"),
            checkpoints: beside(data, ".checkpoints"),
        }
    }
}

fn beside(data: &Path, suffix: &str) -> PathBuf {
    let mut name = data.file_name().map_or_else(|| OsString::from("sekisho"), OsString::from);
    name.push(suffix);
    data.with_file_name(name)
}
