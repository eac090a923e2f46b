//! A Markdown file as a list of programs.

use super::settings::Settings;

/// A program of the corpus, as it stands in its file.
#[derive(Clone, Debug)]
pub struct Program {
    /// The headings above it, from the file's own down.
    pub name: String,
    /// The line of its first instruction in the file, from 1.
    pub line: usize,
    /// The text of its block.
    pub text: String,
    /// Its block holds bytes, not instructions.
    pub(super) is_hex: bool,
    pub(super) settings: Settings,
}

/// The programs of a file.
///
/// # Errors
///
/// What is wrong with the file, with the line.
pub fn programs(text: &str) -> Result<Vec<Program>, String> {
    let mut programs: Vec<Program> = Vec::new();
    // Headings from the outermost in, each with what holds below it.
    let mut headings: Vec<(usize, String, Settings)> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some((level, title)) = heading(line) {
            headings.retain(|(other, _, _)| *other < level);
            let above = headings.last().map(|(_, _, settings)| settings.clone()).unwrap_or_default();
            headings.push((level, title.to_owned(), above));
            continue;
        }
        let Some(language) = line.strip_prefix("```") else { continue };
        let mut block = String::new();
        loop {
            let Some((_, line)) = lines.next() else { return Err(format!("line {}: the block has no end", at + 1)) };
            if line.trim_end() == "```" {
                break;
            }
            block.push_str(line);
            block.push('\n');
        }
        let Some((_, title, settings)) = headings.last_mut() else {
            return Err(format!("line {}: a block before the first heading", at + 1));
        };
        match language.trim() {
            "toml" => {
                let said = Settings::parse(&block).map_err(|error| format!("line {}: {error}", at + 1))?;
                *settings = said.over(settings);
            }
            "kernel" => settings.kernel_types = Some(block),
            "types" => settings.own_types = Some(block),
            "bpf" | "hex" => {
                let is_hex = language.trim() == "hex";
                let settings = settings.clone();
                let title = title.clone();
                let above = headings.iter().skip(1).map(|(_, title, _)| title.as_str());
                let name = if headings.len() > 1 { above.collect::<Vec<_>>().join(": ") } else { title };
                if programs.iter().any(|other| other.name == name) {
                    return Err(format!("line {}: a second program under the heading `{name}`", at + 1));
                }
                programs.push(Program { name, line: at + 2, text: block, is_hex, settings });
            }
            // Text for people.
            "" | "text" => {}
            other => {
                let known = "`toml`, `kernel`, `types`, `bpf`, `hex`, `text`";
                return Err(format!("line {}: a block of `{other}`: known are {known}", at + 1));
            }
        }
    }
    Ok(programs)
}

/// Rank and text of a heading.
fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    (level > 0 && title.starts_with(' ')).then(|| (level, title.trim()))
}

#[cfg(test)]
mod tests {
    use super::programs;

    #[test]
    fn what_is_said_above_holds_below() {
        let text = "# A\n```toml\nprogram = \"xdp\"\n```\n## b\n```toml\nkernel = [\"5.4\"]\n```\n```bpf\nexit\n```\n\
                    ## c\n```bpf\nr0 = 0\n```\n";
        let found = programs(text).expect("a file");
        let [b, c] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((b.name.as_str(), b.line, b.settings.kernels().len()), ("b", 10, 1));
        assert_eq!((c.name.as_str(), c.line, c.settings.kernels().len()), ("c", 14, 0));
        assert!(c.settings.place(None).is_ok());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, part) in [
            ("# A\n```bpf\n", "line 2"),
            ("# A\n```c\n```\n", "line 2"),
            ("```bpf\n```\n", "line 1"),
            ("# A\n```bpf\n```\n```bpf\n```\n", "line 4"),
            ("# A\n```toml\nprogramm = 1\n```\n", "line 2"),
        ] {
            let error = programs(text).expect_err(text);
            assert!(error.contains(part), "{error}");
        }
    }
}
