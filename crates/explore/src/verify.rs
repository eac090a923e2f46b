//! From a load request to a verdict: the form, the entry function, the global functions, the stack.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use bpfvet_domain::Domain;

use bpfvet_cfg::{Graph, StackRules, check_stack_depth, may_have_private_stacks};
use bpfvet_insn::InsnIdx;
use bpfvet_platform::{KfuncLookup, LoadRequest, Platform};
use bpfvet_vm::{
    Attach, Facts, Failure, Prototype, State, SubprogFacts, Unsupported, entry_state, global_entry_state, kfuncs,
    prototype,
};

use crate::calls::{Calls, calls};
use crate::observer::Observer;
use crate::outcome::{Accepted, Rejection, RejectionCause, Stats};
use crate::policy::{Budget, Policy};
use crate::search::{Search, Stop};

/// How to search, and who watches.
#[derive(Debug, Default)]
pub struct Options {
    /// The search's heuristics.
    pub policy: Policy,
    /// What the caller is willing to spend.
    pub budget: Budget,
}

/// Whether the host would load the program.
///
/// `graph` is the program's form, from [`Graph::analyze`] with the same request and platform. What is known of numbers is what the domain `D`
/// can say: the host's, for the host's verdict.
///
/// # Errors
///
/// [`Rejection`]: the program would be refused, or it is not known whether it would; its cause tells which.
///
/// # Soundness
///
/// An acceptance means that every path of every function that can run was walked, or covered by one that was, and that none
/// broke a rule.
pub fn verify<D: Domain>(
    request: &LoadRequest,
    platform: &dyn Platform,
    graph: &Graph,
    options: &Options,
    observer: &mut dyn Observer<D>,
) -> Result<Accepted, Box<Rejection>> {
    let Some(kind) = platform.program_type(request.program_type) else {
        let cause = RejectionCause::Unsupported(Unsupported {
            at: InsnIdx(0),
            what: "this program type: the platform does not have it".into(),
        });
        return Err(Box::new(Rejection { cause, stats: Stats::default() }));
    };
    let attach = match Attach::resolve(request, platform) {
        Ok(attach) => attach,
        Err(what) => {
            let cause = RejectionCause::Unsupported(Unsupported { at: InsnIdx(0), what });
            return Err(Box::new(Rejection { cause, stats: Stats::default() }));
        }
    };
    let kfuncs = kfuncs(request, platform);
    let facts = Facts {
        request,
        platform,
        program: graph.program(),
        features: *platform.features(),
        limits: platform.limits(request.privilege),
        kind,
        attach,
        subprogs: subprogs(request, platform, graph, &kfuncs),
        live_regs: graph.live_regs(),
        kfuncs,
    };
    let mut search = Search::new(&facts, graph, &options.policy, &options.budget, observer);
    let result = run_all(&mut search);
    for (stats, depth) in search.stats.subprogs.iter_mut().zip(&search.memo.stack_depth) {
        stats.stack_depth = *depth;
    }
    let result = result.and_then(|()| add_up_stack(&mut search)).and_then(|()| check_rewrite(&search));
    match result {
        Ok(()) => {
            search.watcher.tell(|observer| observer.finished(&search.stats));
            Ok(Accepted { stats: search.stats, pointers: search.memo.pointers, seen: search.seen })
        }
        Err(stop) => {
            let (cause, state) = *stop;
            let rejection = Rejection { cause, stats: search.stats };
            search.watcher.tell(|observer| observer.rejected(&rejection, state.as_ref()));
            search.watcher.tell(|observer| observer.finished(&rejection.stats));
            Err(Box::new(rejection))
        }
    }
}

fn subprogs(
    request: &LoadRequest,
    platform: &dyn Platform,
    graph: &Graph,
    kfuncs: &BTreeMap<(i32, i16), KfuncLookup>,
) -> Vec<SubprogFacts> {
    let calls = calls(graph, kfuncs, request, platform);
    let subprogs = graph.subprogs().iter().zip(calls);
    subprogs
        .map(|(subprog, Calls { unknown, writes_dynptrs, makes_movable_dynptrs })| {
            let Prototype { args, params, returns_void } = prototype(request, platform, subprog.start);
            SubprogFacts {
                start: subprog.start,
                end: subprog.end,
                name: subprog.name.clone(),
                global: subprog.is_global,
                moves_packet: subprog.effects.changes_pkt_data,
                might_sleep: subprog.effects.might_sleep,
                might_throw: subprog.effects.might_throw,
                calls_kernel: unknown,
                writes_dynptrs,
                makes_movable_dynptrs,
                returns_void,
                params,
                args,
            }
        })
        .collect()
}

