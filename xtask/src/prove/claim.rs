//! Claims: what is assumed of sets and words, and what must then hold.

use std::collections::BTreeSet;

use bpfvet_domain::arc::Arc;
use bpfvet_domain::intervals::{Bounds, Intervals};
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
        let word = self.member(member);
        (self.arc_around(set, word), word)
    }
    /// Any arc that holds a word: so many words lie before it, so many are passed in all. Sums of such come out plainly, where solvers would
    /// have to find out that bounds and member move together.
    pub(crate) fn arc_around<W: Symbolic>(&mut self, set: &str, word: W) -> Arc<W> {
        let (before, size) = (W::named(&format!("{set}_before")), W::named(&format!("{set}_size")));
        let arc = Arc { base: word.wrapping_sub(before), size };
        self.assume(before.ule(size));
        self.assume(!arc.is_empty());
        arc
    }
    /// Any number, and any member; the member may be that of another number already.
    pub(crate) fn number<W: Register>(&mut self, set: &str, member: &str) -> (Scalar<W>, W) {
        let (tnum, word) = self.tnum::<W>(set, member);
        let wide = self.arc_around(set, word);
        let low = self.arc_around(&format!("{set}_low"), word.low());
        (Scalar::from_parts(tnum, wide, low), word)
    }
    /// Any three parts, with or without members.
    pub(crate) fn parts<W: Register>(&mut self, set: &str) -> Scalar<W> {
        let tnum = Tnum { value: W::named(&format!("{set}_value")), mask: W::named(&format!("{set}_mask")) };
        self.assume(tnum.is_well_formed());
        let wide = Arc { base: W::named(&format!("{set}_base")), size: W::named(&format!("{set}_size")) };
        let low =
            Arc { base: W::Half::named(&format!("{set}_low_base")), size: W::Half::named(&format!("{set}_low_size")) };
        Scalar::from_parts(tnum, wide, low)
    }

    /// Any two intervals, with or without members.
    pub(crate) fn any_bounds<W: Symbolic>(&mut self, set: &str) -> Bounds<W> {
        let [umin, umax, smin, smax] = ["umin", "umax", "smin", "smax"].map(|end| W::named(&format!("{set}_{end}")));
        Bounds { umin, umax, smin, smax }
    }
    /// Any two intervals, and any member; the member may be that of others already.
    pub(crate) fn bounds<W: Symbolic>(&mut self, set: &str, member: &str) -> (Bounds<W>, W) {
        let (bounds, word) = (self.any_bounds(set), self.member(member));
        self.assume(bounds.contains(word));
        (bounds, word)
    }
    /// Any number of intervals, and any member; the member may be that of another number already.
    pub(crate) fn intervals<W: Register>(&mut self, set: &str, member: &str) -> (Intervals<W>, W) {
        let (tnum, word) = self.tnum::<W>(set, member);
        let (wide, low) = (self.any_bounds(set), self.any_bounds(&format!("{set}_low")));
        self.assume(wide.contains(word));
        self.assume(low.contains(word.low()));
        (Intervals::from_parts(tnum, wide, low), word)
    }

    /// Takes a word for any word of which the assumptions hold: how it came about is proved elsewhere.
    pub(crate) fn cut<W: Symbolic>(&self, word: W) {
        term::cut(word.term());
    }
    pub(crate) fn cut_truth(&self, truth: Prop) {
        term::cut(truth.0);
    }
    /// An arc of which only this is known, by an obligation of its own: if `when`, `word` is a member.
    pub(crate) fn given_arc<W: Symbolic>(&mut self, arc: Arc<W>, when: Prop, word: W) {
        self.assume(!when | arc.contains(word));
        self.cut(arc.base);
        self.cut(arc.size);
    }
    /// Known bits of which only this is known, by an obligation of its own: `word` is a member.
    pub(crate) fn given_tnum<W: Symbolic>(&mut self, tnum: Tnum<W>, word: W) {
        self.assume(tnum.is_well_formed());
        self.assume(tnum.contains(word));
        self.cut(tnum.value);
        self.cut(tnum.mask);
    }
    /// Intervals of which only this is known, by an obligation of their own: `word` is a member.
    pub(crate) fn given_bounds<W: Symbolic>(&mut self, bounds: Bounds<W>, word: W) {
        self.assume(bounds.contains(word));
        for end in [bounds.umin, bounds.umax, bounds.smin, bounds.smax] {
            self.cut(end);
        }
    }
    /// What the obligation `views` says of an arc's bounds and a member; the bounds are then any words like that.
    pub(crate) fn given_views<W: Symbolic>(&mut self, arc: Arc<W>, word: W) {
        let (umin, umax, smin, smax) = (arc.umin(), arc.umax(), arc.signed_min(), arc.signed_max());
        self.assume(umin.ule(word) & word.ule(umax));
        self.assume(smin.sle(word) & word.sle(smax));
        for bound in [umin, umax, smin, smax] {
            self.cut(bound);
        }
    }
    /// What the obligation `tnum step` says of the next member above a word, and any member.
    pub(crate) fn given_step<W: Symbolic>(&mut self, tnum: Tnum<W>, from: W, member: W) -> W {
        let next = tnum.step(from);
        self.assume(tnum.contains(next));
        self.assume(member.ule(from) | next.ule(member));
        self.assume(next.ugt(from) | next.same(tnum.max()));
        self.cut(next);
        next
    }
    /// What the obligation `intersect` says of two arcs and a word.
    pub(crate) fn given_meet<W: Symbolic>(&mut self, a: Arc<W>, b: Arc<W>, word: W) -> Arc<W> {
        let meet = a.intersect(b);
        let common = a.contains(word) & b.contains(word);
        self.given_arc(meet, common, word);
        meet
    }

    /// `word` is a member of all three parts, and the bits are well-formed.
    pub(crate) fn show_member<W: Register>(&mut self, number: Scalar<W>, word: W) {
        self.show_member_tnum(number.tnum(), word);
        self.show(number.arc64().contains(word));
        self.show(number.arc32().contains(word.low()));
    }
    /// `word` is a member of all parts, and the bits are well-formed.
    pub(crate) fn show_intervals<W: Register>(&mut self, number: Intervals<W>, word: W) {
        self.show_member_tnum(number.tnum(), word);
        self.show(number.wide().contains(word));
        self.show(number.low().contains(word.low()));
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
        let Claim { assumptions, members, goals: claimed } = self.stated(None);
        let split = |terms: Vec<Term>| {
            let mut parts: Vec<Term> = terms.into_iter().flat_map(term::conjuncts).collect();
            parts.sort();
            parts.dedup();
            parts
        };
        let assumptions = split(assumptions);
        let mut goals: BTreeSet<(Vec<Term>, Term)> = BTreeSet::new();
        for (path, goal) in split(claimed).into_iter().flat_map(term::cases) {
            let path = split(path.iter().map(term::asserted).collect());
            goals.extend(split(vec![goal]).into_iter().map(|goal| (path.clone(), goal)));
        }
        goals.retain(|(path, goal)| {
            let contradictory = path.iter().any(|&condition| term::known(condition) == Some(0));
            !contradictory && !assumptions.contains(goal) && !path.contains(goal) && term::known(*goal) != Some(1)
        });
        let asked = |(path, goal): (Vec<Term>, Term)| {
            let all: Vec<Term> = assumptions.iter().chain(&path).copied().collect();
            let spoken_of: BTreeSet<String> =
                path.iter().chain([&goal]).flat_map(|&term| term::variables(term)).chain(members.clone()).collect();
            let essential: Vec<Term> =
                all.iter().copied().filter(|&assumption| term::variables(assumption).is_subset(&spoken_of)).collect();
            Query {
                text: term::query(&all, Some(goal)),
                essence: (essential.len() < all.len()).then(|| term::query(&essential, Some(goal))),
                of_assumptions: false,
            }
        };
        let met = Query { text: term::query(&assumptions, None), essence: None, of_assumptions: true };
        std::iter::once(met).chain(goals.into_iter().map(asked)).collect()
    }

    /// One question for all goals together.
    pub(crate) fn whole_query(&self) -> String {
        let Claim { assumptions, goals, .. } = self.stated(None);
        term::mend();
        let all = goals.into_iter().map(Prop).reduce(|all, goal| all & goal);
        term::query(&assumptions, all.map(|all| all.0))
    }

    /// Whether some goal can be missed when the operator has this fault: one question for all goals, or nothing if the fault finds no place.
    pub(crate) fn faulty_query(&self, fault: Fault) -> Option<String> {
        let Claim { assumptions, goals, .. } = self.stated(Some(fault));
        term::mend();
        let all = goals.into_iter().map(Prop).reduce(|all, goal| all & goal)?;
        (planted() && term::known(all.0) != Some(1)).then(|| term::query(&assumptions, Some(all.0)))
    }
}
