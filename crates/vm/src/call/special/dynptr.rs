//! `dynptr_from_mem`: what a dynamic pointer may be made of.

use bpfvet_domain::Domain;
use bpfvet_insn::Reg;

use crate::State;
use crate::failure::Check;
use crate::value::{Base, TypeTag};
use crate::violation::DynptrCause;

/// It is a value in a map, which lives on whatever the program does.
pub(super) fn check_memory<D: Domain>(state: &State<D>) -> Check<()> {
    let tag = state.reg(Reg::R1).tag();
    if tag == TypeTag::of(Base::MapValue) { Ok(()) } else { Err(DynptrCause::Memory { tag }.into()) }
}
