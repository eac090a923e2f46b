//! Terms of the theory of bit vectors: shared, folded where literal, printed as SMT-LIB 2, evaluated under an assignment.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A term, by its place in the arena of this thread.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Term(u32);

/// How wide a term is; a truth has no width.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Sort {
    Truth,
    Word(u32),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Operator {
    Add,
    Sub,
    Mul,
    Udiv,
    Urem,
    Sdiv,
    Srem,
    Shl,
    Shr,
    Sar,
    And,
    Or,
    Xor,
    Not,
    Same,
    Ult,
    Slt,
    UmulOverflows,
    SmulOverflows,
    Both,
    Either,
    Negation,
    If,
    /// The bits from the second place up to the first, inclusive.
    Extract(u32, u32),
    ZeroExtend(u32),
    SignExtend(u32),
    Concat,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Node {
    Variable(String),
    Literal(u64),
    Apply(Operator, Vec<Term>),
}

#[derive(Default)]
struct Arena {
    nodes: Vec<(Node, Sort)>,
    places: BTreeMap<(Node, Sort), Term>,
    /// Products, quotients and remainders as functions of which only lemmas are known.
    opaque: bool,
    /// Terms of which only what is assumed is known.
    cut: BTreeSet<Term>,
}

thread_local! {
    static ARENA: RefCell<Arena> = RefCell::default();
}

/// Forgets all terms of this thread.
pub(crate) fn reset(opaque: bool) {
    ARENA.with_borrow_mut(|arena| *arena = Arena { opaque, ..Arena::default() });
}

/// From now on nothing is known of how this term is made: what is shown holds whatever its value.
pub(crate) fn cut(term: Term) {
    ARENA.with_borrow_mut(|arena| arena.cut.insert(term));
}

/// How every term is made is known again.
pub(crate) fn mend() {
    ARENA.with_borrow_mut(|arena| arena.cut.clear());
}

fn is_cut(term: Term) -> bool {
    ARENA.with_borrow(|arena| arena.cut.contains(&term))
}

fn intern(node: Node, sort: Sort) -> Term {
    ARENA.with_borrow_mut(|arena| {
        let key = (node, sort);
        if let Some(&term) = arena.places.get(&key) {
            return term;
        }
        let term = Term(u32::try_from(arena.nodes.len()).expect("terms are counted in 32 bits"));
        arena.nodes.push(key.clone());
        arena.places.insert(key, term);
        term
    })
}

fn node(term: Term) -> (Node, Sort) {
    ARENA.with_borrow(|arena| arena.nodes[term.0 as usize].clone())
}

pub(crate) fn ones(width: u32) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

fn signed(value: u64, width: u32) -> i64 {
    ((value << (64 - width)) as i64) >> (64 - width)
}

pub(crate) fn variable(name: &str, width: u32) -> Term {
    intern(Node::Variable(name.to_owned()), Sort::Word(width))
}

pub(crate) fn literal(value: u64, width: u32) -> Term {
    intern(Node::Literal(value & ones(width)), Sort::Word(width))
}

pub(crate) fn truth(value: bool) -> Term {
    intern(Node::Literal(u64::from(value)), Sort::Truth)
}

/// The value of a literal.
pub(crate) fn known(term: Term) -> Option<u64> {
    match node(term).0 {
        Node::Literal(value) => Some(value),
        Node::Variable(_) | Node::Apply(..) => None,
    }
}

fn width_of(sort: Sort) -> u32 {
    match sort {
        Sort::Truth => 1,
        Sort::Word(width) => width,
    }
}

/// What an operator makes of values of the given widths; the result has `width`.
fn compute(operator: Operator, width: u32, values: &[(u64, u32)]) -> u64 {
    let &[(a, of_a), ..] = values else { return 0 };
    let (b, of_b) = values.get(1).copied().unwrap_or((0, 1));
    let (sa, sb) = (signed(a, of_a), signed(b, of_b));
    let result = match operator {
        Operator::Add => a.wrapping_add(b),
        Operator::Sub => a.wrapping_sub(b),
        Operator::Mul => a.wrapping_mul(b),
        Operator::Udiv => a.checked_div(b).unwrap_or(u64::MAX),
        Operator::Urem => a.checked_rem(b).unwrap_or(a),
        // SMT-LIB defines signed division by zero through the unsigned one.
        Operator::Sdiv if b == 0 => {
            if sa < 0 {
                1
            } else {
                u64::MAX
            }
        }
        Operator::Sdiv => sa.wrapping_div(sb) as u64,
        Operator::Srem => {
            if b == 0 {
                a
            } else {
                sa.wrapping_rem(sb) as u64
            }
        }
        Operator::Shl => {
            if b < u64::from(of_a) {
                a << b
            } else {
                0
            }
        }
        Operator::Shr => {
            if b < u64::from(of_a) {
                a >> b
            } else {
                0
            }
        }
        Operator::Sar => (sa >> b.min(63)) as u64,
        Operator::And | Operator::Both => a & b,
        Operator::Or | Operator::Either => a | b,
        Operator::Xor => a ^ b,
        Operator::Not | Operator::Negation => !a,
        Operator::Same => u64::from(a == b),
        Operator::Ult => u64::from(a < b),
        Operator::Slt => u64::from(sa < sb),
        Operator::UmulOverflows => u64::from(u128::from(a) * u128::from(b) > u128::from(ones(of_a))),
        Operator::SmulOverflows => {
            let product = i128::from(sa) * i128::from(sb);
            u64::from(product != i128::from(signed(product as u64 & ones(of_a), of_a)))
        }
        Operator::If => {
            if a != 0 {
                b
            } else {
                values.get(2).map_or(0, |value| value.0)
            }
        }
        Operator::Extract(_, low) => a >> low,
        Operator::ZeroExtend(_) => a,
        Operator::SignExtend(_) => sa as u64,
        Operator::Concat => a << of_b | b,
    };
    result & ones(width)
}

/// An operator applied: folded if all is literal or the outcome is plain, else a new term.
pub(crate) fn apply(operator: Operator, arguments: &[Term], sort: Sort) -> Term {
    let values: Option<Vec<(u64, u32)>> =
        arguments.iter().map(|&term| known(term).map(|value| (value, width_of(node(term).1)))).collect();
    if let Some(values) = values {
        return intern(Node::Literal(compute(operator, width_of(sort), &values)), sort);
    }
    match (operator, arguments) {
        (Operator::Same, [a, b]) if a == b => return truth(true),
        (Operator::Ult | Operator::Slt, [a, b]) if a == b => return truth(false),
        (Operator::If, [_, yes, no]) if yes == no => return *yes,
        (Operator::If, &[condition, yes, no]) => {
            if let Some(condition) = known(condition) {
                return if condition != 0 { yes } else { no };
            }
        }
        (Operator::Both, &[a, b]) => match (known(a), known(b)) {
            (Some(0), _) | (_, Some(0)) => return truth(false),
            (Some(_), _) => return b,
            (_, Some(_)) => return a,
            (None, None) => {}
        },
        (Operator::Either, &[a, b]) => match (known(a), known(b)) {
            (Some(0), _) => return b,
            (_, Some(0)) => return a,
            (Some(_), _) | (_, Some(_)) => return truth(true),
            (None, None) => {}
        },
        (Operator::Negation, &[a]) => {
            if let Node::Apply(Operator::Negation, inner) = node(a).0 {
                return inner[0];
            }
        }
        (
            Operator::Add
            | Operator::Sub
            | Operator::Or
            | Operator::Xor
            | Operator::Shl
            | Operator::Shr
            | Operator::Sar,
            &[a, b],
        ) if known(b) == Some(0) => {
            return a;
        }
        _ => {}
    }
    intern(Node::Apply(operator, arguments.to_vec()), sort)
}

/// The value of a term where variables have the given values.
#[cfg(test)]
pub(crate) fn evaluate(root: Term, assignment: &BTreeMap<String, u64>) -> u64 {
    ARENA.with_borrow(|arena| {
        // Arguments come before what is made of them.
        let mut values: Vec<u64> = Vec::with_capacity(root.0 as usize + 1);
        for (node, sort) in &arena.nodes[..=root.0 as usize] {
            let value = match node {
                Node::Variable(name) => assignment.get(name).copied().unwrap_or(0) & ones(width_of(*sort)),
                Node::Literal(value) => *value,
                Node::Apply(operator, arguments) => {
                    let of = |&Term(place): &Term| (values[place as usize], width_of(arena.nodes[place as usize].1));
                    compute(*operator, width_of(*sort), &arguments.iter().map(of).collect::<Vec<_>>())
                }
            };
            values.push(value);
        }
        values[root.0 as usize]
    })
}

fn name(sort: Sort) -> String {
    match sort {
        Sort::Truth => "Bool".to_owned(),
        Sort::Word(width) => format!("(_ BitVec {width})"),
    }
}

/// The word of SMT-LIB for an operator, and whether it is a function of which only lemmas are known.
fn symbol(operator: Operator, width: u32, opaque: bool) -> (String, bool) {
    let function = |name: &str| (format!("{name}{width}"), true);
    let plain = |name: &str| (name.to_owned(), false);
    match operator {
        Operator::Mul if opaque => function("product"),
        Operator::Udiv if opaque => function("quotient"),
        Operator::Urem if opaque => function("remainder"),
        Operator::Sdiv if opaque => function("signed_quotient"),
        Operator::Srem if opaque => function("signed_remainder"),
        Operator::UmulOverflows if opaque => function("product_overflows"),
        Operator::SmulOverflows if opaque => function("signed_product_overflows"),
        Operator::Add => plain("bvadd"),
        Operator::Sub => plain("bvsub"),
        Operator::Mul => plain("bvmul"),
        Operator::Udiv => plain("bvudiv"),
        Operator::Urem => plain("bvurem"),
        Operator::Sdiv => plain("bvsdiv"),
        Operator::Srem => plain("bvsrem"),
        Operator::Shl => plain("bvshl"),
        Operator::Shr => plain("bvlshr"),
        Operator::Sar => plain("bvashr"),
        Operator::And => plain("bvand"),
        Operator::Or => plain("bvor"),
        Operator::Xor => plain("bvxor"),
        Operator::Not => plain("bvnot"),
        Operator::Same => plain("="),
        Operator::Ult => plain("bvult"),
        Operator::Slt => plain("bvslt"),
        Operator::UmulOverflows => plain("bvumulo"),
        Operator::SmulOverflows => plain("bvsmulo"),
        Operator::Both => plain("and"),
        Operator::Either => plain("or"),
        Operator::Negation => plain("not"),
        Operator::If => plain("ite"),
        Operator::Extract(high, low) => (format!("(_ extract {high} {low})"), false),
        Operator::ZeroExtend(by) => (format!("(_ zero_extend {by})"), false),
        Operator::SignExtend(by) => (format!("(_ sign_extend {by})"), false),
        Operator::Concat => plain("concat"),
    }
}

/// A query that is unsatisfiable exactly if the assumptions imply the goal; without a goal, one that is satisfiable if they can be met at all.
pub(crate) fn query(assumptions: &[Term], goal: Option<Term>) -> String {
    ARENA.with_borrow(|arena| {
        let mut needed = vec![false; arena.nodes.len()];
        let mut open: Vec<Term> = assumptions.iter().chain(&goal).copied().collect();
        while let Some(Term(place)) = open.pop() {
            if !std::mem::replace(&mut needed[place as usize], true)
                && !arena.cut.contains(&Term(place))
                && let Node::Apply(_, arguments) = &arena.nodes[place as usize].0
            {
                open.extend(arguments);
            }
        }
        let (mut functions, mut text) = (BTreeMap::new(), String::new());
        for (place, (node, sort)) in arena.nodes.iter().enumerate().filter(|&(place, _)| needed[place]) {
            let sort_name = name(*sort);
            if matches!(node, Node::Apply(..)) && arena.cut.contains(&Term(place as u32)) {
                writeln!(text, "(declare-const t{place} {sort_name})").expect("a string takes it");
                continue;
            }
            let definition = match (node, sort) {
                (Node::Variable(variable), _) => {
                    writeln!(text, "(declare-const {variable} {sort_name})").expect("a string takes it");
                    variable.clone()
                }
                (Node::Literal(value), Sort::Truth) => (*value != 0).to_string(),
                (Node::Literal(value), Sort::Word(width)) => format!("(_ bv{value} {width})"),
                (Node::Apply(operator, arguments), _) => {
                    let sorts = || arguments.iter().map(|&Term(place)| arena.nodes[place as usize].1);
                    let width = sorts().next().map_or(0, width_of);
                    let (symbol, is_function) = symbol(*operator, width, arena.opaque);
                    if is_function {
                        let from: Vec<String> = sorts().map(name).collect();
                        functions
                            .insert(symbol.clone(), format!("(declare-fun {symbol} ({}) {sort_name})", from.join(" ")));
                    }
                    let arguments: String = arguments.iter().map(|Term(place)| format!(" t{place}")).collect();
                    format!("({symbol}{arguments})")
                }
            };
            writeln!(text, "(define-fun t{place} () {sort_name} {definition})").expect("a string takes it");
        }
        for Term(place) in assumptions {
            writeln!(text, "(assert t{place})").expect("a string takes it");
        }
        if let Some(Term(place)) = goal {
            writeln!(text, "(assert (not t{place}))").expect("a string takes it");
        }
        let logic = if functions.is_empty() { "QF_BV" } else { "QF_UFBV" };
        let functions: String = functions.into_values().map(|line| line + "\n").collect();
        format!("(set-logic {logic})\n{functions}{text}(check-sat)\n")
    })
}

/// Choices that have been made: conditions, and whether they hold.
pub(crate) type Path = BTreeMap<Term, bool>;

/// More ways than this through the choices of a term, and it is left as it is.
const WAYS: usize = 96;

/// A term without choices, for each way through them: a decision list falls apart into its lines.
pub(crate) fn cases(root: Term) -> Vec<(Path, Term)> {
    let mut known = BTreeMap::new();
    ways(root, &mut known).filter(|ways| ways.len() <= WAYS).unwrap_or_else(|| vec![(Path::new(), root)])
}

/// The ways through a term, from those through its arguments; nothing if they are too many. Terms are nested as deep as operators are.
fn ways(root: Term, known: &mut BTreeMap<Term, Option<Vec<(Path, Term)>>>) -> Option<Vec<(Path, Term)>> {
    if let Some(ways) = known.get(&root) {
        return ways.clone();
    }
    let (shape, sort) = node(root);
    let found = match shape {
        Node::Apply(..) if is_cut(root) => Some(vec![(Path::new(), root)]),
        Node::Variable(_) | Node::Literal(_) => Some(vec![(Path::new(), root)]),
        Node::Apply(Operator::If, arguments) => chosen(&arguments, known),
        Node::Apply(operator, arguments) => {
            let mut partial = vec![(Path::new(), Vec::new())];
            let mut possible = true;
            for argument in arguments {
                let Some(of_argument) = ways(argument, known) else {
                    possible = false;
                    break;
                };
                partial = partial
                    .iter()
                    .flat_map(|(path, before)| {
                        of_argument.iter().filter_map(move |(other, value)| {
                            let path = joined(path, other)?;
                            Some((path, before.iter().copied().chain([*value]).collect()))
                        })
                    })
                    .collect();
                if partial.len() > WAYS {
                    possible = false;
                    break;
                }
            }
            possible.then(|| {
                partial
                    .into_iter()
                    .map(|(path, values): (Path, Vec<Term>)| (path, apply(operator, &values, sort)))
                    .collect()
            })
        }
    };
    known.insert(root, found.clone());
    found
}

/// The ways through a choice: through what is taken, where the condition holds, and through the other where it does not.
fn chosen(arguments: &[Term], known: &mut BTreeMap<Term, Option<Vec<(Path, Term)>>>) -> Option<Vec<(Path, Term)>> {
    let &[condition, yes, no] = arguments else { return None };
    let mut all = Vec::new();
    for (branch, holds) in [(yes, true), (no, false)] {
        for (path, value) in ways(branch, known)? {
            if let Some(path) = joined(&Path::from([(condition, holds)]), &path) {
                all.push((path, value));
            }
        }
    }
    (all.len() <= WAYS).then_some(all)
}

/// Both paths, unless they contradict each other.
fn joined(one: &Path, other: &Path) -> Option<Path> {
    let mut path = one.clone();
    for (&condition, &holds) in other {
        if *path.entry(condition).or_insert(holds) != holds {
            return None;
        }
    }
    Some(path)
}

/// The names of the variables that a term speaks of.
pub(crate) fn variables(root: Term) -> BTreeSet<String> {
    ARENA.with_borrow(|arena| {
        let (mut open, mut seen, mut names) = (vec![root], BTreeSet::from([root]), BTreeSet::new());
        while let Some(Term(place)) = open.pop() {
            match &arena.nodes[place as usize].0 {
                Node::Apply(..) if arena.cut.contains(&Term(place)) => {
                    names.insert(format!("t{place}"));
                }
                Node::Variable(name) => {
                    names.insert(name.clone());
                }
                Node::Literal(_) => {}
                Node::Apply(_, arguments) => open.extend(arguments.iter().filter(|&&argument| seen.insert(argument))),
            }
        }
        names
    })
}

/// A condition, or its negation.
pub(crate) fn asserted((&condition, &holds): (&Term, &bool)) -> Term {
    if holds { condition } else { apply(Operator::Negation, &[condition], Sort::Truth) }
}

/// The conjuncts of a truth: also those of a disjunction with a conjunction in it, and those that a negation hides.
pub(crate) fn conjuncts(term: Term) -> Vec<Term> {
    let not = |term: Term| apply(Operator::Negation, &[term], Sort::Truth);
    match shape(term) {
        Shape::Both(parts) => parts.into_iter().flat_map(conjuncts).collect(),
        Shape::Neither(parts) => parts.into_iter().map(not).flat_map(conjuncts).collect(),
        Shape::Either(sides) => distributed(term, sides),
        Shape::NotBoth(sides) => distributed(term, sides.into_iter().map(not).collect()),
        Shape::Plain => vec![term],
    }
}

/// More conjuncts than this, and a disjunction is left as it is.
const CONJUNCTS: usize = 400;

/// The conjuncts of a disjunction, each with one conjunct of either side.
fn distributed(term: Term, sides: Vec<Term>) -> Vec<Term> {
    let either = |a: Term, b: Term| apply(Operator::Either, &[a, b], Sort::Truth);
    let of_sides: Vec<Vec<Term>> = sides.into_iter().map(conjuncts).collect();
    match of_sides.as_slice() {
        [a, b] if (2..=CONJUNCTS).contains(&(a.len() * b.len())) => {
            a.iter().flat_map(|&a| b.iter().map(move |&b| either(a, b))).collect()
        }
        _ => vec![term],
    }
}

/// How a truth is made of others.
enum Shape {
    Both(Vec<Term>),
    Either(Vec<Term>),
    Neither(Vec<Term>),
    NotBoth(Vec<Term>),
    Plain,
}

fn shape(term: Term) -> Shape {
    if is_cut(term) {
        return Shape::Plain;
    }
    let Node::Apply(operator, parts) = node(term).0 else { return Shape::Plain };
    if operator == Operator::Both {
        return Shape::Both(parts);
    }
    if operator == Operator::Either {
        return Shape::Either(parts);
    }
    match parts.first() {
        Some(&inner) if operator == Operator::Negation && !is_cut(inner) => match node(inner).0 {
            Node::Apply(Operator::Both, parts) => Shape::NotBoth(parts),
            Node::Apply(Operator::Either, parts) => Shape::Neither(parts),
            Node::Apply(..) | Node::Variable(_) | Node::Literal(_) => Shape::Plain,
        },
        Some(_) | None => Shape::Plain,
    }
}
