//! The command line. Exit codes: 0 done, 1 a claim or check failed, 2 wrong usage or configuration.

#![expect(missing_docs, reason = "a flattened group of arguments is documented where it is declared")]

pub mod relation;
pub mod waf;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sekisho_kernel::Lang;

/// Sekisho: a security white paper, kept and proven by running software.
#[derive(Debug, Parser)]
#[command(name = "sekisho", version, about, long_about = None, propagate_version = true, subcommand_required = true)]
pub struct Cli {
    /// Language of messages and of the paper.
    #[arg(long, global = true, value_enum, env = "SEKISHO_LANG")]
    pub lang: Option<LangArg>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A language on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LangArg {
    /// 日本語
    Ja,
    /// English
    En,
}

impl From<LangArg> for Lang {
    fn from(l: LangArg) -> Self {
        match l {
            LangArg::Ja => Self::Ja,
            LangArg::En => Self::En,
        }
    }
}

/// Where an instance's data and policy are.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// The data directory.
    #[arg(long, value_name = "DIR", default_value = "sekisho-data", env = "SEKISHO_DATA")]
    pub data: PathBuf,
    /// The policy file. Without it the data directory's own `policy.toml`.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// The root key file. Without it `DIR.root-key` beside the data directory, never inside.
    #[arg(long, value_name = "FILE", env = "SEKISHO_ROOT_KEY")]
    pub root_key: Option<PathBuf>,
    /// A file that holds the root passphrase, instead of a root key file.
    #[arg(long, value_name = "FILE", conflicts_with = "root_key")]
    pub passphrase_file: Option<PathBuf>,
}

/// Everything `sekisho` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a data directory, its root key and the first organisation; print the recovery sheet and the first administrator's link.
    Init {
        #[command(flatten)]
        place: Place,
        /// A shipped profile to start the policy from.
        #[arg(long, default_value = "netmeister")]
        profile: String,
        /// The application behind the door, such as `http://127.0.0.1:3000`.
        #[arg(long)]
        upstream: Option<String>,
        #[command(flatten)]
        tenant: NewTenant,
        /// Write the administrator's link to this file (0600) instead of the terminal.
        #[arg(long, value_name = "FILE")]
        link_file: Option<PathBuf>,
    },
    /// Keep the promises: open the door and serve until stopped.
    Serve {
        #[command(flatten)]
        place: Place,
    },
    /// A whole instance in a scratch directory with a sample application, two organisations and people in them.
    Demo {
        /// HTTPS port; 0 takes a free one. Without it 8443, or a free one when that is taken.
        #[arg(long)]
        port: Option<u16>,
        /// Keep the data here instead of a scratch directory. Must not exist yet.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// Read, check and explain policies.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Prove the claims by trying to break them.
    Prove(ProveArgs),
    /// Write the white paper from policy and evidence.
    Paper {
        /// Format.
        #[arg(long, value_enum, default_value = "md")]
        format: PaperFormat,
        /// The policy whose figures are printed.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// The data directory whose evidence is used. Without it every claim is printed as not proven.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Write to this file instead of standard output.
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// The audit ledger.
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Organisations.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Administrators' access, given from the host.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Users, from the host.
    #[command(subcommand)]
    User(UserCommand),
    /// Mail domains that lead to an organisation's identity provider.
    #[command(subcommand)]
    Domain(DomainCommand),
    /// Relations: who may find and reach whom.
    #[command(subcommand)]
    Relation(relation::RelationCommand),
    /// Keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// The web application firewall: explain a request, run a rule set's tests, the feed of rule sets.
    #[command(subcommand)]
    Waf(waf::WafCommand),
    /// Read the policy file again without dropping a request.
    Reload {
        #[command(flatten)]
        place: Place,
    },
    /// What a running instance says of itself.
    Status {
        #[command(flatten)]
        place: Place,
    },
}

impl Command {
    /// What is logged unless `SEKISHO_LOG` says otherwise. A rehearsal is meant to be refused and to fail: what it says of
    /// that is in the steps.
    pub const fn log_level(&self) -> &'static str {
        if matches!(self, Self::Prove(_)) { "off" } else { "warn" }
    }
}

/// A new organisation.
#[derive(Clone, Debug, Args)]
pub struct NewTenant {
    /// Its name.
    #[arg(long = "tenant", value_name = "NAME")]
    pub name: String,
    /// Host name of its sign-in, console and API.
    #[arg(long, value_name = "HOST")]
    pub console_host: String,
    /// Host name of its application.
    #[arg(long, value_name = "HOST")]
    pub app_host: String,
}

/// `sekisho policy …`
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Read a policy and name everything that is wrong with it.
    Check {
        /// The policy file.
        file: PathBuf,
    },
    /// The commented reference of every setting, itself a policy file.
    Explain,
    /// The JSON Schema of the policy file.
    Schema,
    /// A shipped profile as a policy file.
    Profile {
        /// `mist`, `netmeister`, `moxtra`, `dxsuite` or `idoperation`.
        name: String,
    },
}

