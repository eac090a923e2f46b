//! The arguments.

use std::path::PathBuf;

use clap::{Args as Group, Parser, Subcommand, ValueEnum};

use crate::check::Key;

/// Would this eBPF program load, on these kernels, and if not, why?
#[derive(Debug, Parser)]
#[command(
    name = "bpfvet",
    version,
    after_help = "Exit status: 0 all accepted; 1 something was rejected; 2 something could not be decided \
                  (usage, unreadable, unsupported). With --compare, verdicts that are as they were do not count."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Verify every program of every object
    Check(Check),
    /// Print the instructions of every program
    Disasm(Show),
    /// Print the functions, blocks and loops of every program
    Cfg(Cfg),
    /// Tell what a code such as memory::out-of-bounds means, and the usual cure
    Explain {
        /// The code; without one, all of them are listed
        code: Option<String>,
    },
    /// List the kernels that can be asked, and what is known of them
    Kernels,
}

#[derive(Debug, Group)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) host: Host,
    #[command(flatten)]
    pub(crate) programs: Programs,
    /// Print the kernel's log with these bits: 1 paths to the failure, 2 everything, 4 statistics
    #[arg(long, value_name = "0..6", value_parser = clap::value_parser!(u32).range(0..=7))]
    pub(crate) log_level: Option<u32>,
    /// How to answer [default: human; log where --log-level is given]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// End with a table of what every verification cost, as veristat's
    #[arg(long)]
    pub(crate) stats: bool,
    /// Save verdicts and costs, for a later --compare: the lines of --format json
    #[arg(long, value_name = "FILE")]
    pub(crate) stats_json: Option<PathBuf>,
    /// End with a table of this run (B) beside an earlier one (A); the exit status is then about what changed
    #[arg(long, value_name = "OLD")]
    pub(crate) compare: Option<PathBuf>,
    /// Order the table by these: file, prog, kernel, verdict, duration, insns, states, peak_states, max_states_per_insn or stack;
    /// in comparisons also with _a, _b, _diff, _pct and as |absolute|; `^` behind it is ascending, `v` descending
    #[arg(long, value_name = "KEY[,KEY...]", value_delimiter = ',')]
    pub(crate) sort: Vec<Key>,
}

/// How verdicts are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Human,
    /// One object per line, per program and kernel
    Json,
    /// The kernel's own log
    Log,
}

#[derive(Debug, Group)]
pub(crate) struct Show {
    #[command(flatten)]
    pub(crate) programs: Programs,
    /// Kernel BTF; default: that of the running system, if any
    #[arg(long, value_name = "FILE")]
    pub(crate) btf: Option<PathBuf>,
}

#[derive(Debug, Group)]
pub(crate) struct Cfg {
    /// As a picture in the language of Graphviz
    #[arg(long)]
    pub(crate) dot: bool,
    #[command(flatten)]
    pub(crate) show: Show,
}

/// What is asked.
#[derive(Debug, Group)]
pub(crate) struct Host {
    /// Kernels, e.g. 5.10,6.1,6.12,7.3 or all; default: the newest
    #[arg(long, value_name = "V[,V...]", value_delimiter = ',')]
    pub(crate) kernel: Vec<String>,
    /// Kernel BTF; default: that of the running system, if any
    #[arg(long, value_name = "FILE")]
    pub(crate) btf: Option<PathBuf>,
    /// Kernel configuration, lines of the form CONFIG_X=y; default: not known, any value is considered
    #[arg(long, value_name = "FILE")]
    pub(crate) kconfig: Option<PathBuf>,
    /// Without CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN
    #[arg(long)]
    pub(crate) unprivileged: bool,
}

/// What it is asked about.
#[derive(Debug, Group)]
pub(crate) struct Programs {
    /// Object files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Only programs of this name; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) program: Vec<String>,
    /// The program type, as libbpf names types or sections (xdp, sched_cls, cgroup/connect4), instead of what the section says
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// The files are raw little-endian instructions, 8 bytes each; needs --type
    #[arg(long)]
    pub(crate) raw: bool,
}
