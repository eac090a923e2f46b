//! Claims: what is assumed of sets and words, and what must then hold.

use std::collections::BTreeSet;

use bpfvet_domain::arc::Arc;
use bpfvet_domain::scalar::Scalar;
use bpfvet_domain::tnum::Tnum;
use bpfvet_domain::word::Double;

use super::symbol::{Fault, Prop, Symbolic, plant, planted};
use super::term::{self, Term};

/// A register that can be named, with a half that can.
pub(crate) trait Register: Double<Truth = Prop, Half: Symbolic> + Symbolic {}
impl<W: Double<Truth = Prop, Half: Symbolic> + Symbolic> Register for W {}

/// Assumptions and goals under construction.
#[derive(Default)]
pub(crate) struct Claim {
    assumptions: Vec<Term>,
    /// Names of members, as against names of sets.
    members: BTreeSet<String>,
    goals: Vec<Term>,
}

impl Claim {
    pub(crate) fn assume(&mut self, what: Prop) {
        self.assumptions.push(what.0);
    }
    pub(crate) fn show(&mut self, what: Prop) {
        self.goals.push(what.0);
    }

    /// Any word.
    pub(crate) fn word<W: Symbolic>(&mut self, name: &str) -> W {
        W::named(name)
    }
    fn member<W: Symbolic>(&mut self, name: &str) -> W {
        self.members.insert(name.to_owned());
        W::named(name)
    }
    /// Any set of known bits, and any member.
    pub(crate) fn tnum<W: Symbolic>(&mut self, set: &str, member: &str) -> (Tnum<W>, W) {
        let tnum = Tnum { value: W::named(&format!("{set}_value")), mask: W::named(&format!("{set}_mask")) };
        let word = self.member(member);
        self.assume(tnum.is_well_formed());
        self.assume(tnum.contains(word));
        (tnum, word)
    }
    /// Any arc, and any member.
    pub(crate) fn arc<W: Symbolic>(&mut self, set: &str, member: &str) -> (Arc<W>, W) {
        let arc = Arc { base: W::named(&format!("{set}_base")), size: W::named(&format!("{set}_size")) };
        let word = self.member(member);
        self.assume(arc.contains(word));
        (arc, word)
    }
    /// Any number, and any member; the member may be that of another number already.
    pub(crate) fn number<W: Register>(&mut self, set: &str, member: &str) -> (Scalar<W>, W) {
        let (tnum, word) = self.tnum(set, member);
        let wide = Arc { base: W::named(&format!("{set}_base")), size: W::named(&format!("{set}_size")) };
        let low = Arc { base: W::Half::named(&format!("{set}_low_base")), size: W::Half::named(&format!("{set}_low_size")) };
        self.assume(wide.contains(word));
        self.assume(low.contains(word.low()));
        (Scalar::from_parts(tnum, wide, low), word)
    }
    /// Any three parts, with or without members.
    pub(crate) fn parts<W: Register>(&mut self, set: &str) -> Scalar<W> {
        let tnum = Tnum { value: W::named(&format!("{set}_value")), mask: W::named(&format!("{set}_mask")) };
        self.assume(tnum.is_well_formed());
        let wide = Arc { base: W::named(&format!("{set}_base")), size: W::named(&format!("{set}_size")) };
        let low = Arc { base: W::Half::named(&format!("{set}_low_base")), size: W::Half::named(&format!("{set}_low_size")) };
        Scalar::from_parts(tnum, wide, low)
    }

    /// `word` is a member of all three parts, and the bits are well-formed.
    pub(crate) fn show_member<W: Register>(&mut self, number: Scalar<W>, word: W) {
        self.show_member_tnum(number.tnum(), word);
        self.show(number.arc64().contains(word));
        self.show(number.arc32().contains(word.low()));
    }
    pub(crate) fn show_member_tnum<W: Symbolic>(&mut self, tnum: Tnum<W>, word: W) {
        self.show(tnum.is_well_formed());
        self.show(tnum.contains(word));
    }
}

/// A named claim about an operator.
pub(crate) struct Obligation {
    pub(crate) name: String,
    /// Products, quotients and remainders are functions of which only lemmas are used.
    opaque: bool,
    state: Box<dyn Fn(&mut Claim)>,
}

/// A question to a solver.
pub(crate) struct Query {
    pub(crate) text: String,
    /// The same with those assumptions only that speak of the sets that the goal speaks of. If the goal follows from these, it follows.
    pub(crate) essence: Option<String>,
    /// Asks whether the assumptions can be met at all, rather than whether the goal can be missed.
    pub(crate) of_assumptions: bool,
}

impl Obligation {
    pub(crate) fn new(name: impl Into<String>, state: impl Fn(&mut Claim) + 'static) -> Self {
        Self { name: name.into(), opaque: false, state: Box::new(state) }
    }
    pub(crate) fn with_lemmas(name: impl Into<String>, state: impl Fn(&mut Claim) + 'static) -> Self {
        Self { name: name.into(), opaque: true, state: Box::new(state) }
    }

    fn stated(&self, fault: Option<Fault>) -> Claim {
        term::reset(self.opaque);
        plant(fault);
        let mut claim = Claim::default();
        (self.state)(&mut claim);
        claim
    }

    /// One question about the assumptions, and one for each conjunct of the goals: assumptions stand apart, which solvers like better.
    pub(crate) fn queries(&self) -> Vec<Query> {
        let Claim { assumptions, members, goals } = self.stated(None);
        let split = |terms: Vec<Term>| {
            let mut parts: Vec<Term> = terms.into_iter().flat_map(term::conjuncts).collect();
            parts.sort();
            parts.dedup();
            parts
        };
        let (assumptions, mut goals) = (split(assumptions), split(goals));
        goals.retain(|goal| !assumptions.contains(goal) && term::known(*goal) != Some(1));
        let asked = |goal: Term| {
            let spoken_of: BTreeSet<String> = term::variables(goal).union(&members).cloned().collect();
            let essential: Vec<Term> =
                assumptions.iter().copied().filter(|&assumption| term::variables(assumption).is_subset(&spoken_of)).collect();
            Query {
                text: term::query(&assumptions, Some(goal)),
                essence: (essential.len() < assumptions.len()).then(|| term::query(&essential, Some(goal))),
                of_assumptions: false,
            }
        };
        let met = Query { text: term::query(&assumptions, None), essence: None, of_assumptions: true };
        std::iter::once(met).chain(goals.into_iter().map(asked)).collect()
    }

    /// One question for all goals together.
    pub(crate) fn whole_query(&self) -> String {
        let Claim { assumptions, goals, .. } = self.stated(None);
        let all = goals.into_iter().map(Prop).reduce(|all, goal| all & goal);
        term::query(&assumptions, all.map(|all| all.0))
    }

    /// Whether some goal can be missed when the operator has this fault: one question for all goals, or nothing if the fault finds no place.
    pub(crate) fn faulty_query(&self, fault: Fault) -> Option<String> {
        let Claim { assumptions, goals, .. } = self.stated(Some(fault));
        let all = goals.into_iter().map(Prop).reduce(|all, goal| all & goal)?;
        (planted() && term::known(all.0) != Some(1)).then(|| term::query(&assumptions, Some(all.0)))
    }
}
