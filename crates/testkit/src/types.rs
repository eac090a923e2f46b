//! Types as text: a few declarations in the manner of C become BTF, for programs of the corpus that need a kernel's types or their
//! own.
//!
//! ```text
//! struct task { int pid; struct task *parent; char name[16]; };
//! typedef void (*btf_trace_fork)(void *, struct task *parent, struct task *child);
//! int traced(struct task *one, long many);                // global
//! static int helper(struct task *one __arg_nullable);     // a tag on an argument: `arg:nullable`
//! int main(void *ctx) __tag("exception_callback:thrown"); // a tag on the function
//! struct value { struct task __kptr *kept; };             // a tag on what a pointer points to: `kptr`
//! ```
//!
//! Members lie where a compiler for 64 bits would put them. A structure must be declared before another holds it; pointers may
//! name any.

mod build;
mod read;

pub use build::Builder;
pub use read::{Error, declarations};
