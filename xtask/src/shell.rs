//! Running other programs, and saying in one sentence what is missing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    static ROOT: std::sync::LazyLock<PathBuf> = std::sync::LazyLock::new(|| {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        manifest.parent().unwrap_or(manifest).to_path_buf()
    });
    &ROOT
}

/// Runs `command`, its output going to the terminal; an error if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// What `command` prints on its standard output; its complaints are part of the error if it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = shown(command);
    let result = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{shown}`"))?;
    if !result.status.success() {
        let complaint = String::from_utf8_lossy(&result.stderr);
        let lines: Vec<&str> = complaint.trim().lines().collect();
        let tail = lines.get(lines.len().saturating_sub(12)..).unwrap_or_default().join("\n");
        bail!("`{shown}` failed ({}): {tail}", result.status);
    }
    Ok(String::from_utf8_lossy(&result.stdout).into_owned())
}

fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    if text.len() > 240 {
        text.truncate(text.floor_char_boundary(240));
        text.push('…');
    }
    text
}
