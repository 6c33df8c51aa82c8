//! Breached passwords from a file, in bounded memory: five bytes of each one's SHA-1, sorted.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use sekisho_kernel::{Problem, Secret};

use crate::{boxed, problems::BREACHED_LIST};

/// Most passwords in a list: 40 MB of memory.
pub const MOST: usize = 8_000_000;
/// Longest line that counts.
const LONGEST_LINE: u64 = 4_096;
/// Bytes kept of each hash. With [`MOST`] entries a password is taken for breached by chance once in 137,000.
const KEPT: usize = 5;

type Mark = [u8; KEPT];

/// A list, loaded.
pub struct List(Vec<Mark>);

impl List {
    /// Reads a file of plain passwords or of SHA-1 hex (`HASH` or `HASH:COUNT`), one a line.
    ///
    /// # Errors
    /// `SK-4006` when it cannot be read, is not UTF-8 where it matters, or is longer than [`MOST`].
    pub fn load(path: &Path) -> Result<Self, Problem> {
        let broken =
            |why: &dyn std::fmt::Display| Problem::new(&BREACHED_LIST).log(format!("{}: {why}", path.display()));
        let mut lines = BufReader::new(File::open(path).map_err(|e| broken(&e))?);
        let (mut marks, mut line) = (Vec::new(), Vec::new());
        loop {
            line.clear();
            let n = (&mut lines).take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(|e| broken(&e))?;
            if n == 0 {
                break;
            }
            while line.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
                line.pop();
            }
            if line.is_empty() {
                continue;
            }
            if marks.len() == MOST {
                return Err(broken(&format!("more than {MOST} lines")));
            }
            marks.push(listed(&line).unwrap_or_else(|| mark(&line)));
        }
        marks.sort_unstable();
        marks.dedup();
        marks.shrink_to_fit();
        Ok(Self(marks))
    }

    /// Whether the password is on the list, as it is or in lower case.
    pub fn has(&self, password: &Secret<String>) -> bool {
        let text = password.reveal();
        let lower = Secret::new(text.to_lowercase());
        [text, lower.reveal()].iter().any(|t| self.0.binary_search(&mark(t.as_bytes())).is_ok())
    }
}

fn mark(plain: &[u8]) -> Mark {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, plain);
    let mut out = [0; KEPT];
    out.copy_from_slice(&digest.as_ref()[..KEPT]);
    out
}

/// A line of the Pwned Passwords download.
fn listed(line: &[u8]) -> Option<Mark> {
    let hash = line.get(..40)?;
    if line.get(40).is_some_and(|b| *b != b':') {
        return None;
    }
    let mut whole = [0; 20];
    hex::decode_to_slice(hash, &mut whole).ok()?;
    let mut out = [0; KEPT];
    out.copy_from_slice(&whole[..KEPT]);
    Some(out)
}

/// The lists in use, each read once.
#[derive(Default)]
pub struct Lists(Mutex<HashMap<String, Arc<List>>>);

impl Lists {
    /// The list at `path`, read on a thread that may block.
    ///
    /// # Errors
    /// As [`List::load`].
    #[boxed]
    pub async fn get(&self, path: &str) -> Result<Arc<List>, Problem> {
        if let Some(list) = self.lock().get(path) {
            return Ok(list.clone());
        }
        let at = path.to_owned();
        let list = tokio::task::spawn_blocking(move || List::load(Path::new(&at)))
            .await
            .unwrap_or_else(|e| Err(Problem::new(&BREACHED_LIST).log(e)))?;
        let list = Arc::new(list);
        self.lock().insert(path.to_owned(), list.clone());
        Ok(list)
    }

    /// Reads every file anew from now on.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<List>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(content: &[u8]) -> Result<List, Problem> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        List::load(file.path())
    }

    fn has(list: &List, text: &str) -> bool {
        list.has(&Secret::new(text.to_owned()))
    }

    #[test]
    fn plain_and_hashed_lines_are_both_found() {
        // SHA-1 of "password" and of "letmein", the second with a count and in lower case.
        let text =
            b"hunter2\r\n5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:99\n\nb7a875fc1ea228b9061041b7cec4bd3c52ab3ce3\n";
        let list = list(text).unwrap();
        for found in ["hunter2", "password", "letmein", "Hunter2", "PASSWORD"] {
            assert!(has(&list, found), "{found}");
        }
        for absent in ["hunter3", "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8", ""] {
            assert!(!has(&list, absent), "{absent}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_refuses_every_password() {
        let missing = List::load(Path::new("/nonexistent/list")).err().unwrap();
        assert!(missing.is(&BREACHED_LIST));
        assert!(!missing.message(sekisho_kernel::Lang::En).contains("/nonexistent"), "the path is for the log");
    }

    #[test]
    fn lines_that_are_not_text_or_far_too_long_do_no_harm() {
        let mut text = vec![b'x'; 1 << 20];
        text.extend(b"\n\xff\xfe\nhunter2");
        assert!(has(&list(&text).unwrap(), "hunter2"));
    }
}