type Ended<D> = Result<(), Stop<D>>;

fn failed<D: Domain>(failure: Failure) -> Stop<D> {
    let cause = match failure {
        Failure::Violation(violation) => RejectionCause::Violation(violation),
        Failure::Unsupported(what) => RejectionCause::Unsupported(what),
        Failure::Internal { at, what } => RejectionCause::Internal { at, what },
    };
    Box::new((cause, None))
}

/// The entry function, then every global function that was called, in every context in which it was, until nothing new turns
/// up. (`do_check_main`, `do_check_subprogs`)
fn run_all<D: Domain>(search: &mut Search<'_, '_, D>) -> Ended<D> {
    let facts = search.facts;
    if let Some(callback) = search.graph.subprogs().iter().find(|subprog| subprog.is_exception_cb) {
        let what = "exception callbacks".into();
        return Err(Box::new((RejectionCause::Unsupported(Unsupported { at: callback.start, what }), None)));
    }
    let entry = entry_state(facts, &mut search.memo, &mut search.ids).map_err(failed)?;
    run_one(search, 0, entry)?;
    let mut verified = alloc::vec![[false; 2]; facts.subprogs.len()];
    loop {
        let mut found = false;
        for index in 1..facts.subprogs.len() {
            if !facts.subprogs.get(index).is_some_and(|subprog| subprog.global) {
                continue;
            }
            let position = u32::try_from(index).unwrap_or(u32::MAX);
            for context in [0, 1] {
                let called = search.memo.global_calls.get(index).is_some_and(|called| called[context]);
                let done = verified.get(index).is_none_or(|verified| verified[context]);
                if !called || done {
                    continue;
                }
                let sleepable = context == 1;
                search.watcher.tell(|observer| observer.validating(position));
                let state = global_entry_state(facts, &mut search.memo, &mut search.ids, position, sleepable)
                    .map_err(failed)?;
                run_one(search, position, state)?;
                if let Some(verified) = verified.get_mut(index) {
                    verified[context] = true;
                }
                found = true;
            }
        }
        if !found {
            return Ok(());
        }
    }
}

fn run_one<D: Domain>(search: &mut Search<'_, '_, D>, subprog: u32, entry: State<D>) -> Ended<D> {
    let start = search.facts.subprog(subprog).map_or(InsnIdx(0), |subprog| subprog.start);
    search.watcher.tell(|observer| observer.run_started(subprog, &entry));
    let before = search.stats.insns_processed;
    let total = search.stats.subprogs.get(subprog as usize).map_or(0, |stats| stats.insns_total);
    let result = search.run(entry, start);
    let processed = search.stats.insns_processed - before;
    // Callbacks that the host runs later have no caller to be counted for: here they all are.
    if let Some(stats) = search.stats.subprogs.get_mut(subprog as usize) {
        stats.insns_total = total + processed;
    }
    result?;
    search.watcher.tell(|observer| observer.run_finished(subprog));
    Ok(())
}

/// The stack of all chains of calls. (`check_max_stack_depth`)
fn add_up_stack<D: Domain>(search: &mut Search<'_, '_, D>) -> Ended<D> {
    let request = search.facts.request;
    let features = &search.facts.features;
    let private = features.private_stacks() && may_have_private_stacks(request);
    let rules = StackRules {
        granule: if features.small_frame_steps() { 16 } else { 32 },
        at_least_one: !features.small_frame_steps(),
        globals_begin_anew: features.frames_by_global_function(),
        ..StackRules::compiled(&search.facts.limits, private)
    };
    for (index, usage) in search.usage.iter_mut().enumerate() {
        usage.stack_bytes = search.memo.stack_depth.get(index).copied().unwrap_or(0);
        let position = u32::try_from(index).unwrap_or(u32::MAX);
        let passes = search.memo.passes_stack_args.get(index).copied().unwrap_or(false);
        usage.stack_args |= passes || search.facts.incoming_stack_args(position) > 0;
    }
    let depth = check_stack_depth(search.graph, &search.usage, &rules)
        .map_err(|error| Box::new((RejectionCause::Structure(error), None)))?;
    search.stats.max_stack_depth = depth.max_bytes;
    Ok(())
}

/// What the host finds only when it rewrites the program.
fn check_rewrite<D: Domain>(search: &Search<'_, '_, D>) -> Ended<D> {
    match search.memo.rewrite_violation() {
        Some(violation) => Err(Box::new((RejectionCause::Violation(violation), None))),
        None => Ok(()),
    }
}
