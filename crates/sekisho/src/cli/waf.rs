//! `sekisho waf …`

use std::path::PathBuf;

use clap::Subcommand;

use super::Place;

/// The web application firewall.
#[derive(Debug, Subcommand)]
pub enum WafCommand {
    /// Explain what the rules make of a request: which match, on what, why, and the score.
    Check {
        /// The request as text: request line, header fields, an empty line, the body.
        request: PathBuf,
        /// A rule set's folder (`crs-setup.conf.example` and `rules/`, or Debian's package). Without it the rules that come with Sekisho.
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
        /// Rules of one's own in SecLang, beside them.
        #[arg(long, value_name = "FILE")]
        own: Option<PathBuf>,
        /// The paranoia level.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
        paranoia: u8,
        /// Also list rules that match and only steer others.
        #[arg(long)]
        all: bool,
    },
    /// Run a rule set's own tests in the format of go-ftw. The last line says `N passed, N failed, N overridden`.
    Test {
        /// The folder of the tests, with its subfolders.
        tests: PathBuf,
        /// The rule set's folder (`crs-setup.conf.example` and `rules/`, or Debian's package).
        #[arg(long, value_name = "DIR")]
        rules: PathBuf,
        /// Tests that need not pass, one a line: `name: reason`. Without it those of the Core Rule Set that only a server's own refusal satisfies.
        #[arg(long, value_name = "FILE")]
        overrides: Option<PathBuf>,
    },
    /// The feed of signed rule sets.
    #[command(subcommand)]
    Feed(FeedCommand),
}

/// `sekisho waf feed …`
#[derive(Debug, Subcommand)]
pub enum FeedCommand {
    /// Print the public key of a signing key; make the key where there is none yet.
    Key {
        /// The file of the secret key (0600).
        file: PathBuf,
    },
    /// Sign the rule set of a folder (`rules/*.conf`, `tests/**/*.yaml`) into an archive for the feed.
    Sign {
        /// The folder.
        dir: PathBuf,
        /// The file of the secret key.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The set's name.
        #[arg(long)]
        name: String,
        /// The set's number; higher is newer.
        #[arg(long)]
        number: u64,
        /// The set stands alone; without it, it is loaded beside the rules that come with Sekisho.
        #[arg(long)]
        whole: bool,
        /// The archive. Its name must end in `.sekisho-rules`; an https feed serves it as `latest.sekisho-rules`.
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
    /// Ask the feed now.
    Fetch {
        #[command(flatten)]
        place: Place,
    },
    /// The rule set in force and its age.
    Status {
        #[command(flatten)]
        place: Place,
    },
}
