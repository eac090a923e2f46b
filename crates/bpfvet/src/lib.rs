//! The eBPF verifier outside the kernel: would this program load, on this host, and if not, why?
//!
//! **Invariant.** This crate is a door. It joins the layers in the order in which the host looks at a program, and knows no rule
//! of its own.
//!
//! ```
//! use bpfvet::{Verifier, insn::Program, linux::Linux, platform::{LoadRequest, ProgramType}};
//!
//! // r0 = 2; exit
//! let bytes = [0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];
//! let program = Program::decode(&bytes)?;
//! let request = LoadRequest::new("pass", ProgramType::XDP, program);
//!
//! let linux = Linux::newest();
//! let accepted = Verifier::new(&linux).verify(&request).expect("it returns XDP_PASS");
//! assert_eq!(accepted.stats.insns_processed, 2);
//! # Ok::<(), bpfvet::insn::DecodeError>(())
//! ```
//!
//! # A verifier for a runtime of one's own
//!
//! Whoever runs eBPF somewhere else answers the questions of a [`Platform`](platform::Platform): features, limits, contexts,
//! helpers, maps. What is not answered is not allowed.
//!
//! ```
//! use bpfvet::platform::*;
//! use bpfvet::{RejectionCause, Verifier, asm};
//!
//! /// Programs that look at an order and say whether to keep it.
//! #[derive(Debug)]
//! struct Shop {
//!     features: Features,
//!     filter: ProgramTypeInfo,
//!     stock: HelperProto,
//! }
//!
//! const FILTER: ProgramType = ProgramType(1);
//!
//! impl Shop {
//!     fn new() -> Self {
//!         let fields = vec![
//!             CtxField::scalar("item", 0, 4, CtxRule::Exact, CtxRule::Denied),
//!             CtxField::scalar("amount", 4, 4, CtxRule::Exact, CtxRule::Exact),
//!         ];
//!         let order = CtxLayout { name: "order".into(), size: 8, fields: fields.into(), aligned: true };
//!         let item = ArgSpec::of(ArgKind::Anything);
//!         Self {
//!             features: Features::ALL.without(Feature::Arena),
//!             filter: ProgramTypeInfo::plain(FILTER, CtxKind::Layout(order)),
//!             stock: HelperProto::new(HelperId(1), "stock", &[item], RetSpec::of(RetKind::Integer)),
//!         }
//!     }
//! }
//!
//! impl Platform for Shop {
//!     fn name(&self) -> &str { "shop" }
//!     fn features(&self) -> &Features { &self.features }
//!     fn limits(&self, _: Privilege) -> Limits { Limits { program_len: 256, maps: 0, ..Limits::MODEST } }
//!     fn program_type(&self, kind: ProgramType) -> Option<&ProgramTypeInfo> {
//!         (kind == FILTER).then_some(&self.filter)
//!     }
//!     fn helper(&self, id: HelperId, _: &LoadRequest) -> HelperLookup<'_> {
//!         if id == self.stock.id { HelperLookup::Allowed(&self.stock) } else { HelperLookup::Unknown }
//!     }
//!     fn map_kind(&self, _: MapKind) -> Option<&MapKindInfo> { None }
//!     fn map_allows_helper(&self, _: MapKind, _: HelperId) -> bool { false }
//!     fn return_rule(&self, _: &LoadRequest) -> ReturnRule { ReturnRule::Range { min: 0, max: 1, low_half: false } }
//! }
//!
//! let shop = Shop::new();
//! let verify = |text: &str| {
//!     let program = asm::assemble(text, &asm::NoSymbols).expect("a program").program;
//!     Verifier::new(&shop).verify(&LoadRequest::new("filter", FILTER, program))
//! };
//! assert!(verify("r1 = *(u32 *)(r1 + 0); call 1; r0 &= 1; exit").is_ok());
//! // The stock may be any number, and only 0 and 1 may be returned.
//! let rejection = verify("r1 = *(u32 *)(r1 + 0); call 1; exit").unwrap_err();
//! let RejectionCause::Violation(violation) = &rejection.cause else { panic!("{rejection:?}") };
//! assert_eq!((violation.at.0, violation.cause.code()), (2, "policy::return-value"));
//! ```
//!
//! # A rule of one's own, before any value is known
//!
//! A [`Pass`] goes along. Here it is all there is: instructions are decoded, the form is computed, and no path is walked.
//!
//! ```
//! use bpfvet::{Pass, RejectionCause, Verifier, asm, cfg::Graph, linux::Linux, report};
//! use bpfvet::platform::{LoadRequest, ProgramType};
//!
//! /// Our hardware cannot jump back.
//! struct NoLoops;
//!
//! impl Pass for NoLoops {
//!     fn graph(&self, _: &LoadRequest, graph: &Graph) -> Result<(), RejectionCause> {
//!         match graph.program().iter().find(|(at, _)| graph.scc(*at) != 0) {
//!             Some((at, _)) => {
//!                 Err(RejectionCause::Pass { at: Some(at), code: "hardware::loop", what: "jumps back".into() })
//!             }
//!             None => Ok(()),
//!         }
//!     }
//! }
//!
//! let linux = Linux::newest();
//! let lint = Verifier::builder(&linux).pass(NoLoops).build();
//! let analyze = |text: &str| {
//!     let program = asm::assemble(text, &asm::NoSymbols).expect("a program").program;
//!     lint.analyze(&LoadRequest::new("packet", ProgramType::XDP, program))
//! };
//! assert_eq!(analyze("r0 = 1; exit").expect("no loop").blocks().len(), 1);
//! let refused = analyze("r0 = 0; a: r0 += 1; if r0 < 9 goto a; exit").expect_err("the pass refuses it");
//! assert_eq!(report::code(&refused), "hardware::loop");
//! ```
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod pass;
mod verifier;

pub use bpfvet_asm as asm;
pub use bpfvet_btf as btf;
pub use bpfvet_cfg as cfg;
pub use bpfvet_domain as domain;
pub use bpfvet_elf as elf;
pub use bpfvet_explore as explore;
pub use bpfvet_insn as insn;
pub use bpfvet_linux as linux;
pub use bpfvet_platform as platform;
pub use bpfvet_report as report;
pub use bpfvet_vm as vm;

pub use pass::Pass;
pub use verifier::{Builder, Verifier};

pub use bpfvet_explore::{Accepted, Rejection, RejectionCause};
