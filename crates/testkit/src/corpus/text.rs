//! The text of a block as a loader's input: instructions, some of them repeated, or bytes.

use std::collections::BTreeMap;

use bpfvet::asm::{Image, Resolver, assemble_bytes};
use bpfvet::insn::InsnIdx;

use super::expect::{self, Expect};

/// Most lines that a block may grow to.
const LINES: usize = 1 << 17;

/// A block without its comments.
pub(super) struct Text {
    pub(super) code: String,
    /// Of each line of the code, the line in the block that it comes from.
    from: Vec<u32>,
    /// What must come out, with the line in the block, from 1.
    pub(super) expects: Vec<(u32, Expect)>,
}

impl Text {
    /// Takes the comments off, and repeats what stands between `.rept COUNT` and `.endr`; `\+` there is the number of the round,
    /// from 0.
    pub(super) fn read(block: &str) -> Result<Self, String> {
        let mut text = Self { code: String::new(), from: Vec::new(), expects: Vec::new() };
        // How often, and what.
        let mut repeated: Option<(u32, Vec<(u32, String)>)> = None;
        for (number, line) in (1..).zip(block.lines()) {
            let (line, found) = expect::split(line).map_err(|error| format!("line {number}: {error}"))?;
            text.expects.extend(found.into_iter().map(|expect| (number, expect)));
            if let Some(count) = line.trim().strip_prefix(".rept ") {
                let count = count.trim().parse().map_err(|_| format!("line {number}: how often?"))?;
                repeated = Some((count, Vec::new()));
            } else if line.trim() == ".endr" {
                let (count, lines) = repeated.take().ok_or_else(|| format!("line {number}: nothing is repeated"))?;
                for round in 0..count {
                    for (from, line) in &lines {
                        text.push(*from, &line.replace("\\+", &round.to_string()))?;
                    }
                }
            } else if let Some((_, lines)) = &mut repeated {
                lines.push((number, line.to_owned()));
            } else {
                text.push(number, line)?;
            }
        }
        if repeated.is_some() { Err("a `.rept` without `.endr`".to_owned()) } else { Ok(text) }
    }

    fn push(&mut self, from: u32, line: &str) -> Result<(), String> {
        self.from.push(from);
        self.code.push_str(line);
        self.code.push('\n');
        if self.from.len() > LINES { Err("too many lines".to_owned()) } else { Ok(()) }
    }

    /// The instructions as bytes.
    pub(super) fn assemble(&self, names: &dyn Resolver) -> Result<Image, String> {
        let mut image = assemble_bytes(&self.code, names).map_err(|error| format!("line {error}"))?;
        for (_, line) in &mut image.lines {
            *line = self.line(*line);
        }
        Ok(image)
    }

    fn line(&self, of_code: u32) -> u32 {
        self.from.get((of_code as usize).wrapping_sub(1)).copied().unwrap_or(of_code)
    }

    /// The bytes that the text writes down as pairs of digits.
    pub(super) fn bytes(&self) -> Result<Image, String> {
        let mut image = Image { bytes: Vec::new(), lines: Vec::new(), labels: BTreeMap::new() };
        for (number, line) in (1..).zip(self.code.lines()) {
            for pair in line.split_whitespace() {
                if image.bytes.len().is_multiple_of(8) {
                    let at = u32::try_from(image.bytes.len() / 8).unwrap_or(u32::MAX);
                    image.lines.push((InsnIdx(at), self.line(number)));
                }
                let byte = u8::from_str_radix(pair, 16).map_err(|_| format!("line {number}: `{pair}` is no byte"))?;
                image.bytes.push(byte);
            }
        }
        Ok(image)
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn what_is_repeated_comes_from_one_line() {
        let text = Text::read("r0 = 0\n.rept 2\nr0 += \\+ ; r0: 1\n.endr\nexit\n").expect("a text");
        assert_eq!(text.code, "r0 = 0\nr0 += 0\nr0 += 1\nexit\n");
        let image = text.assemble(&bpfvet::asm::NoSymbols).expect("a program");
        assert_eq!(image.lines.iter().map(|(_, line)| *line).collect::<Vec<_>>(), [1, 3, 3, 5]);
        assert!(Text::read(".rept 2\nexit").is_err() && Text::read(".endr").is_err());
    }

    #[test]
    fn bytes_know_their_slots() {
        let text = Text::read("b7 00 00 00 00 00 00 00\n95 00\n").expect("a text");
        let image = text.bytes().expect("bytes");
        assert_eq!((image.bytes.len(), image.lines.len()), (10, 2));
        assert!(Text::read("xyz").expect("a text").bytes().is_err());
    }
}
