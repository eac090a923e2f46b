//! The comments beside the lines: what must come out.
//!
//! ```text
//! r2 = *(u32 *)(r1 + 4)   ; r2: pkt_end()                            what r2 holds after the line
//! r0 = *(u8 *)(r2 + 0)    ; reject: memory::packet-end ; message: …  the program is refused there
//!                         ; reject(5.2): structure::back-edge        … by this kernel only
//! if r2 > r3 goto out     ; accept: memory::out-of-bounds            the program is accepted; without this line it would not be
//! ```

/// A comment that says what must come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// What a register or slot holds after the line, in the kernel's text; of several visits, each text once, in order.
    Holds {
        /// `r2`, `fp-8`
        place: String,
        text: String,
    },
    /// The code with which the program is refused.
    Reject { kernels: Vec<String>, code: String },
    /// The code with which the program would be refused, were it not for this line.
    Accept { code: String },
    /// A line of the kernel's message.
    Message { kernels: Vec<String>, text: String },
}

/// A line of a program without its comments, and the comments.
pub(super) fn split(line: &str) -> Result<(&str, Vec<Expect>), String> {
    let Some((code, comments)) = line.split_once(';') else { return Ok((line.trim_end(), Vec::new())) };
    let expects = comments.split(" ; ").map(|comment| one(comment.trim())).collect::<Result<_, _>>()?;
    Ok((code.trim_end(), expects))
}

fn one(comment: &str) -> Result<Expect, String> {
    let Some((key, text)) = comment.split_once(": ") else {
        return Err(format!("`{comment}` is not of the form `WHAT: TEXT`"));
    };
    let text = text.trim().to_owned();
    let (key, kernels) = match key.strip_suffix(')').and_then(|key| key.split_once('(')) {
        Some((key, kernels)) => (key, kernels.split(',').map(|kernel| kernel.trim().to_owned()).collect()),
        None => (key, Vec::new()),
    };
    let digits = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit());
    match key {
        "reject" => Ok(Expect::Reject { kernels, code: text }),
        "accept" => Ok(Expect::Accept { code: text }),
        "message" => Ok(Expect::Message { kernels, text }),
        _ if key.strip_prefix('r').is_some_and(digits) || key.strip_prefix("fp-").is_some_and(digits) => {
            Ok(Expect::Holds { place: key.to_owned(), text })
        }
        _ => {
            Err(format!("`{key}` is neither `reject`, `accept` nor `message`, nor a register, nor a slot of the stack"))
        }
    }
}

/// The comment again.
pub(super) fn print(expect: &Expect) -> String {
    let of = |kernels: &[String]| if kernels.is_empty() { String::new() } else { format!("({})", kernels.join(",")) };
    match expect {
        Expect::Holds { place, text } => format!("{place}: {text}"),
        Expect::Accept { code } => format!("accept: {code}"),
        Expect::Reject { kernels, code } => format!("reject{}: {code}", of(kernels)),
        Expect::Message { kernels, text } => format!("message{}: {text}", of(kernels)),
    }
}

#[cfg(test)]
mod tests {
    use super::{print, split};

    #[test]
    fn comments_are_read_and_written_alike() {
        let line = "r0 = 0  ; r0: 0 ; fp-8: mmmmmmmm ; accept: c::d ; reject(5.1,5.2): a::b ; message: R0 !read_ok";
        let (code, expects) = split(line).expect("a line");
        assert_eq!(code, "r0 = 0");
        let again: Vec<String> = expects.iter().map(print).collect();
        assert_eq!(again.join(" ; "), line.split_once("; ").expect("comments").1);
    }

    #[test]
    fn what_is_no_expectation_is_an_error() {
        for line in ["exit ; ends here", "exit ; rejected: x", "exit ; r: 1", "exit ;"] {
            assert!(split(line).is_err(), "{line}");
        }
    }
}
