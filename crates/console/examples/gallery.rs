//! Writes every page, in both languages, as files that a browser opens: `cargo run --example gallery -- DIR`.

#[path = "../tests/it/samples.rs"]
mod samples;

use std::{fs, io, path::PathBuf};

fn main() -> io::Result<()> {
    let dir = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/gallery".into()));
    fs::create_dir_all(dir.join("assets"))?;
    fs::write(dir.join("assets/console.css"), sekisho_console::STYLE)?;
    fs::write(dir.join("assets/console.js"), sekisho_console::SCRIPT)?;
    fs::write(dir.join("assets/mark.svg"), sekisho_console::MARK)?;
    for lang in sekisho_kernel::Lang::ALL {
        for (name, html) in samples::pages(lang) {
            for theme in ["light", "dark"] {
                let themed = html.replacen("<html ", &format!("<html data-theme=\"{theme}\" "), 1);
                fs::write(dir.join(format!("{name}.{}.{theme}.html", lang.tag())), themed)?;
            }
        }
    }
    Ok(())
}
