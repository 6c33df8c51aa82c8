//! What one control's folder declares, as one value.

use sekisho_kernel::{
    Setting, Text,
    claim::{ClaimSpec, Control, PaperText, Probe},
};

/// Seconds of a day: how long a finding stays fresh where the probe also runs live.
pub(crate) const DAY: u64 = 86_400;
/// Seconds of a week: how long a finding stays fresh where only a rehearsal can look. A new build or another policy
/// makes it stale at once.
pub(crate) const WEEK: u64 = 7 * DAY;

/// A control: everything its folder declares. Help, schema, paper and proofs are derived from this value.
#[derive(Debug)]
pub struct Declared {
    /// The policy section's name, which is the folder's.
    pub section: &'static str,
    /// One sentence for people.
    pub text: Text,
    /// Its settings.
    pub settings: &'static [&'static Setting],
    /// The claims it keeps.
    pub claims: &'static [&'static ClaimSpec],
    /// Makes its probes.
    pub probes: fn() -> Vec<Box<dyn Probe>>,
    /// Its part of the paper.
    pub paper: &'static PaperText,
}

impl Control for &'static Declared {
    fn section(&self) -> &'static str {
        self.section
    }
    fn text(&self) -> Text {
        self.text.clone()
    }
    fn settings(&self) -> &'static [&'static Setting] {
        self.settings
    }
    fn probes(&self) -> Vec<Box<dyn Probe>> {
        (self.probes)()
    }
    fn paper(&self) -> &'static PaperText {
        self.paper
    }
}
