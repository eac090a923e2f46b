//! Callbacks: a function of the program that a helper runs, now or later.
//!
//! ```text
//!  call ──▶ (fork) callback's frame ──▶ its exit ──▶ the call again, one round deeper
//!    └────▶ the helper is done: the instruction after the call
//! ```

use super::{subprog, touch_all};
use crate::State;
use crate::cx::Cx;
use crate::effects::{Fork, ForkKind};
use crate::failure::Check;
use crate::fault::{self, Fault};
use crate::state::Frame;
use bpfvet_domain::Domain;

/// Puts aside a state in which the helper has called the function, and goes on as if it had returned for good.
/// (`push_callback_call`)
pub(super) fn run<'a, 'f, D: Domain>(
    cx: &mut Cx<'a, 'f, D>,
    state: &mut State<D>,
    subprog: u32,
    setup: impl FnOnce(&mut Cx<'a, 'f, D>, &Frame<D>, &mut Frame<D>) -> Check<()>,
) -> Check<()> {
    // The caller's own arguments are compared, which says nothing of a callback but is remembered.
    let _ = subprog::compare_arguments(cx, state, subprog)?;
    let start = subprog::start(cx, subprog)?;
    subprog::check_depth(cx, state)?;
    let mut called = state.clone();
    let at = called.depth();
    let mut callee = Frame::new(at.saturating_add(1), subprog, Some(cx.at));
    setup(cx, called.top(), &mut callee)?;
    let caller = called.frame_mut(at);
    caller.callback_depth = caller.callback_depth.saturating_add(1);
    called.push(callee);
    touch_all(cx);
    cx.fx.forks.push(Fork { state: called, at: start, kind: ForkKind::Callback });
    state.top_mut().callback_depth = 0;
    Ok(())
}

/// Puts aside a root state in which the host runs the function on its own. (`push_async_cb`)
pub(super) fn run_later<'a, 'f, D: Domain>(
    cx: &mut Cx<'a, 'f, D>,
    state: &mut State<D>,
    subprog: u32,
    sleepable: bool,
    setup: impl FnOnce(&mut Cx<'a, 'f, D>, &Frame<D>, &mut Frame<D>) -> Check<()>,
) -> Check<()> {
    // The caller's own arguments are compared, which says nothing of a callback but is remembered.
    let _ = subprog::compare_arguments(cx, state, subprog)?;
    let start = subprog::start(cx, subprog)?;
    let mut callee = Frame::new(0, subprog, None);
    callee.async_depth = state.top().async_depth.saturating_add(1);
    setup(cx, state.top(), &mut callee)?;
    touch_all(cx);
    if fault::on(Fault::AsyncCallbackSkipped) {
        return Ok(());
    }
    cx.fx.forks.push(Fork { state: State::new(callee, sleepable), at: start, kind: ForkKind::AsyncCallback });
    Ok(())
}
