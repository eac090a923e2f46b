//! Inputs made to take too long or too much: each ends within a budget that is counted, not timed.

mod killers {
    mod bytes;
    mod paths;
}