/// `sekisho prove …`
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// Rehearse this policy instead of the five shipped profiles.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Also probe the instance that serves this data directory, and enter the evidence in its ledger.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Take each probe's own control out: every probe must say `broken`.
    #[arg(long, conflicts_with = "data")]
    pub negative: bool,
    /// Only these claims.
    #[arg(long = "claim", value_name = "ID")]
    pub claims: Vec<String>,
    /// Print JSON instead of the table.
    #[arg(long)]
    pub json: bool,
    /// Write JUnit XML to this file too.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Rehearse on PostgreSQL instead of the embedded database: a file (0600) with the connection string of a role that may
    /// make databases and roles. What a rehearsal makes there goes with it.
    #[arg(long, value_name = "FILE")]
    pub postgres: Option<PathBuf>,
    /// The Chromium that acts as a person's browser. Without it, one on the PATH is used; where there is none, the steps that
    /// need one are named absent.
    #[arg(long, value_name = "PROGRAM", env = "SEKISHO_CHROMIUM")]
    pub chromium: Option<PathBuf>,
    /// How many rehearsals run at the same time.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub at_once: u8,
    /// With `--negative`: print for each control taken out which of all probes turn with it.
    #[arg(long, requires = "negative")]
    pub matrix: bool,
    /// With `--matrix`: only these controls.
    #[arg(long = "control", value_name = "CONTROL", requires = "matrix")]
    pub controls: Vec<String>,
}

/// Format of the paper.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PaperFormat {
    /// One self-contained page.
    Html,
    /// Markdown.
    Md,
}

/// `sekisho ledger …`
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Verify the log of a data directory (serving or copied) or of a downloaded export.
    Verify {
        /// The data directory, or a copy of one.
        #[arg(long, value_name = "DIR", default_value = "sekisho-data", env = "SEKISHO_DATA")]
        data: PathBuf,
        /// A downloaded log instead; needs no server.
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
        /// The newest checkpoints kept outside the database. Without it `DIR.checkpoints` where it exists.
        #[arg(long, value_name = "FILE")]
        anchor: Option<PathBuf>,
        /// The log's verifier key (`name+hash+key`), as the recovery sheet prints it; otherwise the one in the data is trusted, and the report says so.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// The root key file, to check bodies too.
        #[arg(long, value_name = "FILE", env = "SEKISHO_ROOT_KEY")]
        root_key: Option<PathBuf>,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write an organisation's whole log, with its proof, to a file.
    Export {
        #[command(flatten)]
        place: Place,
        /// The organisation's id (`ten_…`), or `platform`.
        #[arg(long)]
        tenant: String,
        /// The file.
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
}

/// `sekisho tenant …`
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Make an organisation and its first administrator's link.
    Create {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        tenant: NewTenant,
        /// Write the administrator's link to this file (0600) instead of the terminal.
        #[arg(long, value_name = "FILE")]
        link_file: Option<PathBuf>,
    },
    /// Organisations and their host names.
    List {
        #[command(flatten)]
        place: Place,
    },
}

/// `sekisho admin …`
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// A new one-time link for an organisation's administrator who is locked out for good.
    Recover {
        #[command(flatten)]
        place: Place,
        /// The organisation's id (`ten_…`).
        #[arg(long)]
        tenant: String,
        /// Write the link to this file (0600) instead of the terminal.
        #[arg(long, value_name = "FILE")]
        link_file: Option<PathBuf>,
    },
}

/// `sekisho user …`
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Unlock an account before its time.
    Unlock {
        #[command(flatten)]
        place: Place,
        /// The organisation's id (`ten_…`).
        #[arg(long)]
        tenant: String,
        /// The sign-in name.
        #[arg(long)]
        name: String,
    },
}

/// `sekisho domain …`
#[derive(Debug, Subcommand)]
pub enum DomainCommand {
    /// Vouch, as the operator, that an organisation controls a mail domain it has registered: the DNS record is not asked for.
    Verify {
        #[command(flatten)]
        place: Place,
        /// The organisation's id (`ten_…`).
        #[arg(long)]
        tenant: String,
        /// The domain, such as `example.co.jp`.
        #[arg(long)]
        domain: String,
    },
}

/// `sekisho key …`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Give an organisation a new key version and wrap its keys anew.
    Rotate {
        #[command(flatten)]
        place: Place,
        /// The organisation's id (`ten_…`).
        #[arg(long)]
        tenant: String,
    },
    /// Make a new key sign an organisation's ID tokens and security signals at once.
    Turn {
        #[command(flatten)]
        place: Place,
        /// The organisation's id (`ten_…`).
        #[arg(long)]
        tenant: String,
        /// One may have leaked: the keys before are withdrawn, and nobody takes what they have signed any more.
        #[arg(long)]
        withdraw: bool,
    },
    /// Destroy an organisation's key: its data can never be read again, in no backup either.
    Shred {
        #[command(flatten)]
        place: Place,
        /// The organisation's id (`ten_…`).
        #[arg(long)]
        tenant: String,
        /// The organisation's name, typed again to be sure.
        #[arg(long)]
        confirm: String,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_line_can_be_built() {
        Cli::command().debug_assert();
        for line in
            ["paper --lang ja --format html", "paper --lang en --format md", "prove --negative --json", "ledger verify"]
        {
            let words = std::iter::once("sekisho").chain(line.split(' '));
            assert!(Cli::try_parse_from(words).is_ok(), "{line}");
        }
    }
}
